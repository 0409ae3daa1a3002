/** The bar's state, as a pure reducer: what the switch, the phone and the agent do goes in. */

import type { MicFault } from "../phone/devices";
import { OFF, type Phone } from "../phone/machine";
import type { Quality } from "../phone/phone";
import { callOf, isOwn, party, ringing, type Desk, type Targets } from "../call/desk";

export type Sheet = "none" | "dial" | "keys" | "transfer" | "conference" | "consult" | "wrap_up" | "settings" | "check" | "rest";

export interface Note {
  id: number;
  kind: "error" | "good";
  /** A code of the switch's, or a key of the messages. */
  code: string;
  detail: string;
}

export interface Asked {
  tenant: string;
  agent: string;
  why: "first" | "over" | "taken_over" | "signed_out";
}

export interface Bar {
  is: "asking" | "coming" | "there";
  asked: Asked;
  /** The desk cannot be followed: what is shown may be old. Since when. */
  lost: number | null;
  desk: Desk | null;
  /** By how much the switch's clock is ahead of ours, milliseconds. */
  skew: number;
  phone: Phone;
  quality: Quality | null;
  mic: MicFault | null;
  targets: Targets | null;
  sheet: Sheet;
  /** Orders that are not answered yet. */
  pending: ReadonlySet<string>;
  notes: readonly Note[];
  folded: boolean;
  /** The call that he has let go himself. */
  left: string | null;
  /** What is to be said of the call that is up or was last. It stays while the page is loaded anew. */
  wrap: { call: string | null; code: string; note: string; saved: boolean };
}

export type Message =
  | { is: "signed_in" }
  | { is: "asked"; asked: Asked }
  | { is: "turn"; desk: Desk; at: number; now: number }
  | { is: "lost"; now: number }
  | { is: "phone"; phone: Phone }
  | { is: "quality"; quality: Quality | null }
  | { is: "mic"; fault: MicFault | null }
  | { is: "targets"; targets: Targets }
  | { is: "sheet"; sheet: Sheet }
  | { is: "order"; what: string }
  | { is: "answered"; what: string }
  | { is: "refused"; what: string; code: string; detail: string }
  | { is: "note"; kind: "error" | "good"; code: string }
  | { is: "read"; id: number }
  | { is: "fold"; folded: boolean }
  | { is: "left" }
  | { is: "wrap"; code?: string; note?: string; saved?: boolean };

/** Most that is shown at once; the oldest goes. */
const NOTES = 3;

export function begin(tenant: string, agent: string, folded: boolean): Bar {
  return {
    is: "asking",
    asked: { tenant, agent, why: "first" },
    lost: null,
    desk: null,
    skew: 0,
    phone: OFF,
    quality: null,
    mic: null,
    targets: null,
    sheet: "none",
    pending: new Set(),
    notes: [],
    folded,
    left: null,
    wrap: { call: null, code: "", note: "", saved: false },
  };
}

export function reduce(bar: Bar, message: Message): Bar {
  switch (message.is) {
    case "signed_in":
      return { ...bar, is: "coming", lost: null, notes: [], pending: new Set() };
    case "asked":
      return { ...begin(message.asked.tenant, message.asked.agent, bar.folded), asked: message.asked };
    case "turn":
      return turned(bar, message);
    case "lost":
      return bar.lost === null ? { ...bar, lost: message.now } : bar;
    case "phone":
      return { ...bar, phone: message.phone };
    case "quality":
      return { ...bar, quality: message.quality };
    case "mic":
      return { ...bar, mic: message.fault };
    case "targets":
      return { ...bar, targets: message.targets };
    case "sheet":
      return { ...bar, sheet: message.sheet };
    case "left":
      return { ...bar, left: callOf(bar.desk)?.call ?? null };
    case "fold":
      return { ...bar, folded: message.folded };
    case "wrap": {
      const { is: _, ...said } = message;
      const saved = said.saved ?? false;
      return { ...bar, wrap: { ...bar.wrap, ...said, saved } };
    }
    default:
      return ordered(bar, message);
  }
}

function ordered(bar: Bar, message: Message): Bar {
  const without = (what: string): ReadonlySet<string> => new Set([...bar.pending].filter((known) => known !== what));
  switch (message.is) {
    case "order":
      return { ...bar, pending: new Set([...bar.pending, message.what]) };
    case "answered":
      return { ...bar, pending: without(message.what) };
    case "refused":
      return noted({ ...bar, pending: without(message.what) }, "error", message.code, message.detail);
    case "note":
      return noted(bar, message.kind, message.code, "");
    case "read":
      return { ...bar, notes: bar.notes.filter((note) => note.id !== message.id) };
    default:
      return bar;
  }
}

function noted(bar: Bar, kind: Note["kind"], code: string, detail: string): Bar {
  const id = Math.max(0, ...bar.notes.map((note) => note.id)) + 1;
  // the same again is the same
  const others = bar.notes.filter((note) => note.code !== code || note.detail !== detail);
  return { ...bar, notes: [...others, { id, kind, code, detail }].slice(-NOTES) };
}

function turned(bar: Bar, { desk, at, now }: { desk: Desk; at: number; now: number }): Bar {
  const before = callOf(bar.desk);
  const call = callOf(desk);
  const there: Bar = { ...bar, is: "there", desk, lost: null, skew: at - now };
  // a call that rings is seen, whatever is open; what belongs to a call closes with it
  const rings = ringing(desk) !== null && ringing(bar.desk) === null;
  const gone = before !== null && call?.call !== before.call;
  const ofCall: readonly Sheet[] = ["keys", "transfer", "conference", "consult"];
  const sheet = (gone && ofCall.includes(bar.sheet)) || (rings && bar.sheet !== "check") ? "none" : bar.sheet;
  const shown: Bar = { ...there, sheet, folded: rings ? false : bar.folded, wrap: wrapOf(bar, desk) };
  // whom he called is gone before he has answered: that is said, or he would wonder
  const untalked = before?.state === "dialling" || before?.state === "ringing";
  const own = before !== null && isOwn(before) && party(before).user !== bar.targets?.check;
  const failed = gone && own && untalked && bar.left !== before.call;
  return failed ? noted(shown, "error", "call_failed", party(before).user) : shown;
}

/** A note belongs to its call: the next call begins with an empty one. */
function wrapOf(bar: Bar, desk: Desk): Bar["wrap"] {
  const up = desk.calls.find((call) => call.state !== "ringing");
  const call = up?.call ?? desk.last_call;
  if (call === bar.wrap.call) {
    return bar.wrap;
  }
  // what was begun of a call before the page was loaded anew is said under the same call
  const said = up?.wrap_ups?.find((said) => said.agent.name === desk.agent.name);
  return { call, code: said?.code ?? "", note: said?.note ?? "", saved: said !== undefined };
}

/** What he has written of a call and not saved, where another call has taken its place: it would be lost. */
export function unsaved(before: Bar["wrap"], after: Bar["wrap"]): Bar["wrap"] | null {
  const left = before.call !== null && before.call !== after.call;
  return left && !before.saved && (before.code !== "" || before.note !== "") ? before : null;
}

/** Codes that he may give now. */
export const codesOf = (desk: Desk | null): string[] => callOf(desk)?.codes ?? desk?.last_codes ?? [];
