"""A program as an integrator of the reference contact centre writes it: a token for its app key, a call-back, monitoring and files by
signed requests. It knows what the reference's public documents say, and nothing of this switch.

Usage: client.py HOST:PORT KEY SECRET NAME JSON. Prints the answer, as JSON; bytes as their number and their SHA-256.
NAME is token, or a path: below /apiaccess it is asked with a token, otherwise signed. "GET PATH" reads one. The entry
ccmessaging-token of the JSON is a header, not of the body.
"""

import datetime
import hashlib
import hmac
import http.client
import json
import sys
from urllib.parse import quote

TOKEN = "/apigovernance/api/oauth/tokenByAkSk"
OCTETS = "Application/Octet-stream;charset=UTF-8"


class Client:
    def __init__(self, at, key, secret):
        self.at, self.key, self.secret = at, key, secret

    def send(self, path, body, headers):
        connection = http.client.HTTPConnection(self.at, timeout=30)
        method, _, path = path.rpartition(" ")
        connection.request(method or "POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()

    def token(self):
        body = json.dumps({"app_key": self.key, "app_secret": self.secret})
        status, _, answer = self.send(TOKEN, body, {"Content-Type": "application/json", "X-Token-Expire": "600"})
        answer = json.loads(answer)
        if status == 200:
            assert answer["ApplyType"] == "Bearer" and answer["Expires"] == "600", answer
            assert abs(int(answer["CreateTime"]) - datetime.datetime.now().timestamp()) < 60, answer
        return status, answer

    def bearer(self, path, body):
        _, token = self.token()
        headers = {
            "Content-Type": "application/json",
            "Authorization": "Bearer " + token["AccessToken"],
            "X-APP-Key": self.key,
        }
        said = json.loads(body)
        if "ccmessaging-token" in said:
            headers["ccmessaging-token"] = said.pop("ccmessaging-token")
        return self.send(path, json.dumps(said), headers)

    def signed(self, path, body):
        method, _, plain = path.rpartition(" ")
        now = datetime.datetime.now(datetime.timezone.utc)
        time = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z"
        headers = {
            "content-length": str(len(body)),
            "content-type": "application/json;charset=UTF-8",
            "host": self.at,
        }
        names = ";".join(sorted(headers))
        prefix = f"auth-v2/{self.key}/{time}/{names}"
        lines = [f"{name}:{quote(headers[name], safe='-._~')}" for name in sorted(headers)]
        text = "\n".join([method or "POST", plain, names, *lines, quote(body, safe="-._~")])
        signature = self.sha(self.sha(self.secret, prefix), text)
        return self.send(path, body, {**headers, "Authorization": f"{prefix}/{signature}"})

    @staticmethod
    def sha(key, text):
        return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def main():
    at, key, secret, name, said = sys.argv[1:]
    client = Client(at, key, secret)
    if name == "token":
        status, answer = client.token()
        return print(json.dumps({"status": status, "body": answer}))
    ask = client.bearer if "/apiaccess" in name else client.signed
    status, kind, answer = ask(name, said)
    if kind == OCTETS:
        digest = hashlib.sha256(answer).hexdigest()
        return print(json.dumps({"status": status, "bytes": len(answer), "sha256": digest, "head": answer[:4].decode("latin1")}))
    body = json.loads(answer)
    if name.startswith("/rest/cmsapp"):
        old, new = ("result", "resultDatas"), ("resultCode", "resultDesc")
        assert all(field in body for field in (*old, *new)), body
        assert body[old[1]] == body[new[1]] and (body[old[0]] == "0") == (body[new[0]] == "0100000"), body
    print(json.dumps({"status": status, "body": body}))


if __name__ == "__main__":
    main()
