/**
 * The floor as a reader of the event stream knows it.
 *
 * Invariant: `reduce` is pure, and the state after an event depends only on the events before it. A stream that is cut
 * anywhere and taken up again with `since` leads to the same state as one that was never cut.
 *
 * Figures that no event carries (a queue's counters, an agent's devices) come in snapshots and with `merge`; they are
 * never counted here, so that nothing is counted twice.
 */

import type {
  AgentView,
  CallView,
  Event,
  Json,
  Named,
  QueueToday,
  QueueView,
  Snapshot,
  StreamItem,
  WaitingView,
  WallView,
} from "./model";
import { nameOf } from "./model";

/** Lines of the event list that are kept. */
export const LINES = 200;

/** A line of the event list. Numbers and names are copied, since the call may be gone when it is read. */
export interface Line {
  /** Its number; a gap's is that of its last missing event. */
  seq: number;
  at: number | null;
  what: Event | { type: "gap"; from: number; to: number };
  /** The caller, where the event is about a call that was known. */
  caller: string;
}

export interface Floor {
  /** The start of the switch that numbers the events; zero before the first `hello`. */
  start: number;
  /** The last event in this state. */
  seq: number;
  /** Only what concerns somebody is told: numbers that are not for him are left out, and that is no gap. */
  filtered?: boolean | undefined;
  /** Whether the state is whole up to `seq`: a snapshot came, and every event since. */
  whole: boolean;
  /** The stream cannot be followed from here: take it up anew, without `since`. */
  broken: boolean;
  /** Why the switch ended the stream. */
  closing: string | null;
  calls: ReadonlyMap<string, CallView>;
  queues: ReadonlyMap<string, QueueView>;
  agents: ReadonlyMap<string, AgentView>;
  /** Today's figures of queues: those of reports and of the wall. */
  today: ReadonlyMap<string, QueueToday["today"]>;
  /** Newest first. */
  lines: readonly Line[];
}

export function emptyFloor(): Floor {
  return {
    start: 0,
    seq: 0,
    whole: false,
    broken: false,
    closing: null,
    calls: new Map(),
    queues: new Map(),
    agents: new Map(),
    today: new Map(),
    lines: [],
  };
}

/** What to send as `since`, or nothing when a snapshot is needed. */
export function since(floor: Floor): string | null {
  return floor.whole && !floor.broken ? `${floor.start}-${floor.seq}` : null;
}

/** The state after one message. */
export function reduce(floor: Floor, item: StreamItem): Floor {
  switch (item.message) {
    case "hello":
      return hello(floor, item.start, item.last);
    case "event":
      return next(floor, item);
    case "gap":
      return {
        ...floor,
        whole: false,
        lines: withLine(floor.lines, { seq: item.to, at: null, what: { type: "gap", from: item.from, to: item.to }, caller: "" }),
      };
    case "snapshot":
      return fromSnapshot(floor, item);
    case "position":
      return floor.whole ? { ...floor, seq: Math.max(floor.seq, item.seq) } : floor;
    case "closing":
      return { ...floor, closing: item.reason };
    default:
      return floor; // of a later switch
  }
}

function hello(floor: Floor, start: number, last: number): Floor {
  const again = { ...floor, start, broken: false, closing: null };
  // A number beyond the switch's last was not its own. After a restart the numbers go on, and its state comes between.
  return floor.whole && last < floor.seq ? { ...again, whole: false } : again;
}

function next(floor: Floor, event: Event): Floor {
  if (event.seq <= floor.seq && floor.whole) {
    return floor;
  }
  if (!floor.whole || (event.seq !== floor.seq + 1 && !floor.filtered)) {
    return { ...floor, broken: true };
  }
  const about = "call" in event && event.call !== null ? floor.calls.get(event.call) : undefined;
  const caller = event.type === "call_started" ? event.from.user : (about?.from.user ?? "");
  return {
    ...happened(floor, event),
    seq: event.seq,
    lines: withLine(floor.lines, { seq: event.seq, at: event.at, what: slim(event), caller }),
  };
}

/** A call's record is long and the list does not show it. */
function slim(event: Event): Event {
  if (event.type !== "call_ended") {
    return event;
  }
  const { cdr: _, ...rest } = event;
  return rest;
}

function fromSnapshot(floor: Floor, snapshot: Snapshot): Floor {
  return {
    ...floor,
    seq: snapshot.seq,
    whole: true,
    broken: false,
    calls: new Map(snapshot.calls.map((call) => [call.call, call])),
    queues: new Map(snapshot.queues.map((queue) => [nameOf(queue.queue), queue])),
    agents: new Map(snapshot.agents.map((agent) => [nameOf(agent.agent), agent])),
  };
}

