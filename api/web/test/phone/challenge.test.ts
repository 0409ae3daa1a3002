import DigestAuthentication from "jssip/lib/DigestAuthentication";
import { describe, expect, it } from "vitest";
import { teachSha256, withWhatIsKnown } from "../../src/phone/challenge";

teachSha256();
teachSha256();

// RFC 7616 3.9.1, with the same request by both algorithms
const NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
const CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
const challenge = { realm: "http-auth@example.org", nonce: NONCE, qop: ["auth"], opaque: "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS" };
const request = { method: "GET", ruri: "/dir/index.html", body: null };
const answered = (algorithm: string, password = "Circle of Life"): string | null => {
  const made = new DigestAuthentication({ username: "Mufasa", password, realm: null, ha1: null });
  return made.authenticate(request, { ...challenge, algorithm }, CNONCE) ? made.toString() : null;
};

describe("the phone's digest", () => {
  it("is the known one by SHA-256, and by MD5 as before", () => {
    expect(answered("SHA-256")).toContain('algorithm=SHA-256, username="Mufasa"');
    expect(answered("SHA-256")).toContain('response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"');
    expect(answered("MD5")).toContain('algorithm=MD5, username="Mufasa"');
    expect(answered("MD5")).toContain('response="8ca523f5e9506fed4657c9700eebdbec"');
  });

  it("goes on without the password by what was kept of it, and by the same algorithm alone", () => {
    const kept = (algorithm: string): string => {
      const made = new DigestAuthentication({ username: "Mufasa", password: "Circle of Life", realm: null, ha1: null });
      made.authenticate(request, { ...challenge, algorithm }, CNONCE);
      return made.get("ha1");
    };
    const later = (by: string, algorithm: string): string | null => {
      const made = new DigestAuthentication({ username: "Mufasa", password: null, realm: challenge.realm, ha1: kept(by) });
      return made.authenticate(request, { ...challenge, algorithm }, CNONCE) ? made.toString() : null;
    };
    for (const algorithm of ["SHA-256", "MD5"]) {
      expect(later(algorithm, algorithm)).toBe(answered(algorithm));
    }
    expect(later("SHA-256", "MD5")).toBeNull();
    expect(later("MD5", "SHA-256")).toBeNull();
  });

  it("is not made by what nobody knows, nor without a password", () => {
    expect(answered("SHA-512-256")).toBeNull();
    expect(answered("SHA-256", "")).toBeNull();
  });
});

describe("a challenge", () => {
  const message = (...algorithms: string[]): string =>
    ["SIP/2.0 401 Unauthorized", ...algorithms.map((one) => `WWW-Authenticate: Digest realm="a", nonce="n", algorithm=${one}, qop="auth"`), "CSeq: 1 REGISTER", "", ""].join("\r\n");
  const left = (...algorithms: string[]): string[] =>
    [...withWhatIsKnown(message(...algorithms)).matchAll(/algorithm=([\w-]+)/g)].map(([, one]) => one ?? "");

  it("is the best that can be answered", () => {
    expect(left("SHA-512-256", "SHA-256", "MD5")).toEqual(["SHA-256"]);
    expect(left("MD5", "SHA-256")).toEqual(["MD5"]);
    expect(left("MD5")).toEqual(["MD5"]);
    expect(left("SHA-256")).toEqual(["SHA-256"]);
    // one that names none means MD5
    const plain = message("SHA-512-256").replace("\r\nCSeq", '\r\nWWW-Authenticate: Digest realm="a", nonce="n"\r\nCSeq');
    expect(withWhatIsKnown(plain)).not.toContain("SHA-512-256");
    expect(withWhatIsKnown(plain)).toContain('nonce="n"\r\nCSeq');
  });

  it("that nobody can answer stays, for it says why", () => {
    expect(left("SHA-512-256")).toEqual(["SHA-512-256"]);
  });

  it("is looked for in refusals alone", () => {
    const call = message("SHA-512-256").replace("SIP/2.0 401 Unauthorized", "INVITE sip:a@b SIP/2.0");
    expect(withWhatIsKnown(call)).toBe(call);
  });
});
