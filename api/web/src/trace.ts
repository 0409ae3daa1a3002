/** The ladder of a call: what the switch tells of it, and how it is laid out. */

import { ref } from "vue";
import { fill, WORDS, type Lang } from "./i18n";
import type { What } from "./model";
import { inWords } from "./words";

export interface TraceParty {
  transport: string;
  address: string;
  name: string;
}

export interface TraceMessage {
  kind: "message";
  at_us: number;
  party: number;
  sent: boolean;
  transport: string;
  local: string;
  remote: string;
  repeated: boolean;
  call_id: string;
  title: string;
  sdp: boolean;
  text: string;
}

/** What is told of a leg's audio; its values differ by its type. */
export type Media = { type: string } & Record<string, unknown>;

export type TraceNote = { kind: "note"; at_us: number } & (
  | { note: "event"; event: What }
  | { note: "ended"; cause: string; by: string }
  | { note: "media"; leg: string; media: Media }
);

export interface Trace {
  call: string | null;
  parties: TraceParty[];
  steps: (TraceMessage | TraceNote)[];
  cut: boolean;
}

export interface TraceEntry {
  call: string | null;
  call_id: string | null;
  from: string;
  to: string;
  last: number;
  title: string;
}

/** A line of the ladder: an arrow between two columns, or words across them. */
export type Row =
  | { at: number; time: string; kind: "message"; from: number; to: number; far: number; of: TraceMessage }
  | { at: number; time: string; kind: "note"; text: string; main: boolean };

/** The column of the switch: right of who came first. */
export const OURS = 1;

/** The column of a far end: the first is left of the switch. */
export const column = (party: number): number => (party === 0 ? 0 : party + 1);

/** `14:03:27.123`, in the reader's zone. */
export function moment(atUs: number): string {
  const at = new Date(atUs / 1000);
  const ms = String(Math.floor(atUs / 1000) % 1000).padStart(3, "0");
  return `${at.toLocaleTimeString("en-GB", { hour12: false })}.${ms}`;
}

/** Who a far end is: its number, else its address. */
export const partyName = (party: TraceParty): string => party.name || party.address;

export function rows(trace: Trace, lang: Lang): Row[] {
  const caller = trace.parties[0] ? partyName(trace.parties[0]) : "";
  return trace.steps.map((step, at) => {
    const time = moment(step.at_us);
    if (step.kind === "message") {
      const far = column(step.party);
      const [from, to] = step.sent ? [OURS, far] : [far, OURS];
      return { at, time, kind: "message", from, to, far, of: step };
    }
    return { at, time, kind: "note", text: noteInWords(step, caller, lang), main: step.note !== "media" };
  });
}

/** Whether the call is over: then nothing follows but a repetition. */
export const isOver = (trace: Trace): boolean =>
  trace.call === null || trace.steps.some((step) => step.kind === "note" && step.note === "ended");

function noteInWords(note: TraceNote, caller: string, lang: Lang): string {
  const words = WORDS[lang];
  const say = (what: What): string =>
    inWords({ seq: 0, at: note.at_us / 1000, caller, what: { ...what, tenant: "", seq: 0, at: 0 } }, lang);
  switch (note.note) {
    case "event":
      return say(note.event);
    case "ended":
      return say({ type: "call_ended", call: "-", cause: note.cause, by: note.by });
    case "media":
      return fill(words.media[note.media.type] ?? note.media.type, flat(note.media));
  }
}

/** The values of a media note, whatever depth they stand at. */
function flat(media: Record<string, unknown>): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [key, value] of Object.entries(media)) {
    if (value !== null && typeof value === "object") {
      Object.assign(values, flat(value as Record<string, unknown>));
    } else {
      values[key] = typeof value === "number" ? value : key === "codec" ? String(value).toUpperCase() : String(value);
    }
  }
  return values;
}

/** Which ladder is shown: an id, the list of all when empty, none when null. */
export const shown = ref<string | null>(fromHash());

/** Shows a ladder by a call's id or a SIP Call-ID, or the list; null closes it. The address can be passed on. */
export function show(id: string | null): void {
  shown.value = id;
  const hash = id === null ? "" : `#ladder=${encodeURIComponent(id)}`;
  history.replaceState(history.state, "", `${location.pathname}${hash}`);
}

function fromHash(): string | null {
  const found = /^#ladder=(.*)$/.exec(location.hash);
  try {
    return found ? decodeURIComponent(found[1] ?? "") : null;
  } catch {
    return "";
  }
}
