/** What the control API says, as far as pages show it. Times are milliseconds since 1970. */

import type { Finding } from "./kit/findings";
import type { AgentStatus, CallStage, Json, Named, Party, RouteReason } from "./model";

export interface Page<T> {
  items: T[];
  next?: string | null;
}

export interface Figures {
  calls: number;
  offered: number;
  answered: number;
  answered_in_target: number;
  abandoned: number;
  timed_out: number;
  left_otherwise: number;
  service_level: number | null;
  abandon_rate: number | null;
  asa_ms: number | null;
  aht_ms: number | null;
  occupancy: number | null;
  handled: number;
  offers: number;
  non_response: number;
  talk_ms: number;
  hold_ms: number;
  wrap_up_ms: number;
  time_ready_ms: number;
  time_rest_ms: number;
  time_not_ready_ms: number;
  time_talking_ms: number;
  time_wrap_up_ms: number;
  wait_max_ms: number | null;
  legs_in: number;
  legs_out: number;
  legs_ms: number;
  [more: string]: number | null | string | undefined;
}

export interface ReportRow extends Figures {
  from: number;
  to: number;
  local: string;
  name?: string | undefined;
}
export interface Report {
  by: string;
  from: number;
  to: number;
  interval: string;
  zone: string;
  rows: ReportRow[];
  totals: ReportRow[];
}

export interface Wall {
  at: number;
  zone: string;
  day: number;
  waiting: number;
  longest_wait_ms: number | null;
  agents_by_status: Partial<Record<AgentStatus, number>>;
  today: Figures;
  queues: {
    queue: Named;
    display: string;
    waiting: number;
    waiting_over_target: number;
    longest_wait_ms: number | null;
    agents: Partial<Record<AgentStatus, number>>;
    today: Figures;
  }[];
}

export interface LegStats {
  codec: string | null;
  received: number;
  sent: number;
  lost: number;
  late: number;
  jitter_us: number;
  jitter_peak_us: number;
  mos: number | null;
  concealed_ms: number;
  gaps: number;
  fault: string | null;
  far: { lost: number; of: number; jitter_us: number; round_trip_us: number | null; mos: number | null } | null;
}
export interface LegRecord {
  leg: string;
  role: "caller" | "callee";
  party: Party;
  agent: Named | null;
  trunk?: Named | null;
  started: number;
  answered: number | null;
  ended: number;
  cause: string;
  sip_status: number | null;
  presented?: string | null;
  stats: LegStats;
  verdict?: string | null;
  findings?: Finding[];
}
export interface WrapUp {
  agent: Named;
  at: number;
  code?: string | null;
  note?: string;
}
export interface Cdr {
  call: string;
  from: Party;
  to: Party;
  started: number;
  answered: number | null;
  bridged: number | null;
  ended: number;
  cause: string;
  ended_by: string;
  agent: Named | null;
  flows: Named[];
  queues: { queue: Named; entered: number; left: number; agent: Named | null; outcome: string }[];
  legs: LegRecord[];
  recordings: string[];
  data: Record<string, Json>;
  transfers?: { at: number; kind: string; to: string; outcome: string }[];
  wrap_ups?: WrapUp[];
}
export interface Recording {
  recording: string;
  call: string;
  started: number;
  length_ms: number;
  dropped_ms: number;
  held: boolean;
  label?: string;
  parties?: { leg: string; party: Party; agent?: Named | null }[];
  file?: { format: string; codec: string; bytes: number; key?: string | null } | null;
  deleted?: { at: number; why: string } | null;
  pauses?: { at: number; from_sample: number; to_sample: number | null; by: string; why?: string }[];
}
export interface Callback {
  id: Named;
  number: string;
  queue: Named | null;
  note: string;
  since: number;
  by: string;
  attempts: number;
  last_attempt: number | null;
  taken_by: Named | null;
  state: "listed" | "waiting" | "asleep" | "calling" | "undone";
  outcome?: string;
}
export interface Campaign {
  id: number;
  name: string;
  description: string;
  kind: "smart_ivr" | "predictive" | "automatic_ivr" | "preview" | "pre_occupied";
  goal: { flow?: string; queue?: string };
  begins: number;
  ends: number;
  state: "running" | "paused" | "over";
  numbers: { pending: number; calling: number; done: number };
}
export interface CampaignNumber {
  id: number;
  called: string;
  session?: string;
  state: "pending" | "calling" | "done";
  attempts: number;
  due: number;
  result?: { outcome: string; call?: string; at: number };
}
export interface Trunk {
  trunk: Named;
  calls: number;
  max_calls: number;
  blocked: boolean;
  gateways: { address: string; state: "unknown" | "up" | "down" }[];
  registration: { registered: boolean; last_status: number | null } | null;
}
export interface ObjectView {
  kind: string;
  name: string;
  origin: "file" | "store";
  place?: string | null;
  broken?: string | null;
  version: string;
  secrets?: string[];
  document: Record<string, Json>;
  at?: number | null;
  by?: string | null;
}
export interface RouteView {
  goes_to: Record<string, Named | string | unknown[]> | null;
  reasons: RouteReason[];
  refused: string | null;
}
export interface DeskCall {
  call: string;
  leg: string;
  from: Party;
  to: Party;
  stage: CallStage;
  state: string;
  started: number;
  answered: number | null;
  bridged: number | null;
  held: boolean;
  muted: boolean;
  queue: Named | null;
  data: Record<string, Json>;
  codes: string[];
  wrap_ups?: WrapUp[];
}
export interface Desk {
  agent: Named;
  display: string;
  status: AgentStatus;
  since: number;
  until: number | null;
  why: string;
  reason: string | null;
  role: string;
  contacts: number;
  calls: DeskCall[];
  call: string | null;
  last_call: string | null;
  last_codes: string[];
  handled: number;
}
