"""An agent bar as an integrator of the reference contact centre writes it: over /agentgateway/resource, by polling or by push.

It knows what the reference's public documents say, and nothing of this switch. Usage: bar.py HOST:PORT AGENT [push PORT].
Orders come by lines of the standard input, `NAME [JSON]`; each is answered by a line `reply N RETCODE RESULT`. Events are lines
`event N TYPE CONTENT`. What is not as the reference says is a line that begins with `wrong`.
"""

import http.client
import http.server
import json
import sys
import threading
import time
from urllib.parse import quote, urlencode

BASE = "/agentgateway/resource"
TEXT = str
NUMBER = (int, str)

# Content of the events whose fields the reference has; None is null, TEXT the number of a call itself.
CONTENT = {
    "AgentOther_InService": None,
    "AgentState_Ready": None,
    "AgentState_Busy": None,
    "AgentState_Work": None,
    "AgentState_SetNotReady_Success": {"reason": NUMBER},
    "AgentState_CancelNotReady_Success": None,
    "AgentState_SetRest_Success": {"reason": NUMBER},
    "AgentState_CancelRest_Success": None,
    "AgentState_Rest_Timeout": None,
    "AgentState_SetWork_Success": None,
    "AgentState_CancelWork_Success": None,
    "AgentEvent_Ringing": {
        "caller": TEXT, "called": TEXT, "callid": TEXT, "type": TEXT, "feature": NUMBER,
        "mediaAbility": NUMBER, "transfer": TEXT, "transfrom": TEXT,
    },
    "AgentEvent_Auto_Answer": {
        "caller": TEXT, "called": TEXT, "callid": TEXT, "type": TEXT, "feature": NUMBER,
        "mediaAbility": NUMBER, "transfer": TEXT, "transfrom": TEXT, "mediaType": int,
    },
    "AgentEvent_Incoming_CallInfo": {
        "callId": TEXT, "skillName": TEXT, "skillId": NUMBER, "caller": TEXT, "called": TEXT,
        "lastReleaseAgentId": TEXT, "mediaType": NUMBER, "releaseAndReQueueCount": NUMBER,
        "releaseAndReQueueCallFlag": NUMBER,
    },
    "AgentEvent_Customer_Alerting": {"callid": TEXT, "otherPhone": TEXT, "otherPhoneWorkno": TEXT, "type": TEXT},
    "AgentEvent_Talking": {
        "caller": TEXT, "called": TEXT, "callid": TEXT, "feature": NUMBER, "type": TEXT, "mediaAbility": NUMBER,
    },
    "AgentEvent_MessageData": {
        "callid": TEXT, "caller": TEXT, "called": TEXT, "feature": NUMBER, "type": TEXT, "message": TEXT,
        "mediaAbility": NUMBER,
    },
    "AgentEvent_Hold": TEXT,
    "AgentEvent_Conference": {"callid": TEXT, "partner": TEXT},
    "AgentEvent_Call_Out_Fail": TEXT,
    "AgentEvent_Inside_Call_Fail": TEXT,
    "AgentEvent_No_Answer": TEXT,
    "AgentEvent_Call_Release": TEXT,
    "AgentEvent_Customer_Release": {"callid": TEXT, "number": TEXT},
    "AgentEvent_Connect_Fail": TEXT,
    "AgentEvent_Consult_Fail": TEXT,
    "AgentEvent_SuccTransResult": {"callId": TEXT, "result": NUMBER},
    "AgentEvent_ReturnFromIvr": TEXT,
    "AgentMediaEvent_Record": {
        "taskId": int, "caller": TEXT, "called": TEXT, "locationId": NUMBER, "recordID": TEXT, "fileName": TEXT,
        "callId": TEXT, "fileMediaType": NUMBER,
    },
    "AgentMediaEvent_StopRecordDone": {"beginTime": NUMBER, "endTime": NUMBER, "taskId": int, "fileMediaType": NUMBER},
    "AgentOther_PhoneAlerting": None,
    "AgentOther_PhoneOffhook": {"type": TEXT},
    "AgentOther_PhoneRelease": {"phoneState": NUMBER},
    "AgentOther_BeQcStart": {"qcType": NUMBER, "qcAgentId": TEXT},
    "AgentOther_BeQcStop": {"qcType": NUMBER, "qcAgentId": TEXT},
}

