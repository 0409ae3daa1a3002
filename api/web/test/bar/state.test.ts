import { describe, expect, it } from "vitest";
import { hot, HOT, keyOf } from "../../src/bar/hotkeys";
import { split } from "../../src/bar/sse";
import { begin, codesOf, reduce, unsaved, type Bar, type Message } from "../../src/bar/state";
import { can, facts, isConference, party, type Desk, type DeskCall } from "../../src/call/desk";
import { call, desk, id, leg } from "./desks";

const play = (from: Bar, ...messages: Message[]): Bar => messages.reduce(reduce, from);
const turn = (of: Desk, now = 1_000): Message => ({ is: "turn", desk: of, at: now + 500, now });
const at = (of: Desk): Bar => play(begin("default", "1001", false), { is: "signed_in" }, turn(of));

describe("the bar's state", () => {
  it("is there with the first turn, and knows the switch's clock", () => {
    const bar = at(desk());
    expect(bar).toMatchObject({ is: "there", skew: 500, lost: null });
    expect(play(bar, { is: "lost", now: 5 }, { is: "lost", now: 9 }).lost).toBe(5);
    expect(play(bar, { is: "lost", now: 5 }, turn(desk())).lost).toBeNull();
  });

  it("a call that rings is seen: what was open closes, and a small bar opens", () => {
    const busy = play(at(desk()), { is: "sheet", sheet: "settings" }, { is: "fold", folded: true });
    const rings = play(busy, turn(desk({ status: "ringing", calls: [call("ringing")] })));
    expect(rings).toMatchObject({ sheet: "none", folded: false });
    const again = play(rings, { is: "fold", folded: true }, turn(desk({ status: "ringing", calls: [call("ringing")] })));
    expect(again.folded).toBe(true);
  });

  it("what belongs to a call closes with it, and nothing else does", () => {
    const talks = at(desk({ calls: [call("talking")] }));
    expect(play(talks, { is: "sheet", sheet: "transfer" }, turn(desk())).sheet).toBe("none");
    expect(play(talks, { is: "sheet", sheet: "wrap_up" }, turn(desk({ last_call: "c1" }))).sheet).toBe("wrap_up");
    expect(play(talks, { is: "sheet", sheet: "transfer" }, turn(desk({ calls: [call("talking", { held: true })] }))).sheet).toBe("transfer");
  });

  it("a note stays with its call over the end of it, and the next call has its own", () => {
    const noted = play(at(desk({ calls: [call("talking")] })), { is: "wrap", note: "two of them" }, { is: "wrap", code: "sold" });
    const after = play(noted, turn(desk({ status: "wrap_up", last_call: "c1", last_codes: ["sold"] })));
    expect(after.wrap).toEqual({ call: "c1", code: "sold", note: "two of them", saved: false });
    expect(play(after, { is: "wrap", saved: true }).wrap.saved).toBe(true);
    expect(play(after, turn(desk({ calls: [call("ringing", { call: "c2" })], last_call: "c1" }))).wrap.note).toBe("two of them");
    expect(play(after, turn(desk({ calls: [call("talking", { call: "c2" })], last_call: "c1" }))).wrap).toEqual({
      call: "c2", code: "", note: "", saved: false,
    });
    expect(codesOf(after.desk)).toEqual(["sold"]);
  });

  it("what was written of a call and not saved is known when another call takes its place", () => {
    const noted = play(at(desk({ calls: [call("talking")] })), { is: "wrap", note: "two of them" });
    const rings = play(noted, turn(desk({ calls: [call("ringing", { call: "c2" })], last_call: "c1" })));
    expect(unsaved(noted.wrap, rings.wrap)).toBeNull();
    const talks = play(rings, turn(desk({ calls: [call("talking", { call: "c2" })], last_call: "c1" })));
    expect(unsaved(rings.wrap, talks.wrap)).toMatchObject({ call: "c1", note: "two of them" });
    expect(unsaved({ ...rings.wrap, saved: true }, talks.wrap)).toBeNull();
    expect(unsaved({ ...rings.wrap, note: "" }, talks.wrap)).toBeNull();
  });

  it("what the switch has of a call is there after a reload", () => {
    const said = call("talking", { wrap_ups: [{ agent: id("1001"), code: "sold", note: "kept" }] });
    expect(at(desk({ calls: [said] })).wrap).toEqual({ call: "c1", code: "sold", note: "kept", saved: true });
  });

  it("an order is under way until it is answered, and a refusal is told once", () => {
    let bar = play(at(desk()), { is: "order", what: "hold" });
    expect(bar.pending.has("hold")).toBe(true);
    bar = play(bar, { is: "refused", what: "hold", code: "no_call", detail: "" }, { is: "refused", what: "hold", code: "no_call", detail: "" });
    expect(bar.pending.size).toBe(0);
    expect(bar.notes.map((note) => note.code)).toEqual(["no_call"]);
    bar = ["a", "b", "c"].reduce((bar, code) => play(bar, { is: "note", kind: "error", code }), bar);
    expect(bar.notes.map((note) => note.code)).toEqual(["a", "b", "c"]);
    expect(play(bar, { is: "read", id: bar.notes[0]?.id ?? 0 }).notes.length).toBe(2);
  });

  it("a call of his own that nobody answered is told, and one that was answered is not", () => {
    const legs = [leg("l2", "1001"), leg("l9", "+4930555", false)];
    const calls = at(desk({ calls: [call("dialling", { legs })] }));
    expect(play(calls, turn(desk({ last_call: "c1" }))).notes).toMatchObject([{ code: "call_failed", detail: "+4930555" }]);
    const rang = at(desk({ calls: [call("ringing", { legs })] }));
    expect(play(rang, turn(desk())).notes.length).toBe(1);
    expect(play(calls, { is: "left" }, turn(desk())).notes).toEqual([]);
    const targets = { agents: [], queues: [], flows: [], numbers: [], check: "+4930555" };
    expect(play(calls, { is: "targets", targets }, turn(desk())).notes, "the check is no call of his").toEqual([]);
    const talked = play(calls, turn(desk({ calls: [call("talking", { legs })] })), turn(desk({ last_call: "c1" })));
    expect(talked.notes).toEqual([]);
  });

  it("nothing of one agent is left for the next", () => {
    const bar = play(at(desk({ calls: [call("talking")] })), { is: "wrap", note: "x" }, { is: "asked", asked: { tenant: "acme", agent: "7", why: "over" } });
    expect(bar).toEqual({ ...begin("acme", "7", false), asked: { tenant: "acme", agent: "7", why: "over" } });
  });
});

