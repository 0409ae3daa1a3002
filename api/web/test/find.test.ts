import { describe, expect, it } from "vitest";
import type { Cdr } from "../src/api";
import { find, READ, speaksOf, wordsOf, type Part } from "../src/kit/find";
import { within } from "../src/kit/period";

const cdr = {
  call: "default.1-0-1",
  from: { user: "+493012345", display: "Ada Lovelace" },
  to: { user: "501", display: "" },
  queues: [{ queue: { tenant: "default", name: "sales" } }],
  legs: [{ party: { user: "1001", display: "Li Wei" } }],
  wrap_ups: [{ agent: { tenant: "default", name: "1001" }, at: 1, code: "sold", note: "Two of them, before Friday" }],
  data: { order: 4711, level: "gold" },
} as unknown as Cdr;
const finds = (text: string): boolean => speaksOf(cdr, wordsOf(text));

describe("looking for a call", () => {
  it("goes by number however it is written, name, queue, code, note and data", () => {
    for (const text of ["+49 30 12345", "(30) 123-45", "ada", "SALES", "sold friday", "4711", "gold lovelace", "  wei "]) {
      expect(finds(text), text).toBe(true);
    }
  });

  it("wants every word, and finds nothing else", () => {
    for (const text of ["ada bob", "support", "+4931", "4712", "friday 30 99"]) {
      expect(finds(text), text).toBe(false);
    }
  });

  /** A list of so many, of which every n-th is meant. */
  const list = (length: number) => {
    const read: (string | null)[] = [];
    const ask = async (from: string | null): Promise<Part<number>> => {
      read.push(from);
      const begin = Number(from ?? 0);
      const end = Math.min(length, begin + READ);
      return { items: Array.from({ length: end - begin }, (_, at) => begin + at), next: end < length ? String(end) : null };
    };
    return { ask, read };
  };

  it("reads on until the end of the list", async () => {
    const { ask, read } = list(450);
    expect(await find(ask, (one) => one === 430, null)).toEqual({ items: [430], next: null });
    expect(read).toEqual([null, "200", "400"]);
  });

  it("stops when there is a page of what was found, and goes on from there", async () => {
    const { ask, read } = list(1_000);
    const found = await find(ask, (one) => one % 2 === 0, null);
    expect([found.items.length, found.next, read.length]).toEqual([100, "200", 1]);
    expect((await find(ask, (one) => one % 2 === 0, found.next ?? null)).items[0]).toBe(200);
  });

  it("does not read a long list to its end at one press, and says where it stopped", async () => {
    const { ask, read } = list(100_000);
    expect(await find(ask, () => false, null)).toEqual({ items: [], next: "2000" });
    expect(read).toHaveLength(10);
  });
});

describe("days that a list is narrowed to", () => {
  const hours = (period: Parameters<typeof within>[0], now: number) => {
    const { from, to } = within(period, now, "Europe/Berlin");
    return [from, to].map((at) => (at === undefined ? null : new Date(at).toISOString()));
  };

  it("are the tenant's", () => {
    const now = Date.UTC(2026, 5, 10, 9);
    expect(hours("today", now)).toEqual(["2026-06-09T22:00:00.000Z", null]);
    expect(hours("yesterday", now)).toEqual(["2026-06-08T22:00:00.000Z", "2026-06-09T22:00:00.000Z"]);
    expect(hours("week", now)).toEqual(["2026-06-03T22:00:00.000Z", null]);
    expect(hours("all", now)).toEqual([null, null]);
  });

  it("are whole when clocks have changed: a day of 23 hours, and one of 25", () => {
    expect(hours("yesterday", Date.UTC(2026, 2, 30, 9))).toEqual(["2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"]);
    expect(hours("week", Date.UTC(2026, 9, 27, 9))).toEqual(["2026-10-20T22:00:00.000Z", null]);
  });
});
