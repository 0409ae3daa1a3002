import { describe, expect, it } from "vitest";
import type { Event, StreamItem } from "../src/model";
import { emptyFloor, LINES, merge, reduce, since } from "../src/store";
import { agentView, call, hello, item, named, numbered, queueView, run, snapshot, START, STORY } from "./helpers";

const events = numbered(STORY);
const uncut = run([hello(0), snapshot(), ...events.map(item)]);

/** What the switch sends to a reader that comes back. */
function resumed(from: string | null): StreamItem[] {
  const last = events.length;
  if (from === null) {
    throw new Error("a reader with a whole state names where it left off");
  }
  const [start, seq] = from.split("-").map(Number);
  expect(start).toBe(START);
  return [hello(last), ...events.filter((event) => event.seq > (seq ?? 0)).map(item)];
}

describe("the story", () => {
  it("leaves nobody in a call or a queue", () => {
    expect(uncut.calls.size).toBe(0);
    expect(uncut.queues.get("default/sales")?.waiting).toEqual([]);
    expect(uncut.agents.get("default/1001")?.status).toBe("rest");
    expect(uncut.agents.get("default/1002")?.status).toBe("wrap_up");
    expect(uncut.agents.get("default/1002")?.call).toBeNull();
    expect(uncut.seq).toBe(events.length);
  });

  it("shows who waits, at which place, and to whom it is offered", () => {
    const at = (seq: number) => run([hello(0), snapshot(), ...events.slice(0, seq).map(item)]);
    expect(at(13).queues.get("default/sales")?.waiting).toEqual([
      { call: call(1), since: 8_000, position: 1, offered_to: [named("1001")] },
      { call: call(3), since: 13_000, position: 2, offered_to: [] },
    ]);
    expect(at(14).queues.get("default/sales")?.waiting[0]?.offered_to).toEqual([]);
    expect(at(17).queues.get("default/sales")?.waiting).toEqual([
      { call: call(3), since: 13_000, position: 1, offered_to: [] },
    ]);
  });

  it("shows all who ring for one caller, until each is something else", () => {
    const upTo = events.slice(0, 13);
    const first = upTo.find((event) => event.type === "queue_offered");
    if (first?.type !== "queue_offered") throw new Error("nobody is offered a caller");
    const seq = upTo.length + 1;
    const second = { ...first, agent: named("1002"), seq };
    const gone = { ...first, type: "agent_status" as const, status: "ready" as const, why: "another agent answered first", seq: seq + 1 };
    const ringing = (more: Event[]) =>
      run([hello(0), snapshot(), ...[...upTo, ...more].map(item)]).queues.get("default/sales")?.waiting[0]?.offered_to;
    expect(ringing([second])).toEqual([named("1001"), named("1002")]);
    expect(ringing([second, gone as Event])).toEqual([named("1002")]);
  });

  it("shows a call through its stages", () => {
    const at = (seq: number) => run([hello(0), snapshot(), ...events.slice(0, seq).map(item)]).calls.get(call(1));
    expect(at(1)?.stage).toBe("routing");
    expect(at(7)).toMatchObject({ stage: "flow", answered: 4_000, data: { choice: "sales" }, bridged: null });
    expect(at(20)).toMatchObject({ stage: "bridged", bridged: 19_000, agent: named("1002"), queue: named("sales") });
    expect(at(20)?.legs[0]?.held).toBe(true);
    expect(at(21)?.legs[0]?.held).toBe(false);
    expect(at(22)?.legs[0]?.unheard).toBe("one_way");
    expect(at(23)?.legs[0]?.unheard).toBe("one_way");
    expect(at(24)?.legs[0]?.unheard).toBeUndefined();
    expect(at(27)?.data).toEqual({});
  });

  it("keeps the caller's number in lines of calls that are over, and no record", () => {
    const last = uncut.lines[0];
    expect(last?.caller).toBe("600");
    expect(last?.what).not.toHaveProperty("cdr");
  });
});

