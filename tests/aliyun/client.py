"""A back end of a CRM, as it is written for the other vendor: tokens are exchanged, actions are signed in both ways.

client.py ADDRESS PRIVATE_KEY OTHER_PRIVATE_KEY. Says what was not as it should be, and ends with 1.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

ADDRESS, KEY, OTHER = sys.argv[1:4]
CLIENT, SECRET, ISSUER = "crm-8a1f", "secret-of-the-crm-itself", "https://crm.example"
GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"


def send(method, path, body=b"", headers=None):
    request = urllib.request.Request(f"http://{ADDRESS}{path}", data=body or None, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, json.loads(answer.read())
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, json.loads(answer.read())


def check(holds, what):
    if not holds:
        print(f"not as it should be: {what}", flush=True)
        sys.exit(1)


def plain(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(user, key=KEY, **more):
    claims = {"iss": ISSUER, "jti": str(uuid.uuid4()), "user_name": user, "exp": int(time.time() * 1000) + 60_000} | more
    signed = plain(json.dumps({"alg": "RS256", "typ": "JWT"}).encode()) + b"." + plain(json.dumps(claims).encode())
    command = ["openssl", "dgst", "-sha256", "-sign", key]
    mark = subprocess.run(command, input=signed, capture_output=True, check=True).stdout
    return (signed + b"." + plain(mark)).decode()


def exchange(shown, secret=SECRET):
    client = base64.b64encode(f"{CLIENT}:{secret}".encode()).decode()
    form = {"grant_type": GRANT, "scope": "user_management,hotline", "subject_token": shown, "subject_issuer": ISSUER}
    headers = {"Authorization": f"Basic {client}", "Content-Type": "application/x-www-form-urlencoded"}
    return send("POST", "/oauth/token_exchange", urllib.parse.urlencode(form).encode(), headers)


def coded(text):
    return urllib.parse.quote(text, safe="-_.~")


def form_of(said):
    return "&".join(f"{coded(name)}={coded(str(said[name]))}" for name in sorted(said))


def version_1(action, said, method):
    usual = {
        "Action": action, "Version": "2019-10-15", "Format": "JSON", "AccessKeyId": CLIENT, "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0", "SignatureNonce": str(uuid.uuid4()), "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    whole = usual | said
    text = f"{method}&%2F&{coded(form_of(whole))}"
    whole["Signature"] = base64.b64encode(hmac.new(f"{SECRET}&".encode(), text.encode(), hashlib.sha1).digest()).decode()
    if method == "GET":
        return send(method, "/?" + form_of(whole))
    return send(method, "/", form_of(whole).encode(), {"Content-Type": "application/x-www-form-urlencoded"})


def version_3(action, said, method):
    body = form_of(said).encode()
    mark = hashlib.sha256(body).hexdigest()
    headers = {
        "host": ADDRESS, "x-acs-action": action, "x-acs-content-sha256": mark, "x-acs-version": "2019-10-15",
        "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "x-acs-signature-nonce": str(uuid.uuid4()),
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"{method}\n/\n\n{lines}\n{names}\n{mark}"
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(request.encode()).hexdigest()
    signature = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = f"ACS3-HMAC-SHA256 Credential={CLIENT},SignedHeaders={names},Signature={signature}"
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return send(method, "/", body, headers)


def act(action, way=version_1, method="POST", **said):
    status, _, answer = way(action, {"InstanceId": "ccc-1"} | said, method)
    check(status == 200, f"{action}: {status} {answer}")
    return answer


def refused(action, status, code, **said):
    got, _, answer = version_1(action, {"InstanceId": "ccc-1"} | said, "POST")
    check((got, answer.get("Code")) == (status, code), f"{action}: {got} {answer}")


def tokens():
    shown = token("1001")
    status, headers, answer = exchange(shown)
    check(status == 200 and answer["token_type"] == "bearer", f"the exchange: {status} {answer}")
    check(headers["Set-Cookie"].startswith(f"AC_TOKEN={answer['access_token']};"), "AC_TOKEN")
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    check(send("GET", "/api/v1/agents/1001/desk", headers=bearer)[0] == 200, "his desk")
    check(send("GET", "/api/v1/cdrs", headers=bearer)[0] == 403, "the token opens the records")
    for shown, word in [
        (shown, "invalid_grant"),
        (token("1001", key=OTHER), "invalid_grant"),
        (token("1001", exp=int(time.time()) - 1), "invalid_grant"),
        (token("1001", aud="another"), "invalid_grant"),
        (token("4711"), "invalid_grant"),
    ]:
        status, _, answer = exchange(shown)
        check((status, answer["error"]) == (400, word), f"{status} {answer}")
    status, _, answer = exchange(token("1001"), "another-secret-of-it")
    check((status, answer["error"]) == (401, "invalid_client"), f"{status} {answer}")


def management():
    group = act("CreateSkillGroup", SkillGroupName="客服", ChannelType=1, DisplayName="Service")["Data"]
    chats = act("CreateSkillGroup", version_3, SkillGroupName="chats", ChannelType=2)["Data"]
    refused("CreateSkillGroup", 400, "InvalidParameter", SkillGroupName="tickets", ChannelType=3)
    page = act("QuerySkillGroups", PageNo=1, PageSize=10, ChannelType=2)
    check("Code" not in page and [row["SkillGroupId"] for row in page["Data"]] == [chats], f"{page}")
    agent = act("CreateAgent", AccountName="2001", DisplayName="Wang Fang", **{"SkillGroupId.1": group, "SkillGroupId.2": chats})["Data"]
    check(agent == 2001, f"the agent's number is {agent}")
    refused("CreateAgent", 412, "OperationConflict", AccountName="2001", DisplayName="Wang Fang")
    found = act("GetAgent", version_3, AccountName="2001")["Data"]
    check(found["DisplayName"] == "Wang Fang" and {row["SkillGroupId"] for row in found["GroupList"]} == {group, chats}, f"{found}")
    act("UpdateAgent", method="PUT", AccountName="2001", DisplayName="Fang", SkillGroupIdList=f"[{group}]")
    rows = act("ListAgentBySkillGroupId", method="GET", SkillGroupId=group)["Data"]
    check([row["DisplayName"] for row in rows] == ["Fang"], f"{rows}")
    check(act("RemoveAgentFromSkillGroup", AgentIds="[2001]", SkillGroupId=group)["Data"] == {"SuccessCount": 1}, "he is out")
    check(act("ListAgentBySkillGroupId", SkillGroupId=group)["Data"] == [], "nobody is left")
    refused("UpdateAgent", 409, "OperationConflict", AccountName="1001", DisplayName="the file keeps him")

    north = act("CreateDepartment", DepartmentName="north")["Data"]
    act("CreateSkillGroup", SkillGroupName="n1", ChannelType=1, DepartmentId=north)
    rows = act("QuerySkillGroups", PageNo=1, PageSize=10, DepartmentId=north)["Data"]
    check([row["SkillGroupName"] for row in rows] == ["n1"], f"{rows}")
    check(act("UpdateDepartment", DepartmentId=north, DepartmentName="south")["Data"] is True, "its name")
    rows = act("GetAllDepartment")["Data"]
    check([row["DepartmentName"] for row in rows] == ["south"], f"{rows}")
    act("DeleteDepartment", DepartmentId=rows[0]["DepartmentId"])
    act("RemoveSkillGroup", SkillGroupId=group)

    all_off = {name: "false" for name in ["EnableInboundEvaluation", "EnableOutbound", "EnableOutboundEvaluation", "OutboundAllDepart"]}
    number = {"HotlineNumber": "7700", "Description": "hotline", "EnableInbound": "true"} | all_off
    listed = act("QueryHotlineNumber", CurrentPage=1, PageSize=10)["Data"]["HotlineNumList"]
    flow = next(row for row in listed if row["HotlineNumber"] == "600")["FlowId"]
    act("AddHotlineNumber", InboundFlowId=flow, **number)
    act("ResetHotlineNumber", InboundFlowId=flow, **number)
    listed = act("QueryHotlineNumber", CurrentPage=1, PageSize=10, HotlineNumber="77")["Data"]["HotlineNumList"]
    check([row["FlowId"] for row in listed] == [flow], f"{listed}")
    act("DeleteHotlineNumber", HotlineNumber="7700")
    refused("DeleteHotlineNumber", 412, "OperationConflict", HotlineNumber="7700")


def day():
    his = {"AccountName": "2001"}
    beat = act("StartHotlineService", **his)["Data"]
    act("SendHotlineHeartBeat", Token=beat, **his)
    refused("SendHotlineHeartBeat", 400, "InvalidParameter", Token="another", **his)
    act("SuspendHotlineService", Type=2, **his)
    check(act("GetHotlineAgentDetail", **his)["Data"]["RestType"] == 2, "he is at his meal")
    check(act("GetHotlineAgentStatus", **his)["Data"] == "休息-用餐", "in words, too")
    refused("HoldCall", 409, "OperationConflict", **his)
    act("FinishHotlineService", **his)
    check(act("GetHotlineAgentStatus", **his)["Data"] == "离线", "he has left")
    act("DeleteAgent", method="DELETE", **his)
    refused("GetAgent", 500, "NoAgentFound", **his)
    refused("DeleteSkillGroup", 404, "InvalidAction.NotFound")
    status, _, answer = version_1("GetAllDepartment", {"InstanceId": "another"}, "POST")
    check((status, answer["Code"]) == (500, "NoTenantFound"), f"{status} {answer}")


tokens()
management()
day()
print("done", flush=True)
