/** What JsSIP has and describes nowhere: how it answers a challenge. */
declare module "jssip/lib/DigestAuthentication" {
  export interface Challenge {
    algorithm?: string;
    realm: string;
    nonce: string;
    opaque?: string;
    stale?: boolean;
    qop?: readonly string[];
  }
  export interface Challenged {
    method: string;
    ruri: { toString(): string } | string;
    body?: string | null;
  }
  export default class DigestAuthentication {
    constructor(credentials: { username: string; password: string | null; realm: string | null; ha1: string | null });
    authenticate(request: Challenged, challenge: Challenge, cnonce?: string | null): boolean;
    get(what: "realm" | "ha1"): string;
    toString(): string;
    knowsSha256?: boolean;
    _credentials: { username: string; password: string | null; ha1: string | null };
    _algorithm: string;
    _realm: string;
    _nonce: string;
    _ncHex: string;
    _cnonce: string;
    _qop: string | null;
    _uri: string;
    _ha1: string;
    _response: string;
  }
}