describe("a cut stream", () => {
  it("taken up again at any boundary leads to the same state as an uncut one", () => {
    for (let cut = 0; cut <= events.length; cut++) {
      const before = run([hello(0), snapshot(), ...events.slice(0, cut).map(item)]);
      expect(run(resumed(since(before)), before), `cut after ${cut}`).toEqual(uncut);
    }
  });

  it("cut twice, and with messages that come once more, leads there too", () => {
    for (let first = 0; first <= events.length; first++) {
      const one = run([hello(0), snapshot(), ...events.slice(0, first).map(item)]);
      const overlap = events.slice(Math.max(0, first - 3), first + 4).map(item);
      const two = run([hello(events.length), ...overlap], one);
      expect(run(resumed(since(two)), two), `cut after ${first}`).toEqual(uncut);
    }
  });

  it("with a gap takes the snapshot and goes on from its number", () => {
    const before = run([hello(0), snapshot(), ...events.slice(0, 9).map(item)]);
    const after = run(
      [hello(30), { message: "gap", from: 10, to: 30 }, { ...(snapshot(30) as object), queues: [queueView("service")] } as StreamItem],
      before,
    );
    expect(after).toMatchObject({ seq: 30, whole: true, broken: false });
    expect([...after.queues.keys()]).toEqual(["default/service"]);
    expect(after.calls.size).toBe(0);
    expect(after.lines[0]).toMatchObject({ seq: 30, what: { type: "gap", from: 10, to: 30 } });
    const [next] = numbered([{ type: "config_reloaded", version: 2 }], 31);
    expect(since(run([item(next!)], after))).toBe(`${START}-31`);
  });

  it("cannot be taken up between a gap and its snapshot", () => {
    const before = run([hello(0), snapshot(), ...events.slice(0, 9).map(item)]);
    expect(since(run([hello(30), { message: "gap", from: 10, to: 30 }], before))).toBeNull();
  });
});

describe("what must not happen", () => {
  it("an event twice changes nothing", () => {
    const again = events.slice(-5).map(item);
    expect(run(again, uncut)).toBe(uncut);
  });

  it("a hole that was not announced breaks the stream instead of being drawn", () => {
    const before = run([hello(0), snapshot(), ...events.slice(0, 5).map(item)]);
    const after = reduce(before, item(events[6]!));
    expect(after.broken).toBe(true);
    expect(after.calls).toBe(before.calls);
    expect(since(after)).toBeNull();
  });

  it("an event before the first snapshot breaks it too", () => {
    expect(run([hello(3), item(events[0]!)]).broken).toBe(true);
  });

  it("after a restart what was missed comes first, then the state that is left", () => {
    const before = run([hello(0), snapshot(), ...events.slice(0, 9).map(item)]);
    const missed = run([hello(events.length + 1, START + 60), ...events.slice(9).map(item)], before);
    expect(missed.calls).toEqual(uncut.calls);
    const left = run([{ message: "gap", from: events.length + 1, to: 900 }, snapshot(900)], missed);
    expect(left.calls.size).toBe(0);
    const [next] = numbered([{ type: "config_reloaded", version: 2 }], 901);
    expect(since(run([item(next!)], left))).toBe(`${START + 60}-901`);
  });

  it("a start that has other numbers keeps what was known until the snapshot", () => {
    const restarted = run([hello(2, START + 60)], uncut);
    expect(since(restarted)).toBeNull();
    expect(restarted.agents).toBe(uncut.agents);
    const whole = run([snapshot(2)], restarted);
    expect(since(whole)).toBe(`${START + 60}-2`);
    const old = reduce(whole, item(events[1]!));
    expect(old.calls).toBe(whole.calls);
  });

  it("a last number below ours was not numbered by this switch", () => {
    expect(since(run([hello(3)], uncut))).toBeNull();
  });

  it("an event about a call or queue that is not known changes no other", () => {
    const strange = numbered(
      [
        { type: "call_stage", call: call(99), stage: "bridged", queue: null, agent: null },
        { type: "queue_left", call: call(99), queue: named("gone"), outcome: "served" },
        { type: "call_ended", call: call(99), cause: "normal", by: "caller" },
      ],
      uncut.seq + 1,
    );
    const after = run(strange.map(item), uncut);
    expect(after.calls).toEqual(uncut.calls);
    expect(after.queues).toEqual(uncut.queues);
  });

  it("an event of a later switch is listed and does not stop the stream", () => {
    const unknown = { ...numbered([{ type: "alarm", code: "x", text: "y" }], uncut.seq + 1)[0]!, type: "whisper_started" };
    const after = reduce(uncut, item(unknown as never));
    expect(after.seq).toBe(uncut.seq + 1);
    expect(after.broken).toBe(false);
  });

  it("the list of lines grows without end", () => {
    const many = numbered(
      Array.from({ length: LINES + 50 }, (_, n) => ({ type: "flow_log" as const, call: call(1), text: String(n) })),
      uncut.seq + 1,
    );
    const after = run(many.map(item), uncut);
    expect(after.lines.length).toBe(LINES);
    expect(after.lines[0]?.seq).toBe(uncut.seq + LINES + 50);
  });
});

