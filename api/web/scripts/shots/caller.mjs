/** A carrier at an address of its own: somebody calls by it, and who is called there answers. Plain SIP over UDP (RFC 3261), and silence. */

import { createSocket } from "node:dgram";
import { randomUUID } from "node:crypto";

const HERE = "127.0.0.1";
/** One packet of G.711, and how often it is sent (RFC 3551). */
const PACKET = 160;
const PACKET_MS = 20;
/** mu-law for silence. */
const SILENCE = 0xff;

const bound = (port) =>
  new Promise((done, failed) => {
    const socket = createSocket("udp4");
    socket.on("error", failed);
    socket.bind(port, HERE, () => done(socket));
  });

const header = (text, name) => text.split("\r\n").find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))?.slice(name.length + 1).trim() ?? "";

/** Where the other side wants its sound, by its description (RFC 8866). */
function soundOf(text) {
  const host = /^c=IN IP4 (\S+)/m.exec(text)?.[1];
  const port = /^m=audio (\d+)/m.exec(text)?.[1];
  return host && port && port !== "0" ? { host, port: Number(port) } : null;
}

/** Calls `to` at a switch, from `port`, where everybody who is called answers; hangs up with the function that is given back. */
export async function calls({ to, from, display, port, sip = 5060 }) {
  const [signals, sound] = [await bound(port), await bound(0)];
  const id = randomUUID();
  const description = ["v=0", `o=- 1 1 IN IP4 ${HERE}`, "s=-", `c=IN IP4 ${HERE}`, "t=0 0", `m=audio ${sound.address().port} RTP/AVP 0`, "a=sendrecv", ""].join("\r\n");
  const own = `"${display}" <sip:${from}@${HERE}:${port}>;tag=${id.slice(0, 8)}`;
  let [other, target, cseq, sequence, over] = [`<sip:${to}@${HERE}>`, `sip:${to}@${HERE}:${sip}`, 1, 0, false];
  /** Where the sound of each call goes, by its Call-ID. */
  const heard = new Map();
  const send = (lines, body = "") => {
    const type = body ? ["Content-Type: application/sdp"] : [];
    signals.send([...lines, ...type, `Content-Length: ${body.length}`, "", body].join("\r\n"), sip, HERE);
  };
  const request = (method, number, body) =>
    send([`${method} ${target} SIP/2.0`, `Via: SIP/2.0/UDP ${HERE}:${port};branch=z9hG4bK${randomUUID()}`, "Max-Forwards: 70", `From: ${own}`, `To: ${other}`, `Call-ID: ${id}`, `CSeq: ${number} ${method}`, `Contact: <sip:${from}@${HERE}:${port}>`], body);
  signals.on("message", (data) => {
    const text = data.toString();
    const [what] = text.split("\r\n");
    if (what.startsWith("SIP/2.0 2") && header(text, "CSeq").endsWith("INVITE")) {
      other = header(text, "To");
      target = /<([^>]+)>/.exec(header(text, "Contact"))?.[1] ?? target;
      heard.set(id, soundOf(text));
      request("ACK", parseInt(header(text, "CSeq"), 10));
    } else if (!what.startsWith("SIP/2.0")) {
      const [method] = what.split(" ");
      const call = header(text, "Call-ID");
      const there = soundOf(text);
      if (there) {
        heard.set(call, there);
      }
      if (method === "BYE") {
        heard.delete(call);
        over ||= call === id;
      }
      if (method !== "ACK") {
        const same = text.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|CSeq|Record-Route):/i.test(line));
        const tagged = same.map((line) => (/^To:/i.test(line) && !line.includes(";tag=") ? `${line};tag=${id.slice(-8)}` : line));
        // held or not, it sends on: what is to be heard is the switch's to say
        send(["SIP/2.0 200 OK", ...tagged, `Contact: <sip:${from}@${HERE}:${port}>`], there ? description : "");
      }
    }
  });
  const packet = Buffer.alloc(12 + PACKET, SILENCE);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt32BE(1, 8);
  const talk = setInterval(() => {
    packet.writeUInt16BE(sequence & 0xffff, 2);
    packet.writeUInt32BE((sequence * PACKET) >>> 0, 4);
    sequence += 1;
    for (const there of heard.values()) {
      sound.send(packet, there.port, there.host);
    }
  }, PACKET_MS);
  request("INVITE", cseq, description);
  return async () => {
    if (!over && heard.has(id)) {
      cseq += 1;
      await new Promise((answered) => {
        signals.on("message", (data) => data.toString().includes(`CSeq: ${cseq} BYE`) && answered());
        request("BYE", cseq);
      });
    }
    clearInterval(talk);
    signals.close();
    sound.close();
  };
}
