#!/usr/bin/python3
"""A WebRTC peer that is not a browser: SIP over WebSocket by hand, ICE, DTLS-SRTP and audio by aiortc.

webrtc_peer.py URL ORIGIN PASSWORD HERTZ [NUMBER]: registers as 1001, calls NUMBER or waits for a call, says HERTZ, and ends
with the call. Prints what happens, one JSON a line; `hears` is the strongest tone of half a second whenever that changes.
"""
import asyncio, cmath, fractions, hashlib, json, math, re, secrets, sys
import av, websockets
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

URL, ORIGIN, PASSWORD, HERTZ = sys.argv[1:5]
HOST = "peer.invalid"


def tell(**what):
    print(json.dumps(what), flush=True)


class Tone(AudioStreamTrack):
    n = 0

    async def recv(self):
        await asyncio.sleep(0 if self.n == 0 else 0.02)
        frame = av.AudioFrame(format="s16", layout="mono", samples=160)
        turn = 2 * math.pi * float(HERTZ) / 8000
        pcm = (int(8000 * math.sin(turn * (self.n + i))) for i in range(160))
        frame.planes[0].update(b"".join(sample.to_bytes(2, "little", signed=True) for sample in pcm))
        frame.pts, frame.sample_rate, frame.time_base = self.n, 8000, fractions.Fraction(1, 8000)
        self.n += 160
        return frame


def strongest(pcm, rate):
    if max(map(abs, pcm), default=0) < 100:
        return None

    def power(hertz):
        return abs(sum(sample * cmath.exp(2j * math.pi * hertz * n / rate) for n, sample in enumerate(pcm[:800])))

    return max(range(300, 1000, 20), key=power)


async def listen(track):
    pcm, last = [], None
    while True:
        frame = await track.recv()
        data = bytes(frame.planes[0])
        channels = len(frame.layout.channels)
        pcm += [int.from_bytes(data[i : i + 2], "little", signed=True) for i in range(0, frame.samples * 2 * channels, 2 * channels)]
        if len(pcm) >= frame.sample_rate // 2:
            now = strongest(pcm, frame.sample_rate)
            if now != last:
                tell(hears=now)
            pcm, last = [], now


class Message:
    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        self.start, *lines = head.split("\r\n")
        self.fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        self.status = int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else None

    def get(self, name):
        return next((value for known, value in self.fields if known == name), "")

    def all(self, name):
        return [value for known, value in self.fields if known == name]


class Phone:
    def __init__(self, socket):
        self.socket, self.answers, self.asked = socket, {}, asyncio.Queue()
        self.seq, self.tag = 0, secrets.token_hex(4)

    async def run(self):
        async for text in self.socket:
            message = Message(text if isinstance(text, str) else text.decode())
            if message.status is None:
                await self.asked.put(message)
            elif message.status >= 200 and message.get("cseq") in self.answers:
                self.answers.pop(message.get("cseq")).set_result(message)

    async def send(self, start, fields, body=""):
        lines = [start] + [f"{name}: {value}" for name, value in fields]
        await self.socket.send("\r\n".join(lines + [f"Content-Length: {len(body)}", "", body]))

    async def ask(self, method, uri, to, call, body="", proof=None):
        self.seq += 1
        seq, branch = f"{self.seq} {method}", "z9hG4bK" + secrets.token_hex(6)
        fields = [("Via", f"SIP/2.0/WS {HOST};branch={branch}"), ("Max-Forwards", 70), ("To", to)]
        fields += [("From", f"<sip:1001@localhost>;tag={self.tag}"), ("Call-ID", call), ("CSeq", seq)]
        contact = [("Contact", f"<sip:1001@{HOST};transport=ws>")]
        content = [("Content-Type", "application/sdp")] if body else []
        answer = self.answers[seq] = asyncio.get_running_loop().create_future()
        await self.send(f"{method} {uri} SIP/2.0", fields + contact + (proof or []) + content, body)
        answer = await answer
        if method == "INVITE":
            good = answer.status < 300
            target = re.search("<(.*?)>", answer.get("contact")).group(1) if good else uri
            via = ("Via", f"SIP/2.0/WS {HOST};branch={branch + good * 'a'}")
            rest = [("To", answer.get("to"))] + fields[3:5] + [("CSeq", f"{self.seq} ACK")]
            await self.send(f"ACK {target} SIP/2.0", [via, fields[1]] + rest)
        if answer.status in (401, 407) and proof is None:
            return await self.ask(method, uri, to, call, body, [self.prove(method, uri, answer)])
        return answer

    def prove(self, method, uri, answer):
        name = "authorization" if answer.status == 401 else "proxy-authorization"
        challenge = answer.get("www-authenticate" if answer.status == 401 else "proxy-authenticate")
        value = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
        md5 = lambda *words: hashlib.md5(":".join(words).encode()).hexdigest()
        nonce, once = value["nonce"], secrets.token_hex(4)
        secret, what = md5("1001", value["realm"], PASSWORD), md5(method, uri)
        response = md5(secret, nonce, "00000001", once, "auth", what)
        words = f'username="1001", realm="{value["realm"]}", nonce="{nonce}", uri="{uri}", response="{response}"'
        return name, f'Digest {words}, algorithm=MD5, qop=auth, nc=00000001, cnonce="{once}"' + (
            f', opaque="{value["opaque"]}"' if "opaque" in value else "")

    async def answer(self, request, status, body=""):
        fields = [(name, value) for name in ("via", "from", "call-id", "cseq") for value in request.all(name)]
        to = request.get("to")
        fields.append(("To", to if "tag=" in to else f"{to};tag={self.tag}"))
        if body:
            fields += [("Contact", f"<sip:1001@{HOST};transport=ws>"), ("Content-Type", "application/sdp")]
        await self.send(f"SIP/2.0 {status}", fields, body)


async def main():
    async with websockets.connect(URL, subprotocols=["sip"], origin=ORIGIN) as socket:
        phone = Phone(socket)
        running = asyncio.create_task(phone.run())
        registered = await phone.ask("REGISTER", "sip:localhost", "<sip:1001@localhost>", secrets.token_hex(8))
        tell(registered=registered.status)
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peer.on("track", lambda track: asyncio.create_task(listen(track)))
        peer.on("connectionstatechange", lambda: tell(path=peer.connectionState))
        peer.addTrack(Tone())
        if len(sys.argv) > 5:
            await peer.setLocalDescription(await peer.createOffer())
            uri = f"sip:{sys.argv[5]}@localhost"
            answer = await phone.ask("INVITE", uri, f"<{uri}>", secrets.token_hex(8), peer.localDescription.sdp)
            tell(answered=answer.status)
            await peer.setRemoteDescription(RTCSessionDescription(answer.body, "answer"))
        while True:
            request = await phone.asked.get()
            method = request.start.split()[0]
            if method == "INVITE":
                await phone.answer(request, "180 Ringing")
                await peer.setRemoteDescription(RTCSessionDescription(request.body, "offer"))
                await peer.setLocalDescription(await peer.createAnswer())
                await phone.answer(request, "200 OK", peer.localDescription.sdp)
            elif method != "ACK":
                await phone.answer(request, "200 OK")
            if method == "BYE":
                break
        tell(ended=True)
        await peer.close()
        running.cancel()


asyncio.run(main())