describe("figures of views", () => {
  it("do not touch what events tell", () => {
    const during = run([hello(0), snapshot(), ...events.slice(0, 13).map(item)]);
    const late = { ...queueView("sales"), offered: 7, waiting: [] };
    const agent = { ...agentView("1001"), status: "talking" as const, handled: 3, contacts: 2, why: "took the call" };
    const after = merge(during, [late], [agent, agentView("1002")], null);
    expect(after.queues.get("default/sales")?.offered).toBe(7);
    expect(after.queues.get("default/sales")?.waiting.length).toBe(2);
    expect(after.agents.get("default/1001")).toMatchObject({ status: "ringing", handled: 3, contacts: 2, why: "a call is offered" });
    expect(after.seq).toBe(during.seq);
  });

  it("bring and take rows after a reload", () => {
    const after = merge(uncut, [queueView("service")], [agentView("1003")], null);
    expect([...after.queues.keys()]).toEqual(["default/service"]);
    expect([...after.agents.keys()]).toEqual(["default/1003"]);
  });

  it("are drawn even before the stream says hello", () => {
    expect(merge(emptyFloor(), [queueView("sales")], [], null).queues.size).toBe(1);
  });

  it("of today come from the wall, and stay where it cannot be asked", () => {
    const today = { offered: 9, answered: 7, abandoned: 1, timed_out: 1, service_level: 0.75 };
    const wall = { queues: [{ queue: named("sales"), today }] };
    const after = merge(uncut, [queueView("sales")], [], wall);
    expect(after.today.get("default/sales")).toEqual(today);
    expect(merge(after, [queueView("sales")], [], null).today.get("default/sales")).toEqual(today);
  });
});

describe("a break", () => {
  const rests = { type: "agent_status" as const, agent: named("1001"), status: "rest" as const, why: "asked for it", call: null };
  const after = (whats: Parameters<typeof numbered>[0]) =>
    run(numbered(whats, uncut.seq + 1).map(item), uncut).agents.get("default/1001");
  const long = { type: "agent_overdue" as const, agent: named("1001"), since: 1_000 };

  it("is shown with its reason, and as too long until it is over", () => {
    const lunch = { ...rests, reason: "lunch" };
    expect(after([lunch])).toMatchObject({ status: "rest", reason: "lunch" });
    expect(after([lunch])?.overdue).toBeUndefined();
    expect(after([lunch, long])?.overdue).toBe(true);
    expect(after([lunch, long, { ...rests, status: "ready" }])?.overdue).toBeUndefined();
  });

  it("that is asked for again begins again", () => {
    const again = after([rests, long, rests]);
    expect(again?.overdue).toBeUndefined();
    expect(again?.since).toBe((uncut.seq + 3) * 1_000);
  });

  it("stays too long when views are asked for", () => {
    const during = run(numbered([rests, long], uncut.seq + 1).map(item), uncut);
    const merged = merge(during, [], [{ ...agentView("1001"), status: "rest" }], null);
    expect(merged.agents.get("default/1001")?.overdue).toBe(true);
  });
});

describe("a stream of what concerns one agent", () => {
  const rings: Event = { ...numbered([{ type: "call_answered", call: "c1" }], uncut.seq + 5)[0]! };

  it("has holes that are no gap", () => {
    const his = run([item(rings)], { ...uncut, filtered: true });
    expect(his.broken).toBe(false);
    expect(his.seq).toBe(rings.seq);
  });

  it("while a hole in the whole stream is", () => {
    expect(run([item(rings)], uncut).broken).toBe(true);
  });
});
