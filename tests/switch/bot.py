#!/usr/bin/python3
"""A bot of the media-stream protocol, by the websockets library: says what it hears, and does as keys tell it.

5: throws away what waits, says one second of 880 Hz and a mark.  6: says ten seconds, and a mark, and throws both away.
#: is done.  Prints every message but audio, and the first of audio, one JSON a line; at the end how many pieces it heard and
the strongest tone of the last half second of each track.
"""
import asyncio, base64, cmath, contextlib, json, math, sys
import websockets


def ulaw(sample):
    sign, value = (0x80, -sample) if sample < 0 else (0, sample)
    value = min(value, 32635) + 0x84
    exponent = max(value.bit_length() - 8, 0)
    return ~(sign | exponent << 4 | value >> exponent + 3 & 0xF) & 0xFF


def tone(hertz, seconds):
    return bytes(ulaw(int(8000 * math.sin(2 * math.pi * hertz * n / 8000))) for n in range(int(8000 * seconds)))


def linear(code):
    code = ~code & 0xFF
    magnitude = ((code & 0x0F) << 3 | 0x84) << (code >> 4 & 7)
    return 0x84 - magnitude if code & 0x80 else magnitude - 0x84


def strongest(codes):
    """Of the multiples of 20 Hz in the voice band; nothing in silence."""
    pcm = [linear(code) for code in codes[-4000:]]
    if not pcm or max(map(abs, pcm)) < 100:
        return None

    def power(hertz):
        turns = [cmath.exp(2j * math.pi * hertz * n / 8000) for n in range(400)]
        return abs(sum(sample * turns[n % 400] for n, sample in enumerate(pcm)))

    return max(range(300, 2000, 20), key=power)


def tell(message):
    print(json.dumps(message), flush=True)


async def serve(socket, *_):
    sid, heard, echo, tracks = None, 0, True, {}

    async def send(event, **fields):
        # What came before the end is read to its end: that the switch has closed since is no fault of this side.
        with contextlib.suppress(websockets.ConnectionClosedOK):
            await socket.send(json.dumps({"event": event, "streamSid": sid, **fields}))

    async def say(audio, mark):
        await send("media", media={"payload": base64.b64encode(audio).decode()})
        await send("mark", mark={"name": mark})

    async for text in socket:
        message = json.loads(text)
        event = message["event"]
        if event != "media" or heard == 0:
            tell(message)
        if event == "start":
            sid = message["streamSid"]
        elif event == "media":
            heard += 1
            codes = tracks.setdefault(message["media"]["track"], bytearray())
            codes += base64.b64decode(message["media"]["payload"])
            del codes[:-8000]
            if echo:
                await send("media", media={"payload": message["media"]["payload"]})
        elif event == "dtmf":
            digit, echo = message["dtmf"]["digit"], False
            if digit == "5":
                await send("clear")
                await say(tone(880, 1), "said")
            elif digit == "6":
                await say(tone(990, 10), "cut")
                await asyncio.sleep(1)
                await send("clear")
            elif digit == "#":
                await socket.close()
    tell({"event": "gone", "heard": heard, "tones": {track: strongest(codes) for track, codes in tracks.items()}})


async def main():
    async with websockets.serve(serve, "127.0.0.1", int(sys.argv[1])):
        tell({"event": "listening"})
        await asyncio.Future()


asyncio.run(main())
