/**
 * How the phone proves itself: SIP's digest by SHA-256 beside MD5 (RFC 8760).
 *
 * JsSIP knows MD5 alone and answers one challenge. Of the switch's it is given the first that can be answered, for they come in the
 * order of preference (RFC 8760 2.4); and what it computes is computed again where SHA-256 is asked for. After the first answer it
 * forgets the password and keeps HA1: whose algorithm that is, its length says.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import DigestAuthentication, { type Challenge, type Challenged } from "jssip/lib/DigestAuthentication";

const KNOWN: readonly string[] = ["MD5", "SHA-256"];

/** A message of the switch with the one challenge that is to be answered. */
export function withWhatIsKnown(message: string): string {
  const end = message.indexOf("\r\n\r\n");
  if (end < 0 || !/^SIP\/2\.0 40[17] /.test(message)) {
    return message;
  }
  const lines = message.slice(0, end).split("\r\n");
  const challenge = /^(www|proxy)-authenticate\s*:/i;
  const known = (text: string): boolean => {
    const algorithm = /algorithm\s*=\s*"?([A-Za-z0-9-]+)/i.exec(text)?.[1];
    return algorithm === undefined || KNOWN.includes(algorithm.toUpperCase());
  };
  const first = lines.findIndex((text) => challenge.test(text) && known(text));
  // where nobody can answer, they stay and say why
  const left = first < 0 ? lines : lines.filter((text, at) => at === first || !challenge.test(text));
  return left.join("\r\n") + message.slice(end);
}

const hash = (...parts: readonly string[]): string => bytesToHex(sha256(utf8ToBytes(parts.join(":"))));

/** The same digest as JsSIP has made by MD5, by SHA-256 (RFC 7616 3.4). */
function again(made: DigestAuthentication, request: Challenged): void {
  const { username, password, ha1 } = made._credentials;
  made._algorithm = "SHA-256";
  made._ha1 = password ? hash(username, made._realm, password) : (ha1 ?? "");
  const body = made._qop === "auth-int" ? [hash(request.body ?? "")] : [];
  const ha2 = hash(request.method, made._uri, ...body);
  const once = made._qop ? [made._ncHex, made._cnonce, made._qop] : [];
  made._response = hash(made._ha1, made._nonce, ...once, ha2);
}

/** Has JsSIP answer SHA-256 from now on. Done twice it is done once. */
export function teachSha256(): void {
  const { prototype } = DigestAuthentication;
  if (prototype.knowsSha256) {
    return;
  }
  const byMd5 = prototype.authenticate;
  prototype.knowsSha256 = true;
  prototype.authenticate = function authenticate(request: Challenged, challenge: Challenge, cnonce?: string | null): boolean {
    const better = challenge.algorithm === "SHA-256";
    const { password, ha1 } = this._credentials;
    // an HA1 of the other algorithm opens nothing: a password is asked for anew
    if (!password && ha1?.length !== (better ? 64 : 32)) {
      return false;
    }
    if (!better) {
      return byMd5.call(this, request, challenge, cnonce);
    }
    if (!byMd5.call(this, request, { ...challenge, algorithm: "MD5" }, cnonce)) {
      return false;
    }
    again(this, request);
    return true;
  };
}

type Hears = { ondata?: (data: string) => void };

/** Has what comes by a connection of JsSIP pass by {@link withWhatIsKnown}. */
export function hearWhatIsKnown(socket: object): void {
  const hears = socket as Hears;
  let inner: ((data: string) => void) | undefined;
  Object.defineProperty(hears, "ondata", {
    get: () => inner && ((data: string) => inner?.(typeof data === "string" ? withWhatIsKnown(data) : data)),
    set: (to) => {
      inner = to;
    },
  });
}
