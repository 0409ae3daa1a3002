import type { AgentView, Event, QueueView, StreamItem, What } from "../src/model";
import { emptyFloor, reduce, type Floor } from "../src/store";

export const TENANT = "default";
export const START = 1_795_212_000;
export const named = (name: string) => ({ tenant: TENANT, name });
export const call = (n: number) => `${TENANT}.6b000000-0-${n.toString(16)}`;

export const queueView = (name: string): QueueView => ({
  queue: named(name),
  display: name,
  waiting: [],
  agents_signed_in: 1,
  agents_ready: 1,
  offered: 0,
  answered: 0,
  abandoned: 0,
  timed_out: 0,
});

export const agentView = (name: string): AgentView => ({
  agent: named(name),
  display: `Agent ${name}`,
  status: "ready",
  since: 1_000,
  until: null,
  user: named(name),
  contacts: 1,
  call: null,
  why: "as at the start",
  handled: 0,
});

/** Numbers events, one a second. */
export function numbered(whats: What[], from = 1): Event[] {
  return whats.map((what, at) => ({ ...what, tenant: TENANT, seq: from + at, at: (from + at) * 1_000 }));
}

export const item = (event: Event): StreamItem => ({ message: "event", ...event });
export const hello = (last: number, start = START): StreamItem => ({ message: "hello", start, last });
export const snapshot = (seq = 0): StreamItem => ({
  message: "snapshot",
  seq,
  calls: [],
  queues: [queueView("sales")],
  agents: [agentView("1001"), agentView("1002")],
});

export const run = (items: StreamItem[], floor: Floor = emptyFloor()): Floor => items.reduce(reduce, floor);

/** Two calls: one is served after a ring without answer, held and hung up; the other gives up. */
export const STORY: What[] = [
  { type: "call_started", call: call(1), from: { user: "600", display: "Zhang San" }, to: { user: "500", display: "" } },
  { type: "leg_started", call: call(1), leg: call(2), party: { user: "600", display: "Zhang San" } },
  { type: "call_routed", call: call(1), to: "flow default/welcome", reasons: [{ plugin: "called-number", verdict: "decide", why: "access code 500" }] },
  { type: "call_answered", call: call(1) },
  { type: "call_stage", call: call(1), stage: "flow", queue: null, agent: null },
  { type: "digit", call: call(1), digit: "1" },
  { type: "data_changed", call: call(1), key: "choice", value: "sales" },
  { type: "queue_entered", call: call(1), queue: named("sales"), position: 1 },
  { type: "call_stage", call: call(1), stage: "queued", queue: named("sales"), agent: null },
  { type: "call_started", call: call(3), from: { user: "601", display: "" }, to: { user: "500", display: "" } },
  { type: "queue_offered", call: call(1), queue: named("sales"), agent: named("1001"), why: "longest idle" },
  { type: "agent_status", agent: named("1001"), status: "ringing", why: "a call is offered", call: call(1) },
  { type: "queue_entered", call: call(3), queue: named("sales"), position: 2 },
  { type: "agent_status", agent: named("1001"), status: "rest", why: "did not answer", call: call(1) },
  { type: "queue_offered", call: call(1), queue: named("sales"), agent: named("1002"), why: "longest idle" },
  { type: "agent_status", agent: named("1002"), status: "ringing", why: "a call is offered", call: call(1) },
  { type: "queue_left", call: call(1), queue: named("sales"), outcome: "served" },
  { type: "agent_status", agent: named("1002"), status: "talking", why: "took the call", call: call(1) },
  { type: "call_stage", call: call(1), stage: "bridged", queue: named("sales"), agent: named("1002") },
  { type: "leg_held", call: call(1), leg: call(2), held: true },
  { type: "leg_held", call: call(1), leg: call(2), held: false },
  { type: "leg_audio", call: call(1), leg: call(2), audio: "one_way" },
  { type: "leg_audio", call: call(1), leg: call(2), audio: "late", packets: 9, by_ms: 280 },
  { type: "leg_audio", call: call(1), leg: call(2), audio: "back" },
  { type: "queue_left", call: call(3), queue: named("sales"), outcome: "abandoned" },
  { type: "call_ended", call: call(3), cause: "cancelled", by: "caller", cdr: { legs: [] } },
  { type: "data_changed", call: call(1), key: "choice", value: "" },
  { type: "leg_ended", call: call(1), leg: call(2), cause: "normal" },
  { type: "agent_status", agent: named("1002"), status: "wrap_up", why: "the call is over", call: call(1) },
  { type: "call_ended", call: call(1), cause: "normal", by: "caller", cdr: { legs: [] } },
];
