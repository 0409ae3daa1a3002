/**
 * What a thing of the configuration is made of, as far as a form knows it. The switch checks every change whole; what a form checks
 * itself are the same ranges, so that a person learns of a slip where he makes it. Keys that no form knows stand below it as JSON,
 * and are kept.
 */

import { rowsFault, rowsOf, type Column } from "./rows";

export type Kind = "tenants" | "accounts" | "agents" | "queues" | "skill-groups" | "numbers" | "number-groups" | "trunks" | "ways-out" | "flows" | "calendars";

export interface Field {
  key: string;
  type: "text" | "secret" | "duration" | "int" | "bool" | "choice" | "ref" | "refs" | "list" | "dest" | "json" | "rows" | "flag";
  /** Of a choice. */
  of?: readonly string[];
  /** Of a reference. */
  kind?: Kind;
  /** Of a number, or of a duration in seconds. */
  least?: number;
  most?: number;
  length?: number;
  required?: boolean;
  /** Shown when more is asked for. */
  more?: boolean;
  /** What the switch does if nothing is said. */
  initial?: string;
  /** Of rows. */
  columns?: readonly Column[];
  /** Of rows: they are things by name. */
  byName?: boolean;
  /** Of a list: of numbers. */
  numbers?: boolean;
}

const RECORD = ["always", "on_demand", "never"] as const;
const SRTP = ["off", "optional", "required", "dtls"] as const;
const DTMF = ["rfc4733", "info", "inband"] as const;
const TONES = ["CN", "US", "CA", "GB", "DE", "FR", "ES", "IT", "JP", "KR", "IN", "SG", "HK", "AU", "BR", "MX", "RU"] as const;
const DAY = 86_400;