function withLine(lines: readonly Line[], line: Line): readonly Line[] {
  return [line, ...lines.slice(0, LINES - 1)];
}

/** What an event does to calls, queues and agents. */
function happened(floor: Floor, event: Event): Floor {
  switch (event.type) {
    case "call_started":
      return withCall(floor, event.call, {
        call: event.call,
        from: event.from,
        to: event.to,
        stage: "routing",
        started: event.at,
        answered: null,
        bridged: null,
        queue: null,
        agent: null,
        legs: [],
        data: {},
        route: [],
      });
    case "call_routed":
      return changeCall(floor, event.call, { route: event.reasons });
    case "call_stage":
      return staged(floor, event);
    case "call_answered":
      return changeCall(floor, event.call, { answered: event.at });
    case "leg_started":
    case "leg_answered":
    case "leg_held":
    case "leg_audio":
    case "leg_ended":
      return legged(floor, event);
    case "data_changed":
      return dataChanged(floor, event.call, event.key, event.value);
    case "queue_entered":
      return entered(floor, event.call, event.queue, event.position, event.at);
    case "queue_offered":
      return offered(floor, event.call, event.queue, event.agent);
    case "queue_left":
      return left(floor, event.call, event.queue);
    case "agent_status":
      return agentIs(floor, event);
    case "agent_overdue":
      return overdue(floor, event.agent);
    case "agent_chats":
      return withChats(floor, event);
    case "call_supervised":
      return changeCall(floor, event.call, { supervision: event.supervision });
    case "call_transfer":
      return changeCall(floor, event.call, { transfer: event.transfer.outcome === "open" ? event.transfer : undefined });
    case "call_ended":
      return ended(floor, event.call);
    case "digit":
    case "flow_started":
    case "flow_failed":
    case "flow_log":
    case "registered":
    case "unregistered":
    case "recording_started":
    case "recording_ready":
    case "trunk_changed":
    case "config_reloaded":
    case "alarm":
      return floor;
    default:
      // An event of a later switch: listed, not understood.
      return floor;
  }
}

function withCall(floor: Floor, id: string, call: CallView): Floor {
  return { ...floor, calls: new Map(floor.calls).set(id, call) };
}

function changeCall(floor: Floor, id: string, change: Partial<CallView>): Floor {
  const call = floor.calls.get(id);
  return call ? withCall(floor, id, { ...call, ...change }) : floor;
}

function staged(floor: Floor, event: Event & { type: "call_stage" }): Floor {
  const call = floor.calls.get(event.call);
  if (!call) {
    return floor;
  }
  const bridged = event.stage === "bridged" ? (call.bridged ?? event.at) : call.bridged;
  return withCall(floor, event.call, { ...call, stage: event.stage, queue: event.queue, agent: event.agent, bridged });
}

function legged(floor: Floor, event: Event & { type: "leg_started" | "leg_answered" | "leg_held" | "leg_audio" | "leg_ended" }): Floor {
  const call = floor.calls.get(event.call);
  if (!call) {
    return floor;
  }
  switch (event.type) {
    case "leg_started": {
      const leg = { leg: event.leg, party: event.party, answered: false, held: false };
      return changeCall(floor, event.call, { legs: [...call.legs.filter((l) => l.leg !== event.leg), leg] });
    }
    case "leg_answered": {
      const legs = call.legs.map((l) => (l.leg === event.leg ? { ...l, answered: true } : l));
      return changeCall(floor, event.call, { legs });
    }
    case "leg_held": {
      const legs = call.legs.map((l) => (l.leg === event.leg ? { ...l, held: event.held } : l));
      return changeCall(floor, event.call, { legs });
    }
    case "leg_audio": {
      if (event.audio === "late") {
        return floor;
      }
      const unheard = event.audio === "back" ? undefined : event.audio;
      const legs = call.legs.map((l) => (l.leg === event.leg ? { ...l, unheard } : l));
      return changeCall(floor, event.call, { legs });
    }
    case "leg_ended":
      return changeCall(floor, event.call, { legs: call.legs.filter((l) => l.leg !== event.leg) });
  }
}

function dataChanged(floor: Floor, id: string, key: string, value: Json): Floor {
  const call = floor.calls.get(id);
  if (!call) {
    return floor;
  }
  const { [key]: _, ...others } = call.data;
  return changeCall(floor, id, { data: value === null || value === "" ? others : { ...others, [key]: value } });
}

function changeWaiting(floor: Floor, id: Named, change: (waiting: WaitingView[]) => WaitingView[]): Floor {
  const name = nameOf(id);
  const queue = floor.queues.get(name);
  if (!queue) {
    return floor;
  }
  const waiting = change(queue.waiting).map((one, at) => (one.position === at + 1 ? one : { ...one, position: at + 1 }));
  return { ...floor, queues: new Map(floor.queues).set(name, { ...queue, waiting }) };
}

