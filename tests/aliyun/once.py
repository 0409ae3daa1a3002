"""What opens once, shown twice: a token that an application has signed, an action, and a request of the other reference's.

once.py ADDRESS PRIVATE_KEY FILE. Where there is no FILE the three are made, sent, and written there; where there is one, they are sent
again as they are. Prints a line of JSON for each: its name, the status, the word of the answer.
"""

import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

ADDRESS, KEY, FILE = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
CLIENT, SECRET, ISSUER = "crm-8a1f", "secret-of-the-crm-itself", "https://crm.example"
AK, SK = "monitor", "a-secret-of-monitoring"
FORM = "application/x-www-form-urlencoded"


def plain(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token():
    claims = {"iss": ISSUER, "jti": str(uuid.uuid4()), "user_name": "1001", "exp": int(time.time()) + 300}
    signed = plain(json.dumps({"alg": "RS256", "typ": "JWT"}).encode()) + b"." + plain(json.dumps(claims).encode())
    command = ["openssl", "dgst", "-sha256", "-sign", KEY]
    mark = subprocess.run(command, input=signed, capture_output=True, check=True).stdout
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": (signed + b"." + plain(mark)).decode(),
    }
    client = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    headers = {"Authorization": f"Basic {client}", "Content-Type": FORM}
    return ["token", "/oauth/token_exchange", urllib.parse.urlencode(form), headers]


def action():
    said = {
        "Action": "CreateDepartment", "Version": "2019-10-15", "Format": "JSON", "AccessKeyId": CLIENT,
        "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": str(uuid.uuid4()),
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "InstanceId": "ccc-1", "DepartmentName": "north",
    }
    coded = lambda text: urllib.parse.quote(text, safe="-_.~")
    form = lambda: "&".join(f"{coded(name)}={coded(said[name])}" for name in sorted(said))
    text = f"POST&%2F&{coded(form())}"
    said["Signature"] = base64.b64encode(hmac.new(f"{SECRET}&".encode(), text.encode(), hashlib.sha1).digest()).decode()
    return ["action", "/", form(), {"Content-Type": FORM}]


def request():
    path, body = "/rest/cmsapp/v1/openapi/vdn/totalagentstate", json.dumps({"ccId": 1, "vdn": 5})
    now = datetime.datetime.now(datetime.timezone.utc)
    at = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z"
    headers = {"content-length": str(len(body)), "content-type": "application/json;charset=UTF-8", "host": ADDRESS}
    names = ";".join(sorted(headers))
    prefix = f"auth-v2/{AK}/{at}/{names}"
    escaped = lambda text: urllib.parse.quote(text, safe="-._~")
    lines = [f"{name}:{escaped(headers[name])}" for name in sorted(headers)]
    text = "\n".join(["POST", path, names, *lines, escaped(body)])
    sign = lambda key, text: hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = f"{prefix}/{sign(sign(SK, prefix), text)}"
    return ["request", path, body, headers]


def send(name, path, body, headers):
    asked = urllib.request.Request(f"http://{ADDRESS}{path}", data=body.encode(), headers=headers, method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            status, said = answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as answer:
        status, said = answer.code, json.loads(answer.read())
    word = said.get("error") or said.get("Code") or said.get("resultCode")
    print(json.dumps([name, status, word]), flush=True)


if not FILE.exists():
    FILE.write_text(json.dumps([token(), action(), request()]))
for made in json.loads(FILE.read_text()):
    send(*made)