export const SCHEMA: Record<Kind, Field[]> = {
  tenants: [
    { key: "display", type: "text" },
    { key: "domains", type: "list", required: true },
    { key: "zone", type: "text", initial: "UTC" },
    { key: "country", type: "choice", of: ["CN", "HK", "DE", "US", "GB"] },
    { key: "area_code", type: "text" },
    { key: "national_prefix", type: "text", more: true },
    { key: "international_prefix", type: "text", more: true },
    { key: "local_digits", type: "int", least: 3, most: 12, more: true },
    { key: "short_numbers", type: "list", more: true },
    { key: "wrap_up_codes", type: "list" },
    { key: "codecs", type: "list", more: true },
    { key: "srtp", type: "choice", of: SRTP, initial: "optional", more: true },
    { key: "tones", type: "choice", of: TONES, more: true },
    { key: "http_allowed", type: "list", more: true },
  ],
  accounts: [
    { key: "display", type: "text" },
    { key: "password", type: "secret" },
    { key: "dtmf", type: "choice", of: DTMF, more: true, initial: "rfc4733" },
    { key: "srtp", type: "choice", of: SRTP, more: true },
  ],
  agents: [
    { key: "display", type: "text" },
    { key: "user", type: "ref", kind: "accounts" },
    { key: "queues", type: "refs", kind: "queues" },
    { key: "skill_groups", type: "refs", kind: "skill-groups" },
    { key: "skill", type: "rows", byName: true, columns: [{ key: "name", type: "text", required: true }, { key: "level", type: "int", least: 1, most: 100, required: true }] },
    { key: "prefer", type: "rows", byName: true, more: true, columns: [{ key: "name", type: "ref", kind: "queues", required: true }, { key: "place", type: "int", least: 1, most: 9, required: true }] },
    { key: "kind", type: "choice", of: ["voice", "video", "multimedia", "all_round"], initial: "voice" },
    { key: "role", type: "choice", of: ["agent", "supervisor", "outbound"], initial: "agent" },
    { key: "caller_number", type: "text" },
    { key: "organisation", type: "text", length: 64, more: true },
    { key: "rest_limit", type: "duration", least: 60, most: DAY, more: true },
    { key: "auto_answer", type: "bool", more: true },
    { key: "auto_sign_in", type: "bool", more: true },
    { key: "phone_sign_in", type: "bool", more: true },
    { key: "record", type: "choice", of: RECORD, more: true },
    { key: "phone", type: "text", more: true },
    { key: "device", type: "choice", of: ["account", "phone"], initial: "account", more: true },
    { key: "chats", type: "int", least: 1, most: 50, initial: "5", more: true },
    { key: "default_queue", type: "ref", kind: "queues", more: true },
    { key: "device_grace", type: "duration", least: 1, most: DAY, more: true },
    { key: "keep_connected", type: "bool", more: true },
    { key: "phone_auth", type: "choice", of: ["account", "unified"], initial: "account", more: true },
    { key: "record_announcement", type: "text", more: true },
  ],
  queues: [
    { key: "display", type: "text" },
    { key: "description", type: "text", length: 50 },
    { key: "kind", type: "choice", of: ["voice", "voice_click", "video", "video_click", "multimedia"], initial: "voice" },
    { key: "strategy", type: "choice", of: ["longest_idle", "fewest_calls", "highest_skill", "least_occupied", "round_robin", "ring_all"], initial: "longest_idle" },
    { key: "skill", type: "rows", byName: true, columns: [{ key: "name", type: "text", required: true }, { key: "least", type: "int", least: 0, most: 100 }, { key: "weight", type: "int", least: 1, most: 100 }] },
    { key: "ring", type: "duration", least: 0.1, most: 600, initial: "30s" },
    { key: "wrap_up", type: "duration", least: 0, most: 3600, initial: "5s" },
    { key: "max_wait", type: "duration", least: 1, most: 60_000, initial: "60s" },
    { key: "max_length", type: "int", least: 0, most: 10_000 },
    { key: "overflow", type: "dest" },
    { key: "on_nobody", type: "dest" },
    { key: "record", type: "choice", of: RECORD },
    { key: "answer_target", type: "duration", least: 1, most: 3600, initial: "20s" },
    { key: "music", type: "text", more: true },
    { key: "wait_flow", type: "ref", kind: "flows", more: true },
    { key: "announce_every", type: "duration", least: 5, most: 3600, more: true },
    { key: "announce_wait", type: "bool", more: true },
    { key: "language", type: "choice", of: ["en", "zh"], initial: "en", more: true },
    { key: "on_timeout", type: "dest", more: true },
    { key: "on_busy", type: "dest", more: true },
    { key: "survey", type: "ref", kind: "flows", more: true },
    { key: "hold_music", type: "text", more: true },
    { key: "answer", type: "choice", of: ["entry", "agent"], initial: "entry", more: true },
    { key: "max_talk", type: "duration", least: 1, most: DAY, initial: "1d", more: true },
    { key: "on_no_answer", type: "text", initial: "rest", more: true },
    { key: "stick", type: "text", more: true },
    { key: "stick_wait", type: "duration", least: 0, most: 3600, initial: "20s", more: true },
    { key: "short_abandon", type: "duration", least: 0, most: 600, initial: "5s", more: true },
    { key: "callback_first", type: "choice", of: ["agent", "customer"], initial: "agent", more: true },
    { key: "callback_attempts", type: "int", least: 1, most: 20, initial: "3", more: true },
    { key: "callback_every", type: "duration", least: 1, most: DAY, initial: "5m", more: true },
    { key: "callback_calendar", type: "ref", kind: "calendars", more: true },
    { key: "record_announcement", type: "text", more: true },
    { key: "wrap_up_codes", type: "list", more: true },
    { key: "caller_pool", type: "ref", kind: "number-groups", more: true },
  ],
  "skill-groups": [{ key: "queues", type: "refs", kind: "queues", required: true }],
  numbers: [
    { key: "to", type: "dest", required: true },
    { key: "kind", type: "choice", of: ["voice", "multimedia"], initial: "voice", more: true },
  ],
  "number-groups": [
    { key: "numbers", type: "list", required: true },
    { key: "choice", type: "choice", of: ["round_robin", "area"], initial: "round_robin" },
  ],
  trunks: [
    { key: "gateway", type: "text" },
    { key: "peers", type: "list" },
    { key: "username", type: "text" },
    { key: "password", type: "secret" },
    { key: "domain", type: "text" },
    { key: "register", type: "duration", least: 60, most: DAY },
    { key: "max_calls", type: "int", least: 1, most: 100_000, initial: "100" },
    { key: "options_every", type: "duration", least: 0, most: 3600, initial: "30s" },
    { key: "identity", type: "choice", of: ["none", "p-asserted-identity", "remote-party-id"], initial: "none", more: true },
    { key: "number_form", type: "choice", of: ["e164", "digits", "national", "international"], initial: "e164", more: true },
    { key: "caller_pool", type: "ref", kind: "number-groups", more: true },
    { key: "calls_per_second", type: "int", least: 1, most: 100_000, more: true },
    { key: "country", type: "choice", of: ["CN", "HK", "DE", "US", "GB"], more: true },
    { key: "area_code", type: "text", more: true },
    { key: "dtmf", type: "choice", of: DTMF, more: true, initial: "rfc4733" },
    { key: "public", type: "text", more: true },
    { key: "down_after", type: "int", least: 1, most: 100, initial: "3", more: true },
    { key: "up_after", type: "int", least: 1, most: 100, initial: "2", more: true },
    { key: "record_announcement", type: "text", more: true },
    { key: "transfers", type: "bool", more: true },
    { key: "srtp", type: "choice", of: SRTP, more: true },
    { key: "record", type: "choice", of: RECORD, more: true },
    { key: "codecs", type: "list", more: true },
    {
      key: "gateways", type: "rows", more: true,
      columns: [
        { key: "address", type: "text", required: true },
        { key: "transport", type: "choice", of: ["udp", "tcp", "tls"] },
        { key: "priority", type: "int", least: 0, most: 65_535 },
        { key: "weight", type: "int", least: 0, most: 65_535 },
      ],
    },
    {
      key: "rewrite", type: "rows", more: true,
      columns: [
        { key: "direction", type: "choice", of: ["in", "out"], required: true },
        { key: "number", type: "choice", of: ["called", "caller"], required: true },
        { key: "prefix", type: "text" },
        { key: "strip", type: "int", least: 0, most: 64 },
        { key: "prepend", type: "text" },
      ],
    },
  ],
  "ways-out": [
    { key: "prefix", type: "text" },
    {
      key: "trunks", type: "rows", required: true,
      columns: [
        { key: "trunk", type: "ref", kind: "trunks", required: true },
        { key: "cost", type: "int", least: 0, most: 1_000_000 },
        { key: "weight", type: "int", least: 0, most: 65_535 },
      ],
    },
    { key: "users", type: "list" },
    { key: "from_trunks", type: "refs", kind: "trunks", more: true },
  ],
  flows: [
    { key: "kept", type: "choice", of: ["api"], required: true },
    { key: "apology", type: "text" },
    { key: "fallback", type: "dest" },
  ],
  calendars: [
    { key: "zone", type: "text" },
    { key: "weekdays", type: "list" },
    { key: "saturday", type: "list" },
    { key: "sunday", type: "list" },
    {
      key: "holiday", type: "rows",
      columns: [
        { key: "date", type: "text", required: true },
        { key: "name", type: "text" },
        { key: "hours", type: "list" },
      ],
    },
    ...["monday", "tuesday", "wednesday", "thursday", "friday"].map((key) => ({ key, type: "list" as const, more: true })),
  ],
};