# Orders: face, method and path; what stands in braces is taken out of the order's entries. What is left goes into the query
# where the row has parameters there, into the body otherwise.
ORDERS = {
    "logout": ("onlineagent", "DELETE", "/logout", "query"),
    "handshake": ("onlineagent", "POST", "/handshake", "query"),
    "heartbeat": ("onlineagent", "PUT", "/heartbeat", "query"),
    "saybusy": ("onlineagent", "POST", "/saybusy", "query"),
    "sayfree": ("onlineagent", "POST", "/sayfree", "query"),
    "rest": ("onlineagent", "POST", "/rest/{time}/{restcause}", "query"),
    "cancelrest": ("onlineagent", "POST", "/cancelrest", "query"),
    "cancelwork": ("onlineagent", "POST", "/cancelwork", "query"),
    "syncagentinfo": ("onlineagent", "POST", "/syncagentinfo", "query"),
    "agentskills": ("onlineagent", "GET", "/agentskills", "query"),
    "callout": ("voicecall", "PUT", "/callout", "body"),
    "callinner": ("voicecall", "PUT", "/callinner", "body"),
    "answer": ("voicecall", "PUT", "/answer", "query"),
    "release": ("voicecall", "DELETE", "/release", "query"),
    "dropcall": ("voicecall", "POST", "/dropcall/{callid}", "query"),
    "hold": ("voicecall", "POST", "/hold", "query"),
    "gethold": ("voicecall", "POST", "/gethold", "query"),
    "beginmute": ("voicecall", "POST", "/beginmute", "query"),
    "endmute": ("voicecall", "POST", "/endmute", "query"),
    "seconddialex": ("voicecall", "POST", "/seconddialex", "query"),
    "innerhelp": ("voicecall", "POST", "/innerhelp", "body"),
    "confjoin": ("voicecall", "POST", "/confjoin", "body"),
    "connecthold": ("voicecall", "POST", "/connecthold/{callid}", "query"),
    "transfer": ("voicecall", "POST", "/transfer", "body"),
    "snatchpickup": ("voicecall", "PUT", "/snatchpickup", "query"),
    "sendmessage": ("mediacall", "POST", "/sendmessage", "body"),
    "mediatransfer": ("mediacall", "POST", "/transfer", "body"),
    "setcallnums": ("mediacall", "POST", "/setcallnums", "body"),
    "callinfobycallid": ("calldata", "GET", "/callinfobycallid/{callid}", "query"),
    "callinfo": ("calldata", "GET", "/callinfo", "query"),
    "holdlist": ("calldata", "GET", "/holdlist", "query"),
    "waitcallinfo": ("calldata", "GET", "/waitcallinfo/{skillid}", "query"),
    "agentvdnskill": ("queuedevice", "GET", "/agentvdnskill", "query"),
    "agentbyworkno": ("agentgroup", "GET", "/agentbyworkno/{workno}", "query"),
    "addsupervise": ("qualitycontrol", "PUT", "/addsupervise/{workno}", "query"),
    "switch": ("qualitycontrol", "POST", "/switch/{workno}", "query"),
    "stopsupervise": ("qualitycontrol", "DELETE", "/{workno}", "query"),
    "requestswitchinsertwhisperagent": ("qualitycontrol", "POST", "/requestswitchinsertwhisperagent", "query"),
}

out = threading.Lock()


def say(*words):
    with out:
        print(*words, flush=True)


