/** Somebody who calls by a carrier's trunk, from an address of his own: a telephone in plain SIP over UDP (RFC 3261) that sends silence. */

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

/** Calls `to` at a switch, from `port`; hangs up with the function that is given back. */
export async function calls({ to, from, display, port, sip = 5060 }) {
  const [signals, sound] = [await bound(port), await bound(0)];
  const id = randomUUID();
  const description = ["v=0", `o=- 1 1 IN IP4 ${HERE}`, "s=-", `c=IN IP4 ${HERE}`, "t=0 0", `m=audio ${sound.address().port} RTP/AVP 0`, "a=sendrecv", ""].join("\r\n");
  const own = `"${display}" <sip:${from}@${HERE}:${port}>;tag=${id.slice(0, 8)}`;
  let [other, target, cseq, heard, sequence, over] = [`<sip:${to}@${HERE}>`, `sip:${to}@${HERE}:${sip}`, 1, null, 0, false];
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
      heard = soundOf(text);
      request("ACK", parseInt(header(text, "CSeq"), 10));
    } else if (!what.startsWith("SIP/2.0")) {
      const [method] = what.split(" ");
      heard = soundOf(text) ?? heard;
      // held or not, it sends on: what is to be heard is the switch's to say
      const answer = text.includes("m=audio") ? description : "";
      if (method !== "ACK") {
        send(["SIP/2.0 200 OK", ...text.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|CSeq|Record-Route):/i.test(line)), `Contact: <sip:${from}@${HERE}:${port}>`], answer);
      }
      over ||= method === "BYE";
    }
  });
  const packet = Buffer.alloc(12 + PACKET, SILENCE);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt32BE(1, 8);
  const talk = setInterval(() => {
    if (heard) {
      packet.writeUInt16BE(sequence & 0xffff, 2);
      packet.writeUInt32BE((sequence * PACKET) >>> 0, 4);
      sequence += 1;
      sound.send(packet, heard.port, heard.host);
    }
  }, PACKET_MS);
  request("INVITE", cseq, description);
  return async () => {
    if (!over && heard) {
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
