import { describe, expect, it } from "vitest";
import { fault, keyOf, rangeOf, SCHEMA, seconds, wordsOf } from "../src/kit/schema";
import { bytes, mos, percent, quality, span } from "../src/kit/figures";
import { faultOf as csvFault, readCsv } from "../src/kit/csv";
import { acts, follows, joined, type Chat } from "../src/pages/chats";
import { metricsOf } from "../src/pages/metrics";
import { dayBegan, momentOf, stamp, timeOfDay } from "../src/kit/time";
import { home, navigation, PAGES } from "../src/nav";
import { faultsOf } from "../src/pages/flows";
import { supervised, waitingOf } from "../src/pages/floor";
import { readKept, type Me } from "../src/session";
import { emptyFloor } from "../src/store";
import type { CallView, QueueView } from "../src/model";

const someone = (more: Partial<Me>): Me => ({
  kind: "person",
  name: "li",
  display: "Li",
  tenant: "default",
  zone: "UTC",
  scopes: [],
  supervisor: false,
  enrolling: false,
  ...more,
});
const names = (who: Me): string[] => navigation(who).flatMap((group) => group.pages.map((page) => page.name));

describe("navigation by role", () => {
  it("shows what scopes open, and nothing else", () => {
    expect(names(someone({ scopes: ["flows:read", "flows:write"] }))).toEqual(["flows"]);
    const supervisor = names(someone({ scopes: ["calls:*", "agents:*", "reports:read", "cdrs:read"] }));
    expect(supervisor).toContain("floor");
    expect(supervisor).not.toContain("people");
    expect(names(someone({ scopes: ["*"] }))).toHaveLength(PAGES.filter((page) => page.scope && page.name !== "bans").length);
    // Who is shut out is the operator's: everything of a tenant does not open it.
    expect(names(someone({ scopes: ["*", "bans:*"] }))).toContain("bans");
  });

  it("has an agent at his own desk, and a supervisor among them on the floor", () => {
    const agent = someone({ kind: "agent", scopes: [] });
    expect(names(agent)).toEqual(["desk", "my-callbacks", "my-chats", "my-figures"]);
    expect(home(agent)).toBe("/desk");
    expect(names({ ...agent, supervisor: true })).toContain("floor");
  });

  it("has nobody elsewhere who must have a second factor first", () => {
    const who = someone({ scopes: ["*"], enrolling: true });
    expect(names(who)).toEqual([]);
    expect(home(who)).toBe("/account");
  });

  it("has one address and one name for each page", () => {
    expect(new Set(PAGES.map((page) => page.path)).size).toBe(PAGES.length);
    expect(new Set(PAGES.map((page) => page.name)).size).toBe(PAGES.length);
  });
});

describe("forms", () => {
  const of = (kind: keyof typeof SCHEMA, key: string) => SCHEMA[kind].find((field) => field.key === key)!;

  it("check ranges as the switch does", () => {
    const ring = of("queues", "ring");
    expect(fault(ring, "100d")).toBe("check.range");
    expect(fault(ring, "5x")).toBe("check.duration");
    expect(fault(ring, "100ms")).toBe("");
    expect(fault(ring, "")).toBe("");
    expect(rangeOf(ring)).toBe("100ms – 10m");
    expect(fault(of("queues", "max_length"), "1.5")).toBe("check.integer");
    expect(fault(of("queues", "max_length"), "10001")).toBe("check.range");
    expect(fault(of("numbers", "to"), "")).toBe("check.required");
    expect(fault(of("numbers", "to"), "sales")).toBe("check.dest");
    expect(fault(of("numbers", "to"), "trunk:carrier:+4930")).toBe("");
  });

  it("read durations", () => {
    expect([seconds("250ms"), seconds("2m"), seconds("1d"), seconds("2 m"), seconds("m")]).toEqual([0.25, 120, 86_400, null, null]);
  });

  it("find the field that the switch speaks of", () => {
    const said = '"ring" in [tenant.default.queue.q2]: expected a duration, found "100d"';
    expect(keyOf(said)).toBe("ring");
    expect(wordsOf(said)).toBe('expected a duration, found "100d"');
    expect(keyOf('unknown key "nokey" in [tenant.default.queue.q2]')).toBe("nokey");
    expect(keyOf('missing key "peers" in [tenant.default.trunk.t2]: expected addresses')).toBe("peers");
    expect(keyOf("the file cannot be read")).toBeNull();
  });
});