function entered(floor: Floor, call: string, queue: Named, position: number, at: number): Floor {
  return changeWaiting(floor, queue, (waiting) => {
    const others = waiting.filter((one) => one.call !== call);
    const place = Math.min(Math.max(position - 1, 0), others.length);
    return [...others.slice(0, place), { call, since: at, position, offered_to: [] }, ...others.slice(place)];
  });
}

function offered(floor: Floor, call: string, queue: Named, agent: Named): Floor {
  return changeWaiting(floor, queue, (waiting) =>
    waiting.map((one) => (one.call === call ? { ...one, offered_to: [...without(one, nameOf(agent)), agent] } : one)),
  );
}

function left(floor: Floor, call: string, queue: Named): Floor {
  return changeWaiting(floor, queue, (waiting) => waiting.filter((one) => one.call !== call));
}

/** No queue keeps a call that is over. */
function ended(floor: Floor, call: string): Floor {
  const calls = new Map(floor.calls);
  calls.delete(call);
  let after: Floor = { ...floor, calls };
  for (const queue of floor.queues.values()) {
    if (queue.waiting.some((one) => one.call === call)) {
      after = left(after, call, queue.queue);
    }
  }
  return after;
}

function agentIs(floor: Floor, event: Event & { type: "agent_status" }): Floor {
  const name = nameOf(event.agent);
  const known = floor.agents.get(name);
  const view: AgentView = {
    agent: event.agent,
    display: known?.display ?? "",
    status: event.status,
    // a break that is asked for again begins again
    since: known?.status === event.status && event.status !== "rest" ? known.since : event.at,
    until: null,
    user: known?.user ?? event.agent,
    contacts: known?.contacts ?? 0,
    call: ["ringing", "talking", "hold"].includes(event.status) ? event.call : null,
    why: event.why,
    reason: event.reason,
    handled: known?.handled ?? 0,
  };
  const after: Floor = { ...floor, agents: new Map(floor.agents).set(name, view) };
  return event.status === "ringing" ? after : withoutOffer(after, name);
}

function overdue(floor: Floor, agent: Named): Floor {
  const known = floor.agents.get(nameOf(agent));
  return known ? { ...floor, agents: new Map(floor.agents).set(nameOf(agent), { ...known, overdue: true }) } : floor;
}

function withChats(floor: Floor, event: Event & { type: "agent_chats" }): Floor {
  const known = floor.agents.get(nameOf(event.agent));
  const agent = known && { ...known, chats: event.chats, chat_slots: event.most };
  return agent ? { ...floor, agents: new Map(floor.agents).set(nameOf(event.agent), agent) } : floor;
}

/** Who does not ring is offered nothing. */
function withoutOffer(floor: Floor, agent: string): Floor {
  let after = floor;
  for (const queue of floor.queues.values()) {
    if (queue.waiting.some((one) => one.offered_to.some((rings) => nameOf(rings) === agent))) {
      after = changeWaiting(after, queue.queue, (waiting) =>
        waiting.map((one) => ({ ...one, offered_to: without(one, agent) })),
      );
    }
  }
  return after;
}

/** Who rings for a caller, but for one. */
function without(one: WaitingView, agent: string): Named[] {
  return one.offered_to.filter((rings) => nameOf(rings) !== agent);
}

/** Whether figures that only views carry may be different after this event. */
export function changesFigures(event: Event): boolean {
  switch (event.type) {
    case "queue_entered":
    case "queue_left":
    case "agent_status":
    case "registered":
    case "unregistered":
    case "call_ended":
    case "config_reloaded":
      return true;
    default:
      return false;
  }
}

/**
 * The figures of views that were asked for beside the stream. They may be newer than the last event, so what events
 * tell (status, who waits) is not taken from them, except for rows that are new after a reload.
 */
export function merge(floor: Floor, queues: QueueView[], agents: AgentView[], wall: WallView | null): Floor {
  return {
    ...floor,
    today: wall ? new Map((wall.queues ?? []).map((one) => [nameOf(one.queue), one.today])) : floor.today,
    queues: new Map(
      queues.map((view) => {
        const known = floor.queues.get(nameOf(view.queue));
        return [nameOf(view.queue), known ? { ...view, waiting: known.waiting } : view];
      }),
    ),
    agents: new Map(
      agents.map((view) => {
        const known = floor.agents.get(nameOf(view.agent));
        if (!known) {
          return [nameOf(view.agent), view];
        }
        const same = known.status === view.status;
        const { status, since: from, call, overdue } = known;
        const figures = { status, since: from, call, overdue, why: same ? view.why : known.why, until: same ? view.until : null };
        return [nameOf(view.agent), { ...view, ...figures }];
      }),
    ),
  };
}
