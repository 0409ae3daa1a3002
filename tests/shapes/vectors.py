"""Signatures of every way in which a client may make them, computed without the switch's code: prints a table for the tests
of api/src/huawei/sign.rs, kept as vectors.tsv beside them: way, time, query, body, signature."""
import hashlib
import hmac
from urllib.parse import quote

AK, SK = "crm", "a-secret-of-the-crm"
PATH = "/rest/cmsapp/v1/openapi/configures/skills"
NAMES = "content-length;content-type;host"
BODY = '{"ccId": 1, "vdn": 5}'
WHOLE, FRACTION = "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.123Z"


def sha(key, text):
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def escaped(text):
    return quote(text, safe="-._~")


def signature(time, query, form, escape, end, body, words):
    prefix = f"auth-v2/{AK}/{time}/{NAMES}"
    headers = [("content-length", str(len(body))), ("content-type", "application/json;charset=UTF-8"),
               ("host", "192.0.2.1:8080")]
    forms = {
        "apart": lambda name, value: f"{escaped(name)}:{escaped(value)}",
        "as-one": lambda name, value: escaped(f"{name}:{value}"),
        "plain": lambda name, value: f"{name}:{value}",
    }
    lines = ["POST", PATH] + ([words] if query else []) + [NAMES] + [forms[form](*header) for header in headers]
    text = "\n".join(lines) + ("\n" if end else "") + (escaped(body) if escape else body)
    return sha(sha(SK, prefix), text)


def rows():
    for time in [WHOLE, FRACTION]:
        for words in ["", "a=1&b=2"]:
            for query in [False, True]:
                for form in ["apart", "as-one", "plain"]:
                    for body, escape, end in [(BODY, True, True), (BODY, False, True), ("", True, True), ("", True, False)]:
                        name = f"{'query' if query else 'path'} headers:{form} body:{'escaped' if escape else 'plain'}"
                        name += "" if end else " no-end"
                        yield name, time, words, body, signature(time, query, form, escape, end, body, words)


if __name__ == "__main__":
    for row in rows():
        print("\t".join(row))