def check(event):
    """Says what of an event is not as the reference has it."""
    kind, content = event.get("eventType"), event.get("content")
    if kind not in CONTENT:
        return say("wrong", "an event that is not in the catalogue:", json.dumps(event))
    wanted = CONTENT[kind]
    if wanted is None:
        good = content is None
    elif isinstance(wanted, dict):
        good = isinstance(content, dict) and set(content) == set(wanted)
        good = good and all(isinstance(content[field], types) for field, types in wanted.items())
    else:
        good = isinstance(content, wanted)
    if not good:
        say("wrong", "content of", kind, json.dumps(content))


class Bar:
    def __init__(self, at, agent):
        self.at, self.agent, self.guid, self.here, self.events = at, agent, "", True, 0

    def ask(self, method, path, body=None, guid=True, more=None):
        """One request; the envelope. Takes the next guid, where one comes."""
        connection = http.client.HTTPConnection(self.at, timeout=30)
        headers = {"Content-Type": "application/json; charset=UTF-8", **(more or {})}
        if guid:
            headers["Guid"] = self.guid
        connection.request(method, BASE + path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8")
        if answer.status != 200:
            say("wrong", method, path, "is answered", answer.status, text)
        said = json.loads(text)
        if not isinstance(said.get("retcode"), str) or not isinstance(said.get("message"), str):
            say("wrong", "an answer without the envelope:", text)
        cookie = answer.getheader("Set-GUID")
        if cookie:
            name, _, value = cookie.partition("=")
            if name != "JSESSIONID" or not value:
                say("wrong", "Set-GUID is", cookie)
            if self.guid and value != self.guid:
                say("guid is another one")
            self.guid = value
        connection.close()
        return said

    def take(self, event):
        check(event)
        if str(event.get("workNo")) != self.agent:
            say("wrong", "somebody else's event", json.dumps(event))
        self.events += 1
        say("event", self.events, event["eventType"], json.dumps(event["content"]))

    def poll(self):
        while self.here:
            said = self.ask("GET", f"/agentevent/{self.agent}?calldata=")
            if said["retcode"] != "0":
                return say("out", said["retcode"])
            if "event" not in said:
                say("wrong", "a poll without event:", json.dumps(said))
            if said.get("event"):
                self.take(said["event"])

    def beat(self):
        while self.here:
            time.sleep(0.5)
            said = self.ask("POST", f"/onlineagent/{self.agent}/handshake")
            if said["retcode"] != "0":
                return say("out", said["retcode"])

    def order(self, name, entries):
        if name in ("signin", "forcelogin"):
            path = f"/onlineagent/{self.agent}" + ("/forcelogin" if name == "forcelogin" else "")
            said = self.ask("PUT", path, entries, guid=False)
            if said["retcode"] == "0":
                threading.Thread(target=self.beat if "callBackUri" in entries else self.poll, daemon=True).start()
            return said
        face, method, path, place = ORDERS[name]
        for entry in list(entries):
            if "{" + entry + "}" in path:
                path = path.replace("{" + entry + "}", quote(str(entries.pop(entry)), safe=""))
        path = f"/{face}/{self.agent}{path}"
        if name == "logout":
            self.here = False
        if place == "query":
            query = "?" + urlencode(entries) if entries else ""
            return self.ask(method, path + query)
        return self.ask(method, path, entries)


def receiver(bar, port):
    """Takes pushed events."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.headers["service_token"] != "token-of-the-page" or not self.headers["Guid"]:
                say("wrong", "a push without guid or service_token")
            if str(said["workNo"]) != bar.agent:
                say("wrong", "a push for", said["workNo"])
            for event in said["eventList"]:
                bar.take(event)
            answer = json.dumps({"message": "", "retcode": "0"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    bar = Bar(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 4 and sys.argv[3] == "push":
        receiver(bar, int(sys.argv[4]))
    say("bar")
    count = 0
    for line in sys.stdin:
        name, _, rest = line.strip().partition(" ")
        count += 1
        said = bar.order(name, json.loads(rest) if rest else {})
        say("reply", count, said["retcode"], json.dumps(said.get("result")))


main()
