#!/usr/bin/python3
"""Recognises words of a grammar in a call's audio, with pocketsphinx: a program for call:stream (docs/media-stream.md).

The flow gives the grammar as the parameter "grammar", in JSGF; without one it is yes or no. What was recognised first is
sent back as the result, and the stream is closed. Words must be English and in the dictionary.

Debian: apt-get install pocketsphinx pocketsphinx-en-us python3-websockets
"""
import argparse
import array
import asyncio
import base64
import json
import os
import tempfile

import websockets

MODEL = "/usr/share/pocketsphinx/model/en-us"
YES_OR_NO = "#JSGF V1.0; grammar answer; public <answer> = yes | no;"


def from_ulaw(code):
    code = ~code & 0xFF
    magnitude = ((code & 0x0F) << 3 | 0x84) << (code >> 4 & 7)
    return 0x84 - magnitude if code & 0x80 else magnitude - 0x84


LINEAR = [from_ulaw(code) for code in range(256)]


def to_16khz(codes, last):
    """Mu-law at 8 kHz as PCM at 16 kHz, each second sample between its neighbours; and the last sample."""
    pcm = array.array("h")
    for code in codes:
        sample = LINEAR[code]
        pcm.append((last + sample) // 2)
        pcm.append(sample)
        last = sample
    return pcm.tobytes(), last


class Recogniser:
    """One process of pocketsphinx."""

    def __init__(self, grammar):
        handle, self.path = tempfile.mkstemp(suffix=".jsgf")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(grammar)
        self.process = None
        self.last = 0

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            "pocketsphinx_continuous", "-hmm", MODEL + "/en-us", "-dict", MODEL + "/cmudict-en-us.dict",
            "-jsgf", self.path, "-infile", "/dev/stdin", "-logfn", "/dev/null",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)

    async def hear(self, codes):
        pcm, self.last = to_16khz(codes, self.last)
        self.process.stdin.write(pcm)
        await self.process.stdin.drain()

    async def word(self):
        """What was recognised first; nothing if the process ends."""
        async for line in self.process.stdout:
            word = line.decode("utf-8", "replace").strip()
            if word:
                return word
        return None

    def stop(self):
        if self.process and self.process.returncode is None:
            self.process.kill()
        os.unlink(self.path)


async def listen(socket, recogniser):
    async for text in socket:
        message = json.loads(text)
        if message["event"] == "media":
            await recogniser.hear(base64.b64decode(message["media"]["payload"]))
        elif message["event"] == "stop":
            return


async def serve(socket, turns):
    if turns.locked():
        return await socket.close(1013, "too many at a time")
    async with turns:
        grammar = YES_OR_NO
        async for text in socket:
            message = json.loads(text)
            if message["event"] == "start":
                grammar = message["start"]["customParameters"].get("grammar", grammar)
                break
        recogniser = Recogniser(grammar)
        try:
            await recogniser.start()
            tasks = [asyncio.ensure_future(listen(socket, recogniser)), asyncio.ensure_future(recogniser.word())]
            done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            word = tasks[1].result() if tasks[1] in done else None
            if word:
                await socket.send(json.dumps({"event": "result", "result": {"value": word}}))
        except (websockets.ConnectionClosed, ConnectionError, KeyError, ValueError) as why:
            print("a stream ended:", why, flush=True)
        finally:
            recogniser.stop()


async def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--listen", default="127.0.0.1:7070", help="address and port")
    options.add_argument("--at-once", type=int, default=8, help="most calls at a time; each takes a process")
    options = options.parse_args()
    host, port = options.listen.rsplit(":", 1)
    turns = asyncio.Semaphore(options.at_once)
    async with websockets.serve(lambda socket, *_: serve(socket, turns), host, int(port)):
        print("listening on", options.listen, flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main())
