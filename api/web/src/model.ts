/** The switch's words, as JSON carries them. Times are milliseconds since 1970 in UTC. */

/** The id of something configured. */
export interface Named {
  tenant: string;
  name: string;
}

/** A number or user with the name it showed. */
export interface Party {
  user: string;
  display: string;
}

export const AGENT_STATUSES = ["signed_out", "ready", "not_ready", "rest", "ringing", "talking", "hold", "wrap_up", "away"] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

export const CALL_STAGES = ["routing", "flow", "queued", "ringing", "bridged", "transferring", "ending"] as const;
export type CallStage = (typeof CALL_STAGES)[number];

export interface LegView {
  leg: string;
  party: Party;
  answered: boolean;
  held: boolean;
  /** It should be heard, and is not. */
  unheard?: "nothing" | "one_way" | undefined;
}

export interface RouteReason {
  plugin: string;
  verdict: string;
  why: string;
}

/** What call data may be; an object is a list or has names. */
export type Json = string | number | boolean | object | null;

export interface CallView {
  call: string;
  from: Party;
  to: Party;
  stage: CallStage;
  started: number;
  answered: number | null;
  bridged: number | null;
  queue: Named | null;
  agent: Named | null;
  legs: LegView[];
  data: Record<string, Json>;
  route: RouteReason[];
  transfer?: Transfer | undefined;
  supervision?: Supervision | null | undefined;
}

/** A supervisor with an agent in a call. */
export interface Supervision {
  agent: Named | null;
  by: Party;
  leg: string;
  mode: string;
  turns: { at: number; mode: string }[];
  ended: number | null;
  cause: string | null;
}

/** A party that is being sent elsewhere, or was. */
export interface Transfer {
  at: number;
  kind: "blind" | "attended" | "taken";
  by: string;
  to: string;
  leg: string | null;
  consultation: string | null;
  outcome: "open" | "done" | "failed" | "cancelled";
  cause: string | null;
}

export interface AgentView {
  agent: Named;
  display: string;
  status: AgentStatus;
  since: number;
  until: number | null;
  user: Named;
  contacts: number;
  call: string | null;
  why: string;
  /** Why he is not ready or on a break, in the words of who asked for it. */
  reason?: string | null | undefined;
  /** His break is longer than it may be; told by an event alone. */
  overdue?: boolean | undefined;
  /** The chats that take a slot of his, and how many he may have. */
  chats?: string[] | undefined;
  chat_slots?: number | undefined;
  handled: number;
}

export interface WaitingView {
  call: string;
  since: number;
  position: number;
  offered_to: Named[];
}

export interface QueueView {
  queue: Named;
  display: string;
  waiting: WaitingView[];
  agents_signed_in: number;
  agents_ready: number;
  offered: number;
  answered: number;
  abandoned: number;
  timed_out: number;
}

/** The figures of today that the page shows, of one queue. */
export interface QueueToday {
  queue: Named;
  today: { offered: number; answered: number; abandoned: number; timed_out: number; service_level: number | null };
}

/** The figures of now, as far as the page shows them. */
export interface WallView {
  queues: QueueToday[];
}

/** What happened. The record of an ended call carries more than is named here. */
export type What =
  | { type: "call_started"; call: string; from: Party; to: Party }
  | { type: "call_routed"; call: string; to: string; reasons: RouteReason[] }
  | { type: "call_stage"; call: string; stage: CallStage; queue: Named | null; agent: Named | null }
  | { type: "call_answered"; call: string }
  | { type: "leg_started"; call: string; leg: string; party: Party }
  | { type: "leg_answered"; call: string; leg: string }
  | { type: "leg_held"; call: string; leg: string; held: boolean }
  | { type: "leg_audio"; call: string; leg: string; audio: "nothing" | "one_way" | "back" }
  | { type: "leg_audio"; call: string; leg: string; audio: "late"; packets: number; by_ms: number }
  | { type: "leg_ended"; call: string; leg: string; cause: string }
  | { type: "call_transfer"; call: string; transfer: Transfer }
  | { type: "call_supervised"; call: string; supervision: Supervision }
  | { type: "digit"; call: string; digit: string }
  | { type: "data_changed"; call: string; key: string; value: Json }
  | { type: "flow_started"; call: string; flow: Named }
  | { type: "flow_failed"; call: string; flow: Named; error: string }
  | { type: "flow_log"; call: string; text: string }
  | { type: "queue_entered"; call: string; queue: Named; position: number }
  | { type: "queue_offered"; call: string; queue: Named; agent: Named; why: string }
  | { type: "queue_left"; call: string; queue: Named; outcome: string }
  | { type: "agent_status"; agent: Named; status: AgentStatus; why: string; call: string | null; reason?: string | null }
  | { type: "agent_overdue"; agent: Named; since: number }
  | { type: "agent_chats"; agent: Named; chats: string[]; most: number }
  | { type: "chat"; chat: string; what: string; said?: ChatMessage; from?: { side: string }; on?: boolean; queue?: Named; agent?: Named | null; customer?: { id: string; name: string }; end?: string }
  | { type: "table_changed"; table: string; key: string; removed: boolean; by: string }
  | { type: "campaign_changed"; campaign: number; name: string; change: "made" | "changed" | "paused" | "resumed" | "over" | "deleted" }
  | { type: "campaign_number"; campaign: number; number: number; called: string; state: "pending" | "calling" | "done" }
  | { type: "agent_line"; agent: Named; up: boolean; why?: string }
  | { type: "registered"; user: Named; uri: string }
  | { type: "unregistered"; user: Named; uri: string }
  | { type: "recording_started"; call: string; recording: string }
  | { type: "recording_ready"; call: string; recording: string; length_ms: number }
  | { type: "call_ended"; call: string; cause: string; by: string; cdr?: unknown }
  | { type: "trunk_changed"; trunk: { tenant: string; name: string }; gateway: string | null; state: string }
  | { type: "config_reloaded"; version: number }
  | { type: "alarm"; code: string; text: string };

/** One event: numbered without gaps within one start of the switch; the next goes on behind it. */
export type Event = What & { tenant: string; seq: number; at: number };

export interface Snapshot {
  seq: number;
  calls: CallView[];
  queues: QueueView[];
  agents: AgentView[];
}

/** One message of the stream. */
export type StreamItem =
  | { message: "hello"; start: number; last: number }
  | ({ message: "event" } & Event)
  | { message: "gap"; from: number; to: number }
  | ({ message: "snapshot" } & Snapshot)
  | { message: "position"; seq: number }
  | { message: "closing"; reason: string };

/** A named id as text, for keys and comparison. */
export const nameOf = (id: Named): string => `${id.tenant}/${id.name}`;

/** Something that was said in a chat. */
export interface ChatMessage {
  number: number;
  at: number;
  from: { side: "customer" } | { side: "agent"; agent: string };
  text: string;
  id?: string | null;
}
