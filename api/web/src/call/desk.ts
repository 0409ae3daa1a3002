/** An agent's desk, as the switch gives it, and what he can do there now. Shared by the bar and the workbench. */

export type Status =
  | "signed_out" | "ready" | "not_ready" | "rest" | "ringing" | "talking" | "hold" | "wrap_up" | "away";
export const STATUSES: readonly Status[] = [
  "signed_out", "ready", "not_ready", "rest", "ringing", "talking", "hold", "wrap_up", "away",
];

export type SeatState =
  | "talking" | "consulting" | "sending" | "consulted" | "supervising" | "dialling" | "waiting" | "ringing";

export interface Id {
  tenant: string;
  name: string;
}

export interface Party {
  user: string;
  display: string;
}

export interface Leg {
  leg: string;
  party: Party;
  answered: boolean;
  held: boolean;
  muted?: boolean;
  unheard?: "nothing" | "one_way";
}

export interface DeskCall {
  leg: string;
  state: SeatState;
  held: boolean;
  muted: boolean;
  /** Whether the call is recorded; switches of before do not say. */
  recording?: "never" | "off" | "on" | "paused";
  call: string;
  from: Party;
  to: Party;
  stage: string;
  started: number;
  answered: number | null;
  bridged: number | null;
  queue: Id | null;
  agent: Id | null;
  legs: Leg[];
  data: Record<string, unknown>;
  codes: string[];
  wrap_ups?: { agent: Id; code?: string; note?: string }[];
  transfer?: { kind: string; to: string; outcome: string };
  supervision?: { by: Party; mode: string; turns: unknown[]; ended?: number | null };
}

export interface Desk {
  agent: Id;
  display: string;
  status: Status;
  since: number;
  until: number | null;
  user: Id;
  device?: unknown;
  contacts: number;
  call: string | null;
  why: string;
  reason: string | null;
  role: string;
  calls: DeskCall[];
  last_call: string | null;
  last_codes: string[];
}

/** An event in the words of the reference contact centre, for the page that has the bar. */
export interface ReferenceEvent {
  eventType: string;
  workNo: string;
  content: unknown;
  eventGenTime?: number;
}

/** One message of the desk's stream. */
export type Turn = { desk: Desk; events: ReferenceEvent[]; at: number } | { closing: string };

export interface Targets {
  agents: { agent: Id; display: string; status: Status; since: number; reason: string | null; role: string }[];
  queues: {
    name: string; display: string; waiting: number; since: number | null;
    agents_signed_in: number; agents_ready: number;
  }[];
  flows: string[];
  numbers: string[];
  check: string | null;
}

export type Deed =
  | "answer" | "reject" | "hang_up" | "hold" | "retrieve" | "mute" | "unmute" | "keys" | "consult" | "transfer"
  | "conference" | "complete" | "cancel" | "merge" | "call" | "wrap_up" | "ready" | "not_ready" | "rest" | "sign_out"
  | "record" | "record_pause" | "record_resume";

/** The call that an agent's orders mean. */
export const callOf = (desk: Desk | null): DeskCall | null => desk?.calls[0] ?? null;

/** A call that rings while another is up, or the only one. */
export const ringing = (desk: Desk | null): DeskCall | null =>
  desk?.calls.find((call) => call.state === "ringing") ?? null;

/** Whether he began it: his own leg is the first. */
export const isOwn = (call: DeskCall): boolean => call.legs[0]?.leg === call.leg;

/** Those in the call who are not he. */
export const others = (call: DeskCall): Leg[] => call.legs.filter((leg) => leg.leg !== call.leg);

/** With whom he has to do: the caller, or whom he called. */
export function party(call: DeskCall): Party {
  return isOwn(call) ? (others(call)[0]?.party ?? call.to) : call.from;
}

export function isConference(call: DeskCall): boolean {
  return call.state === "talking" && others(call).filter((leg) => leg.answered).length > 1;
}

/** What he can do now; each entry is a control that is shown as usable. */
export function can(desk: Desk | null): ReadonlySet<Deed> {
  const able = new Set<Deed>();
  if (!desk || desk.status === "signed_out") {
    return able;
  }
  const call = callOf(desk);
  able.add("sign_out");
  if (desk.status !== "ready") {
    able.add("ready");
  }
  if (desk.status !== "not_ready") {
    able.add("not_ready");
  }
  if (desk.status !== "rest") {
    able.add("rest");
  }
  if (!call) {
    able.add("call");
    if (desk.last_call) {
      able.add("wrap_up");
    }
    return able;
  }
  able.add("hang_up");
  if (call.state === "ringing") {
    able.add("answer").add("reject");
    return able;
  }
  able.add("wrap_up").add("keys");
  able.add(call.muted ? "unmute" : "mute");
  if (call.recording === "on") {
    able.add("record_pause");
  } else if (call.recording === "paused") {
    able.add("record_resume");
  } else if (call.recording === "off" && call.state === "talking") {
    able.add("record");
  }
  if (call.state === "talking") {
    able.add(call.held ? "retrieve" : "hold");
    if (isConference(call)) {
      able.add("conference");
    } else if (!call.held) {
      able.add("consult").add("transfer").add("conference");
    }
  } else if (call.state === "consulting") {
    able.add("cancel");
    if (others(call).filter((leg) => leg.answered).length > 1) {
      able.add("complete").add("merge");
    }
  } else if (call.state === "sending") {
    able.add("cancel");
  }
  return able;
}

/** What the call has for the agent to read: what a flow found out, without what is the switch's own. */
export function facts(call: DeskCall): [string, string][] {
  return Object.entries(call.data)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)]);
}
