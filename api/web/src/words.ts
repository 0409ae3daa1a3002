/** A line of the event list, in words. */

import { duration, number, shortId } from "./format";
import { fill, WORDS, type Lang } from "./i18n";
import type { Event, Json } from "./model";
import type { Line } from "./store";

/** How a line is marked: what asks for attention, and what is only a step. */
/** A value of the call data in a line of text. */
function shown(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export type Weight = "alarm" | "main" | "step";

export function weight(line: Line): Weight {
  switch (line.what.type) {
    case "alarm":
    case "flow_failed":
    case "gap":
      return "alarm";
    case "call_started":
    case "call_ended":
    case "call_transfer":
    case "queue_entered":
    case "queue_left":
    case "agent_status":
    case "agent_overdue":
    case "trunk_changed":
    case "campaign_changed":
    case "config_reloaded":
      return "main";
    default:
      return "step";
  }
}

export function inWords(line: Line, lang: Lang): string {
  const words = WORDS[lang];
  const { what } = line;
  if (what.type === "gap") {
    return fill(words.did.gap ?? "", { from: what.from, to: what.to });
  }
  const about = "call" in what && what.call ? line.caller || shortId(what.call) : "";
  const [text, values] = told(what, lang);
  const all = { type: what.type, caller: about, ...values };
  return fill(words.did[text] ?? words.did.unknown ?? "", lang === "ar" ? isolated(all) : all);
}

/** The same of a chat. */
function aChat(what: Extract<Event, { type: "chat" }>): [string, Record<string, string | number>] {
  const chat = shortId(what.chat);
  switch (what.what) {
    case "opened":
      return ["chat_opened", { chat, customer: what.customer?.name || what.customer?.id || "–", queue: what.queue?.name ?? "" }];
    case "accepted":
      return ["chat_accepted", { chat, agent: what.agent?.name ?? "" }];
    case "closed":
      return ["chat_closed", { chat }];
    default:
      return ["chat_other", { chat, what: what.what }];
  }
}

/** Numbers and names within a line that is read from right to left keep their own direction (U+2068, U+2069). */
const isolated = (values: Record<string, string | number>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === "" ? "" : `\u2068${value}\u2069`]));

/** Which text, and what to put into it. */
function told(what: Event, lang: Lang): [string, Record<string, string | number>] {
  const words = WORDS[lang];
  switch (what.type) {
    case "call_started":
      return ["call_started", { to: number(what.to) }];
    case "call_routed":
      return ["call_routed", { to: what.to }];
    case "call_stage":
      return [
        what.agent ? "call_stage_agent" : "call_stage",
        { stage: (words.stages[what.stage] ?? what.stage).toLowerCase(), agent: what.agent?.name ?? "" },
      ];
    case "leg_started":
      return ["leg_started", { party: number(what.party) }];
    case "leg_answered":
      return ["leg_answered", {}];
    case "leg_held":
      return [what.held ? "leg_held" : "leg_resumed", {}];
    case "leg_audio":
      return what.audio === "late"
        ? ["audio_late", { packets: what.packets, ms: what.by_ms }]
        : [`audio_${what.audio}`, {}];
    case "leg_ended":
      return ["leg_ended", { cause: words.causes[what.cause] ?? what.cause }];
    case "call_transfer":
      return [
        `transfer_${what.transfer.kind}`,
        {
          to: what.transfer.to,
          outcome: words.transfers[what.transfer.outcome] ?? what.transfer.outcome,
          cause: what.transfer.cause ? `(${words.causes[what.transfer.cause] ?? what.transfer.cause})` : "",
        },
      ];
    case "digit":
      return ["digit", { digit: what.digit }];
    case "data_changed":
      return [
        what.value === null || what.value === "" ? "data_removed" : "data_changed",
        { key: what.key, value: shown(what.value) },
      ];
    case "flow_started":
      return ["flow_started", { flow: what.flow.name }];
    case "flow_failed":
      return ["flow_failed", { flow: what.flow.name, error: what.error }];
    case "flow_log":
      return ["flow_log", { text: what.text }];
    case "queue_entered":
      return ["queue_entered", { queue: what.queue.name, position: what.position }];
    case "queue_offered":
      return ["queue_offered", { agent: what.agent.name, why: what.why }];
    case "queue_left":
      return ["queue_left", { queue: what.queue.name, outcome: words.outcomes[what.outcome] ?? what.outcome }];
    case "agent_status":
      return [
        "agent_status",
        { agent: what.agent.name, status: (words.statuses[what.status] ?? what.status).toLowerCase(), why: what.why },
      ];
    case "agent_overdue":
      return ["agent_overdue", { agent: what.agent.name }];
    case "agent_chats":
      return ["agent_chats", { agent: what.agent.name, chats: String(what.chats.length), most: String(what.most) }];
    case "agent_line":
      return [what.up ? "line_up" : "line_down", { agent: what.agent.name, why: words.lines[what.why ?? ""] ?? "" }];
    case "registered":
    case "unregistered":
      return [what.type, { user: what.user.name }];
    case "recording_ready":
      return ["recording_ready", { length: duration(what.length_ms) }];
    case "call_ended":
      return ["call_ended", { cause: words.causes[what.cause] ?? what.cause, by: words.by[what.by] ?? what.by }];
    case "chat":
      return aChat(what);
    case "table_changed":
      return ["table_changed", { table: what.table, key: what.key }];
    case "campaign_changed":
      return [`campaign_${what.change}`, { name: what.name }];
    case "campaign_number":
      return [`number_${what.state}`, { campaign: String(what.campaign), called: what.called }];
    case "trunk_changed":
      return ["trunk_changed", { trunk: what.trunk.name, gateway: what.gateway ?? "", state: what.state }];
    case "config_reloaded":
      return ["config_reloaded", { version: what.version }];
    case "alarm":
      return ["alarm", { code: what.code, text: what.text }];
    case "call_answered":
    case "recording_started":
      return [what.type, {}];
    default:
      return ["unknown", {}];
  }
}