describe("what an agent can do", () => {
  const of = (calls: DeskCall[], more: Partial<Desk> = {}): string[] => [...can(desk({ calls, ...more }))].sort();

  it("depends on where he is", () => {
    expect([...can(null)]).toEqual([]);
    expect(of([], { status: "signed_out" })).toEqual([]);
    expect(of([])).toEqual(["call", "not_ready", "rest", "sign_out"]);
    expect(of([], { status: "wrap_up", last_call: "c1" })).toContain("wrap_up");
    expect(of([call("ringing")], { status: "ringing" })).toEqual(
      ["answer", "hang_up", "not_ready", "ready", "reject", "rest", "sign_out"],
    );
    expect(of([call("talking")])).toEqual(expect.arrayContaining(["hold", "mute", "consult", "transfer", "conference", "keys", "wrap_up"]));
    expect(of([call("talking", { recording: "off" })])).toContain("record");
    expect(of([call("talking", { recording: "on" })])).toContain("record_pause");
    expect(of([call("talking", { recording: "paused" })])).toContain("record_resume");
    expect(of([call("talking", { recording: "never" })]).filter((deed) => deed.startsWith("record"))).toEqual([]);
    expect(of([call("talking", { held: true, muted: true })])).toEqual(expect.arrayContaining(["retrieve", "unmute"]));
    expect(of([call("talking", { held: true })])).not.toContain("consult");
  });

  it("a consultation is handed over once who is consulted has answered", () => {
    const legs = [leg("l1", "4930"), leg("l2", "1001"), leg("l3", "1002", false)];
    expect(of([call("consulting", { legs })])).not.toContain("complete");
    expect(of([call("consulting", { legs })])).toContain("cancel");
    legs[2] = leg("l3", "1002");
    expect(of([call("consulting", { legs })])).toEqual(expect.arrayContaining(["complete", "merge", "cancel"]));
  });

  it("knows whom he talks to, and a conference", () => {
    expect(party(call("talking")).user).toBe("4930");
    const own = call("talking", { legs: [leg("l2", "1001"), leg("l9", "+4930555")] });
    expect(party(own).user).toBe("+4930555");
    expect(isConference(call("talking"))).toBe(false);
    expect(isConference(call("talking", { legs: [leg("l1", "a"), leg("l2", "1001"), leg("l3", "b")] }))).toBe(true);
    expect(facts(call("talking", { data: { order: 7, vip: true, none: null, who: { a: 1 } } }))).toEqual([
      ["order", "7"], ["vip", "true"], ["who", '{"a":1}'],
    ]);
  });
});

describe("keys", () => {
  const press = (code: string, more = {}) =>
    hot({ key: "", code, altKey: true, ctrlKey: false, metaKey: false, repeat: false, ...more });

  it("are letters with Alt, once, and never those of the browser", () => {
    expect(press("KeyA")).toBe("answer");
    expect(press("KeyA", { altKey: false })).toBeNull();
    expect(press("KeyA", { ctrlKey: true })).toBeNull();
    expect(press("KeyA", { repeat: true })).toBeNull();
    expect(press("KeyZ")).toBeNull();
    expect(hot({ key: "Escape", code: "Escape", altKey: false, ctrlKey: false, metaKey: false, repeat: false })).toBe("close");
    expect(Object.values(HOT).map(keyOf)).toContain("Alt+A");
    expect(new Set(Object.values(HOT)).size).toBe(Object.keys(HOT).length);
  });
});

describe("server-sent events", () => {
  it("are taken out of whatever pieces they come in", () => {
    expect(split("retry: 1\n\ndata: {\"a\":1}\n\n: still here\n\ndata: {")).toEqual({ data: ['{"a":1}'], rest: "data: {" });
    expect(split("data: a\r\n\r\ndata:b\n\n")).toEqual({ data: ["a", "b"], rest: "" });
  });
});