/** What a new one begins with. */
export const BEGIN: Partial<Record<Kind, Record<string, unknown>>> = {
  flows: { kept: "api" },
  queues: { on_nobody: "wait" },
  "ways-out": { trunks: [{ trunk: "" }] },
};

const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `20s`, `1m`; nothing if it is no duration. */
export function seconds(text: string): number | null {
  const found = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  return found ? Number(found[1]) * (UNITS[found[2] ?? ""] ?? 0) : null;
}

/** Of tenants: they stand in ids and in names of files. */
export const TENANT = /^[a-z0-9-]{1,23}$/;
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_.+*#-]{0,63}$/;

/** What is wrong with a value, as the key of its words; empty if nothing is. */
export function fault(field: Field, value: unknown): string {
  const none = value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
  if (none) {
    return field.required ? "check.required" : "";
  }
  switch (field.type) {
    case "duration": {
      const s = seconds(String(value));
      return s === null ? "check.duration" : s < (field.least ?? 0) || s > (field.most ?? Infinity) ? "check.range" : "";
    }
    case "list":
      return field.numbers && Array.isArray(value) && !value.every((one) => /^\d+$/.test(String(one))) ? "check.integer" : "";
    case "int": {
      const n = Number(value);
      return !Number.isInteger(n) ? "check.integer" : n < (field.least ?? -Infinity) || n > (field.most ?? Infinity) ? "check.range" : "";
    }
    case "text":
      return field.length !== undefined && String(value).length > field.length ? "check.long" : "";
    case "rows":
      return rowsFault(rowsOf(value, field.columns ?? [], field.byName === true), field.columns ?? [])?.words ?? "";
    case "dest":
      return /^(release|wait|(flow|queue|agent|user):\S+|trunk:[^\s:]+:\S+)$/.test(String(value)) ? "" : "check.dest";
    default:
      return "";
  }
}

/** A range in the form in which it is typed. */
export function rangeOf(field: Pick<Field, "type" | "least" | "most"> | Column): string {
  const told = (n: number): string => {
    if (field.type !== "duration") {
      return String(n);
    }
    const unit = (["d", "h", "m", "s"] as const).find((one) => n >= (UNITS[one] ?? 1) && n % (UNITS[one] ?? 1) === 0);
    return n === 0 ? "0s" : unit ? `${n / (UNITS[unit] ?? 1)}${unit}` : `${n * 1000}ms`;
  };
  return field.least === undefined || field.most === undefined ? "" : `${told(field.least)} – ${told(field.most)}`;
}

/** The key that a line of the switch's refusal is about: `"ring" in [tenant.default.queue.q2]: ...`. */
export function keyOf(error: string): string | null {
  return /^(?:unknown key |missing key )?"([\w.-]+)" in \[/.exec(error)?.[1] ?? null;
}
/** The same among these fields: a key of a group stands in a section of its own, as `[tenant.default.access]`. */
export function keyAmong(error: string, fields: readonly Field[]): string | null {
  const key = keyOf(error);
  const group = /" in \[(?:[^\]]*\.)?([\w-]+)\]/.exec(error)?.[1];
  const inner = `${group}.${key}`;
  return fields.some((one) => one.key === inner) ? inner : key;
}
/** What it says, without the place that the form shows already. */
export const wordsOf = (error: string): string => error.replace(/^(?:(unknown key |missing key ))?"[\w.-]+" in \[[^\]]*\](?:: )?/, (_, what: string | undefined) => (what ? `${what.trim()}: ` : ""));