describe("flows", () => {
  it("have their faults at lines of text and test", () => {
    expect(
      faultsOf([
        "default/main.lua:3:7: Lua: 'then' expected",
        "FAILED default/main.test.toml:12: case \"open\": expected play",
        "the flow has 300000 bytes",
      ]),
    ).toEqual([
      { where: "flow", line: 3, column: 7, text: "Lua: 'then' expected" },
      { where: "test", line: 12, column: 1, text: 'case "open": expected play' },
      { where: "flow", line: 1, column: 1, text: "the flow has 300000 bytes" },
    ]);
  });

  it("have what a played test finds at the line of its step", () => {
    const test = '[[case]]\nname = "first"\nsteps = [{ expect = "answer" }]\n[[case]]\nname = "second"\nsteps = [\n  { expect = "answer" },\n  { expect = "play" },\n]\n';
    const said = (name: string, step: number): string => `FAILED main.test.toml: case "${name}", step ${step}:\n  expected play\n  got      hang_up`;
    const lines = [said("second", 2), said("second", 9), said("first", 1), said("nowhere", 1)];
    expect(faultsOf(lines, test).map(({ where, line }) => [where, line])).toEqual([["test", 8], ["test", 5], ["test", 2], ["test", 1]]);
    expect(faultsOf(lines, test)[0]?.text).toBe('case "second", step 2:\n  expected play\n  got      hang_up');
  });
});

describe("the supervisor's floor", () => {
  const call = (id: string, more: Partial<CallView>): CallView => ({
    call: id,
    from: { user: id, display: "" },
    to: { user: "500", display: "" },
    stage: "bridged",
    started: 0,
    answered: 0,
    bridged: 0,
    queue: null,
    agent: { tenant: "t", name: "1001" },
    legs: [],
    data: {},
    route: [],
    ...more,
  });
  const supervision = { agent: null, by: { user: "1009", display: "" }, leg: "l", mode: "listen", ended: null, cause: null };

  it("knows with whom somebody is, and what he does there now", () => {
    const floor = { ...emptyFloor(), calls: new Map([["a", call("a", { supervision: { ...supervision, turns: [{ at: 1, mode: "listen" }, { at: 2, mode: "whisper" }] } })]]) };
    expect(supervised(floor).get("1001")).toEqual({ call: "a", mode: "whisper" });
    const over = { ...floor, calls: new Map([["a", call("a", { supervision: { ...supervision, turns: [], ended: 3 } })]]) };
    expect(supervised(over).size).toBe(0);
  });

  it("has those first who wait longest, whatever their queue", () => {
    const queue = (name: string, since: number[]): QueueView => ({
      queue: { tenant: "t", name },
      display: "",
      waiting: since.map((at, n) => ({ call: `${name}${n}`, since: at, position: n + 1, offered_to: [] })),
      agents_signed_in: 0,
      agents_ready: 0,
      offered: 0,
      answered: 0,
      abandoned: 0,
      timed_out: 0,
    });
    const floor = { ...emptyFloor(), queues: new Map([["a", queue("a", [30, 50])], ["b", queue("b", [40])]]) };
    expect(waitingOf(floor).map((one) => one.call)).toEqual(["a0", "b0", "a1"]);
  });
});

describe("times and figures", () => {
  it("are of the tenant's zone", () => {
    const at = Date.UTC(2026, 2, 29, 1, 30, 5); // the night in which Berlin's clocks go forward
    expect(stamp(at, "UTC")).toBe("2026-03-29 01:30:05");
    expect(stamp(at, "Europe/Berlin")).toBe("2026-03-29 03:30:05");
    expect(timeOfDay(Date.UTC(2026, 0, 1), "UTC")).toBe("00:00:00");
    expect(stamp(null)).toBe("–");
    for (const zone of ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Asia/Kathmandu"]) {
      for (const text of ["2026-03-29T01:59", "2026-03-29T03:00", "2026-10-25T03:00", "2026-01-01T00:00", "2026-11-01T02:00"]) {
        expect(stamp(momentOf(text, zone), zone), `${zone} ${text}`).toBe(`${text.replace("T", " ")}:00`);
      }
    }
    expect(momentOf("2026-06-01T10:00", "Asia/Shanghai")).toBe(Date.UTC(2026, 5, 1, 2));
    expect(momentOf("soon", "UTC")).toBeNull();
    expect(dayBegan(Date.UTC(2026, 5, 1, 10), "Asia/Shanghai")).toBe(Date.UTC(2026, 4, 31, 16));
  });

  it("have a dash for what was not measured, and never zero", () => {
    expect([percent(null), percent(0), percent(0.2917), percent(1)]).toEqual(["–", "0 %", "29.2 %", "100 %"]);
    expect([span(null), span(7_400), span(3_725_000)]).toEqual(["–", "0:07", "1:02:05"]);
    expect([mos(null), mos(439), quality(null), quality(439), quality(360), quality(300)]).toEqual(["–", "4.39", "unknown", "good", "fair", "poor"]);
    expect([bytes(12), bytes(224_188), bytes(3_000_000)]).toEqual(["12 B", "224 kB", "3.0 MB"]);
  });
});

