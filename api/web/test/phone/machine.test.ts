import { describe, expect, it } from "vitest";
import { EXPECT_MS, OFF, step, type Deed, type Happened, type Kept, type Phone } from "../../src/phone/machine";

const KEPT: Kept = { with: "sip:1002@x", replaces: "a;to-tag=b;from-tag=c", since: 7 };

/** Plays what happens; the phone after it, and all that was to be done. */
function play(from: Phone, happenings: Happened[], now = 1_000): [Phone, Deed[]] {
  return happenings.reduce<[Phone, Deed[]]>(
    ([phone, deeds], happened) => {
      const [next, more] = step(phone, happened, now);
      return [next, [...deeds, ...more]];
    },
    [from, []],
  );
}
const does = (deeds: Deed[]): string[] => deeds.map((deed) => deed.do);
const ready = (): Phone => play(OFF, [{ what: "start", kept: null }, { what: "registered" }])[0];
const talking = (): Phone =>
  play(ready(), [{ what: "invite", from: "4930" }, { what: "answer" }, { what: "up", kept: KEPT }])[0];

describe("a phone in a page", () => {
  it("is off until it is started, whatever happens", () => {
    expect(step(OFF, { what: "registered" }, 0)).toEqual([OFF, []]);
    expect(step(OFF, { what: "invite", from: "x" }, 0)[1]).toEqual([]);
  });

  it("rings, is answered, keeps what a reload needs, and forgets it at the end", () => {
    let [phone, deeds] = play(ready(), [{ what: "invite", from: "4930" }]);
    expect(phone.call).toEqual({ is: "ringing", from: "4930" });
    expect(does(deeds)).toEqual(["ring"]);
    [phone, deeds] = play(phone, [{ what: "answer" }, { what: "up", kept: KEPT }]);
    expect(does(deeds)).toEqual(["stop_ring", "answer", "keep", "stop_ring"]);
    expect(phone.call).toMatchObject({ is: "up", why: "call", since: 1_000 });
    expect(phone.kept).toMatchObject({ since: 1_000 });
    [phone, deeds] = play(phone, [{ what: "over", local: false }]);
    expect(does(deeds)).toEqual(["stop_ring", "forget", "end_tone"]);
    expect(phone.call.is).toBe("none");
    expect(phone.kept).toBeNull();
  });

  it("answers by itself what the agent has asked for, and for a while only", () => {
    const asked = play(ready(), [{ what: "expect" }])[0];
    expect(does(step(asked, { what: "invite", from: "1001" }, 1_500)[1])).toEqual(["answer"]);
    expect(does(step(asked, { what: "invite", from: "1001" }, 1_000 + EXPECT_MS)[1])).toEqual(["ring"]);
    const after = play(asked, [{ what: "invite", from: "1001" }, { what: "up", kept: KEPT }, { what: "over", local: true }])[0];
    expect(does(play(after, [{ what: "invite", from: "4930" }])[1])).toEqual(["ring"]);
  });

  it("refuses a second call, and one that the agent does not want", () => {
    expect(step(talking(), { what: "invite", from: "x" }, 0)).toEqual([talking(), [{ do: "reject", status: 486 }]]);
    const [, deeds] = play(ready(), [{ what: "invite", from: "x" }, { what: "reject" }]);
    expect(does(deeds)).toEqual(["ring", "stop_ring", "reject"]);
  });

  it("takes its own place in a call after a reload, with the time that the call has lasted", () => {
    const [phone, deeds] = play(OFF, [{ what: "start", kept: KEPT }, { what: "registered" }]);
    expect(deeds).toEqual([{ do: "connect" }, { do: "call", to: KEPT.with, replaces: KEPT.replaces }]);
    expect(phone.call).toEqual({ is: "calling", why: "recover" });
    const back = play(phone, [{ what: "up", kept: { ...KEPT, replaces: "new" } }])[0];
    expect(back.call).toMatchObject({ is: "up", why: "recover", since: KEPT.since });
    expect(back.kept).toMatchObject({ replaces: "new", since: KEPT.since });
    const gone = play(phone, [{ what: "over", local: false }]);
    expect(does(gone[1])).toContain("forget");
  });

  it("finds its call again by another network: a new connection, then both ends look for each other", () => {
    let [phone, deeds] = play(talking(), [{ what: "network" }]);
    expect(does(deeds)).toEqual(["connect_anew", "later"]);
    expect(phone.call).toMatchObject({ is: "up", path: "moving" });
    [phone, deeds] = play(phone, [{ what: "disconnected" }, { what: "still_moving" }]);
    expect(deeds[0]).toEqual({ do: "later", what: "retry", ms: 200 });
    expect(does(deeds)).toEqual(["later", "connect_anew", "later"]);
    [phone, deeds] = play(phone, [{ what: "registered" }]);
    expect(does(deeds)).toEqual(["restart_ice"]);
    [phone, deeds] = play(phone, [{ what: "restart_refused" }, { what: "restart" }, { what: "restarted" }]);
    expect(does(deeds)).toEqual(["later", "restart_ice"]);
    expect(phone).toMatchObject({ moved: false, call: { is: "up", path: "good" } });
    expect(play(phone, [{ what: "still_moving" }])[1]).toEqual([]);
  });

  it("a connection that is lost in a call is tried at once, and the call goes on", () => {
    const [phone, deeds] = play(talking(), [{ what: "disconnected" }]);
    expect(phone.call.is).toBe("up");
    expect(deeds).toEqual([{ do: "later", what: "retry", ms: 200 }]);
    expect(does(play(phone, [{ what: "retry" }, { what: "registered" }])[1])).toEqual(["connect", "restart_ice"]);
  });

  it("waits longer and longer for a switch that is away", () => {
    let phone = ready();
    const waits: number[] = [];
    for (let at = 0; at < 6; at += 1) {
      const [next, deeds] = step(phone, { what: "disconnected" }, 0);
      phone = next;
      waits.push((deeds[0] as { ms: number }).ms);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  });

  it("asks for another password when it is refused", () => {
    const [phone, deeds] = play(OFF, [{ what: "start", kept: null }, { what: "refused", code: 403 }]);
    expect(phone.line).toEqual({ is: "refused", code: 403 });
    expect(does(deeds)).toEqual(["connect", "renew_password", "later"]);
    expect(does(play(phone, [{ what: "retry" }])[1])).toEqual(["connect"]);
  });

  it("a check is no call to come back to", () => {
    const [phone, deeds] = play(ready(), [{ what: "check", number: "504" }, { what: "up", kept: KEPT }]);
    expect(deeds[0]).toEqual({ do: "call", to: "504", replaces: null });
    expect(does(deeds)).not.toContain("keep");
    expect(phone.kept).toBeNull();
    expect(play(talking(), [{ what: "check", number: "504" }])[1]).toEqual([]);
  });

  it("lets its call go when it is put away", () => {
    const [phone, deeds] = play(talking(), [{ what: "stop" }]);
    expect(phone).toEqual(OFF);
    expect(does(deeds)).toEqual(["stop_ring", "hang_up", "forget", "disconnect"]);
  });
});
