import { describe, expect, it } from "vitest";
import { checkWords, qrOf } from "../src/kit/qr";

const LINK = "otpauth://totp/Cordboard:default%2Fli?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Cordboard&algorithm=SHA1&digits=6&period=30";
const drawn = (cells: boolean[][]): string => cells.map((row) => row.map((dark) => (dark ? "#" : ".")).join("")).join("\n");

describe("QR codes", () => {
  it("have the check words of the standard's worked example", () => {
    // Annex I: 01234567 in version 1-M.
    const data = Uint8Array.from([0x10, 0x20, 0x0c, 0x56, 0x61, 0x80, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11]);
    expect([...checkWords(data, 10)]).toEqual([0xa5, 0x24, 0xd4, 0xc1, 0xed, 0x36, 0xc7, 0x87, 0x2c, 0x55]);
  });

  it("grow with what they say, and refuse what is too long", () => {
    const side = (length: number): number | undefined => qrOf("a".repeat(length))?.length;
    expect([14, 15, 152, 153, 180, 181, 213].map(side)).toEqual([21, 25, 49, 53, 53, 57, 57]);
    expect(side(214)).toBeUndefined();
  });

  it("are the ones that a reader has read", () => {
    // Read by zbarimg when this was written; from then on they do not change.
    expect(drawn(qrOf("cordboard") ?? [])).toMatchSnapshot();
    expect(drawn(qrOf(LINK) ?? [])).toMatchSnapshot();
  });
});