describe("a session that is kept", () => {
  it("is read as the console or the bar wrote it, and not from anything else", () => {
    const agent = { kind: "agent", name: "1001", tenant: "t", token: "cbs" };
    expect(readKept(agent)).toEqual(agent);
    expect(readKept({ agent: "1001", tenant: "t", token: "cbs" })).toEqual(agent);
    expect(readKept({ kind: "person", token: "cbu", csrf: "c" })).toEqual({ kind: "person", token: "cbu", csrf: "c" });
    for (const other of [null, 7, {}, { token: 3 }, { token: "x" }]) {
      expect(readKept(other)).toBeNull();
    }
  });
});

describe("tables from spreadsheets", () => {
  it("are read with commas, semicolons or tabs, quotes and line ends of any machine", () => {
    expect(readCsv('number,name\r\n"+49,30","Ada ""the first""\nof them"\r\n\r\n+50,Bob\r\n')).toEqual({
      columns: ["number", "name"],
      rows: [
        ["+49,30", 'Ada "the first"\nof them'],
        ["+50", "Bob"],
      ],
    });
    expect(readCsv("\uFEFFnumber;name\n1;a,b").rows).toEqual([["1", "a,b"]]);
    expect(readCsv("number\tname\n1\t").rows).toEqual([["1", ""]]);
  });

  it("are refused where the switch could not keep them", () => {
    expect(csvFault(readCsv("number\n1"))).toBe("table.oneColumn");
    expect(csvFault(readCsv("number,number\n1,2"))).toBe("table.badColumns");
    expect(csvFault(readCsv("number,name\n"))).toBe("table.noRows");
    expect(csvFault(readCsv("number,name\n1,2"))).toBe("");
  });
});

describe("metrics", () => {
  it("are summed over their labels, and nothing else is taken for one", () => {
    const read = metricsOf('# HELP a All.\na{of="x y"} 2\na{of="z"} 3\nb 1.5e3\nc NaN\nnonsense\n');
    expect([...read]).toEqual([["a", 5], ["b", 1500]]);
  });
});

describe("chats", () => {
  const chat = (more: Partial<Chat>): Chat => ({ chat: "c", stage: "waiting", offered_to: [], agent: null, ...more }) as Chat;
  const named = (name: string) => ({ tenant: "default", name });
  const said = (number: number) => ({ number, at: 0, from: { side: "customer" as const }, text: `${number}` });

  it("are an agent's to take when they are offered to him, and his to answer when he has them", () => {
    expect(acts(chat({ offered_to: [named("1001")] }), "1001", false)).toEqual({ accept: true, say: false, move: false, close: false });
    expect(acts(chat({ offered_to: [named("1002")] }), "1001", false).accept).toBe(false);
    expect(acts(chat({ stage: "open", agent: named("1001") }), "1001", false)).toEqual({ accept: false, say: true, move: true, close: true });
    expect(acts(chat({ stage: "closed", agent: named("1001") }), "1001", true)).toEqual({ accept: false, say: false, move: false, close: false });
  });

  it("are moved and ended by who watches over them, who says nothing in them", () => {
    expect(acts(chat({ stage: "open", agent: named("1001") }), null, true)).toEqual({ accept: false, say: false, move: true, close: true });
  });

  it("have each message once and in order, and tell when one is missing", () => {
    expect(joined([said(1), said(2)], [said(4), said(2), said(3)]).map((one) => one.number)).toEqual([1, 2, 3, 4]);
    expect(follows([said(1)], said(2))).toBe(true);
    expect(follows([said(1)], said(3))).toBe(false);
  });
});
