/** The bar at work: its state, the switch, the phone and the page around, tied together. */

import { computed, ref, shallowRef } from "vue";
import { PagePhone } from "../phone/phone";
import { callOf, can, isOwn, ringing, type Turn } from "../call/desk";
import { Client, cookieSession, Problem, signIn, type Session, type SignIn, type Telephones } from "./client";
import type { Embed } from "./embed";
import { CODES, fromAround, hot, OPENS, type Hot } from "./hotkeys";
import type { Phone } from "../phone/machine";
import { browser, Notifier } from "./notices";
import { Renewal } from "./renewal";
import { begin, reduce, unsaved, type Bar, type Message, type Sheet } from "./state";

/** What is kept for the tab: a reload goes on where it was. */
const KEPT = "cordboard.session";
const NOTES = "cordboard.note";
/** Kept for the browser: whether keys work while the page around has the focus. */
const AROUND = "cordboard.keys_around";
/** First wait before the desk is followed again, and the longest. */
const AGAIN_FIRST_MS = 500;
const AGAIN_MOST_MS = 8_000;
/** How often targets are asked for while they are looked at. */
const TARGETS_MS = 2_500;

export const bar = shallowRef<Bar>(begin("default", "", false));
/** The page's clock, by the second. */
export const tick = ref(Date.now());
/** The switch's time. */
export const now = computed(() => tick.value + bar.value.skew);
export const able = computed(() => can(bar.value.desk));
export const call = computed(() => callOf(bar.value.desk));
/** Calls that come while the tab is hidden. */
export const notices = new Notifier(browser);
/** Whether the phone of the page rings or talks; else his call is at another device. */
export const here = computed(() => bar.value.phone.call.is !== "none");

let embed: Embed;
let client: Client | null = null;
let phone: PagePhone | null = null;
let following: AbortController | null = null;
/** One reading of the desk, and what ends the wait for the next. */
let reading: AbortController | null = null;
let wake: (() => void) | null = null;
let watching: ReturnType<typeof setInterval> | null = null;

function put(message: Message): void {
  const before = bar.value;
  bar.value = reduce(before, message);
  if (before.folded !== bar.value.folded) {
    embed.size(bar.value.folded ? "folded" : "open");
  }
}

export function startDesk(around: Embed, tenant: string, account: string, signed: boolean): void {
  embed = around;
  keysAround.value = around.embedded ? keptKeys() : "unable";
  const kept = keptSession();
  bar.value = begin(kept?.tenant ?? tenant, kept?.agent ?? account, around.embedded);
  setInterval(() => (tick.value = Date.now()), 1_000);
  addEventListener("keydown", pressed);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && notices.seen());
  // only now is it known whether the page is a frame of another's
  notices.seen();
  around.listen({
    call: (number) => void callOut(number),
    joined: () => {
      around.size(bar.value.folded ? "folded" : "open");
      tellKeys();
    },
    pressed: (code) => pressedAround(code),
  });
  // another account of the page around is another agent: he signs in himself
  if (kept && (account === "" || account === kept.agent)) {
    void goOn(kept);
  } else if (signed) {
    void goOnByCookie(tenant);
  }
}

/** The enterprise has spoken for its agent, and the page around has begun his session. */
async function goOnByCookie(tenant: string): Promise<void> {
  try {
    await goOn(await cookieSession(tenant));
    inService();
  } catch {
    // a browser that keeps no cookies for frames: he signs in himself
    put({ is: "note", kind: "error", code: "no_cookie" });
  }
}

function inService(): void {
  embed.tell([{ eventType: "AgentOther_InService", workNo: client?.session.agent ?? "", content: null }]);
}

function keptSession(): Session | null {
  try {
    const read = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Session | null;
    return read && typeof read.token === "string" ? read : null;
  } catch {
    return null;
  }
}

function keepSession(session: Session | null): void {
  try {
    if (session) {
      sessionStorage.setItem(KEPT, JSON.stringify(session));
    } else {
      sessionStorage.removeItem(KEPT);
      sessionStorage.removeItem(NOTES);
    }
  } catch {
    // he signs in again after a reload
  }
}

/** Signs in; what is refused is thrown, for the form knows what to ask for next. */
export async function enter(said: SignIn): Promise<void> {
  const session = await signIn(said, place());
  keepSession(session);
  await goOn(session);
  inService();
}

const place = (): string => (embed.embedded ? "bar" : "page");

const renewal = new Renewal({
  busy: () => bar.value.desk === null || bar.value.desk.calls.length > 0 || bar.value.pending.size > 0,
  renew: async () => {
    await client?.renew();
    // the session before is over, and its stream with it
    followAnew();
  },
});

async function goOn(session: Session): Promise<void> {
  client = new Client(session);
  put({ is: "signed_in" });
  tellKeys();
  void follow(client);
  if (session.token === "") {
    renewal.start();
  }
  await startPhone();
}

/** The desk is read anew at once: by another network, or under another session. */
function followAnew(): void {
  reading?.abort();
  wake?.();
}

/** What happens to the phone tells of the network sooner than a stream that falls silent. */
function phoned(now: Phone): void {
  const before = bar.value.phone;
  put({ is: "phone", phone: now });
  const back = now.line.is === "registered" && before.line.is !== "registered" && before.line.is !== "connecting";
  if ((now.moved && !before.moved) || back) {
    followAnew();
  }
}

export async function startPhone(): Promise<void> {
  const asks = client;
  if (!asks) {
    return;
  }
  phone?.stop();
  phone = new PagePhone({
    pass: () => asks.pass(),
    told: {
      phone: phoned,
      quality: (quality) => put({ is: "quality", quality }),
      fault: (fault) => put({ is: "mic", fault }),
    },
  });
  await phone.start().catch(() => undefined);
}

/** The phone, for those who choose its devices. */
export const thePhone = (): PagePhone | null => phone;

async function follow(of: Client): Promise<void> {
  following?.abort();
  const stop = new AbortController();
  following = stop;
  let wait = AGAIN_FIRST_MS;
  while (!stop.signal.aborted) {
    const once = new AbortController();
    reading = once;
    try {
      await of.follow((turn) => {
        wait = AGAIN_FIRST_MS;
        turned(turn);
      }, AbortSignal.any([stop.signal, once.signal]));
    } catch (why) {
      const refused = why instanceof Problem && (why.status === 401 || why.status === 403 || why.status === 404);
      if (refused && !(await of.looksAgain(why))) {
        return over(why.status === 401 ? "over" : "signed_out");
      }
    }
    if (stop.signal.aborted) {
      return;
    }
    if (once.signal.aborted) {
      continue;
    }
    put({ is: "lost", now: Date.now() });
    await new Promise<void>((after) => {
      wake = after;
      setTimeout(after, wait);
    });
    wake = null;
    wait = Math.min(wait * 2, AGAIN_MOST_MS);
  }
}

function turned(turn: Turn): void {
  if ("closing" in turn) {
    return;
  }
  const first = bar.value.desk === null;
  const written = bar.value.wrap;
  put({ is: "turn", desk: turn.desk, at: turn.at, now: Date.now() });
  if (first) {
    restoreNote();
  }
  const left = unsaved(written, bar.value.wrap);
  if (left !== null) {
    void order("wrap-up", said(left));
  }
  embed.tell(turn.events);
  const rings = ringing(turn.desk);
  notices.rings(rings, bar.value.targets?.queues.find((one) => one.name === rings?.queue?.name)?.display || undefined);
  if (turn.desk.status === "signed_out") {
    over("signed_out");
  }
}

/** The session is over: who looks at the page is told why, and asked anew. */
function over(why: "over" | "taken_over" | "signed_out"): void {
  const { agent, tenant } = client?.session ?? bar.value.asked;
  following?.abort();
  following = null;
  renewal.stop();
  phone?.stop();
  phone = null;
  client = null;
  tellKeys();
  notices.rings(null);
  keepSession(null);
  put({ is: "asked", asked: { tenant, agent, why } });
}

/** Orders something; what is refused is shown in words. True if it was obeyed. */
export async function order(what: string, body: Record<string, unknown> = {}, method = "POST"): Promise<boolean> {
  if (!client || bar.value.pending.has(what)) {
    return false;
  }
  put({ is: "order", what });
  try {
    await client.order(what, body, method);
    put({ is: "answered", what });
    return true;
  } catch (why) {
    const problem = why instanceof Problem ? why : new Problem(0, "unreachable", String(why), 0, null);
    put({ is: "refused", what, code: problem.code, detail: problem.detail });
    if (problem.status === 401) {
      over("over");
    }
    return false;
  }
}

export const want = (state: string, body: Record<string, unknown> = {}): Promise<boolean> => order(state, body);

export async function signOut(): Promise<void> {
  await order("sign-out");
  if (client) {
    over("signed_out");
  }
}

/** Takes the call that rings: by the page's phone if it rings here, else by what the desk phone can be told. */
export async function answer(): Promise<void> {
  if (bar.value.phone.call.is === "ringing") {
    put({ is: "mic", fault: null });
    phone?.answer();
  } else {
    await order("answer");
  }
}

export async function hangUp(): Promise<void> {
  put({ is: "left" });
  if (bar.value.phone.call.is === "ringing") {
    phone?.reject();
  } else if (call.value) {
    await order("release");
  } else {
    phone?.reject();
  }
}

export const hold = (): Promise<boolean> => order(call.value?.held ? "retrieve" : "hold");
/** Has the call recorded, puts silence into the recording, or goes on with it: whichever is next. */
export const record = (): Promise<boolean> =>
  order(call.value?.recording === "on" ? "recording/pause" : call.value?.recording === "paused" ? "recording/resume" : "recording/start");
export const mute = (): Promise<boolean> => order(call.value?.muted ? "unmute" : "mute");

/** Calls out. The page's phone is rung first, and answers by itself, for its agent has asked. */
export async function callOut(number: string, shown = ""): Promise<boolean> {
  put({ is: "fold", folded: false });
  if (!client || !bar.value.desk) {
    put({ is: "note", kind: "error", code: "not_signed_in" });
    return false;
  }
  const to = number.replace(/[\s().-]/g, "");
  if (bar.value.phone.line.is === "registered") {
    phone?.expect();
  }
  const done = await order("call", { to, ...(shown ? { caller_number: shown } : {}) });
  if (done) {
    put({ is: "sheet", sheet: "none" });
  } else {
    failedCall();
  }
  return done;
}

/** The page around is told that nobody was called: it has asked for it. */
function failedCall(): void {
  const agent = client?.session.agent ?? "";
  embed.tell([{ eventType: "AgentEvent_Call_Out_Fail", workNo: agent, content: "" }]);
}

export async function callAgent(agent: string): Promise<boolean> {
  if (bar.value.phone.line.is === "registered") {
    phone?.expect();
  }
  const done = await order("call", { agent });
  if (done) {
    put({ is: "sheet", sheet: "none" });
  }
  return done;
}

/** Of the call that it was written of: another may ring already. */
const said = ({ call, code, note }: Bar["wrap"]): Record<string, unknown> => ({ ...(call ? { call } : {}), ...(code ? { code } : {}), ...(note ? { note } : {}) });

export async function wrapUp(): Promise<void> {
  if (await order("wrap-up", said(bar.value.wrap))) {
    put({ is: "wrap", saved: true });
    keepNote();
  }
}

export function say_(said: { code?: string; note?: string }): void {
  put({ is: "wrap", ...said });
  keepNote();
}

function keepNote(): void {
  try {
    sessionStorage.setItem(NOTES, JSON.stringify(bar.value.wrap));
  } catch {
    // a reload loses what was not saved
  }
}

/** A note that was begun before the page was loaded anew, if it is of the same call. */
function restoreNote(): void {
  try {
    const kept = JSON.parse(sessionStorage.getItem(NOTES) ?? "null") as Bar["wrap"] | null;
    if (kept && kept.call === bar.value.wrap.call) {
      put({ is: "wrap", code: kept.code, note: kept.note, saved: kept.saved });
    }
  } catch {
    // there is none
  }
}

export function open(sheet: Sheet): void {
  put({ is: "sheet", sheet });
  if (watching !== null) {
    clearInterval(watching);
    watching = null;
  }
  if (["transfer", "consult", "conference", "dial", "check", "settings"].includes(sheet)) {
    void lookForTargets();
    watching = setInterval(() => void lookForTargets(), TARGETS_MS);
  }
}

/** Whom and what he can reach, by their names. */
export async function lookForTargets(): Promise<void> {
  if (bar.value.sheet === "none" && watching !== null) {
    clearInterval(watching);
    watching = null;
    return;
  }
  try {
    const targets = await client?.targets();
    if (targets) {
      put({ is: "targets", targets });
    }
  } catch {
    // the list stays as it was; that the switch is away is said at the top
  }
}

/** Telephones beside the page; none if they cannot be asked for now. */
export const telephones = async (): Promise<Telephones | null> => (await client?.telephones().catch(() => null)) ?? null;

export const fold = (folded: boolean): void => put({ is: "fold", folded });
export const dismiss = (id: number): void => put({ is: "read", id });
export const forgetMic = (): void => put({ is: "mic", fault: null });

/** Whether the page around passes keys on: nobody has, unless he said so. `unable`: there is no page around. */
export const keysAround = ref<"unable" | "on" | "off">("unable");

export function passKeys(on: boolean): void {
  try {
    localStorage.setItem(AROUND, on ? "on" : "off");
  } catch {
    // it holds until the page is loaded anew
  }
  keysAround.value = on ? "on" : "off";
  tellKeys();
}

function keptKeys(): "on" | "off" {
  try {
    return localStorage.getItem(AROUND) === "on" ? "on" : "off";
  } catch {
    return "off";
  }
}

/** Who is not signed in has nothing to press a key for. */
function tellKeys(): void {
  embed.keys(keysAround.value === "on" && client ? CODES : []);
}

function pressedAround(code: string): void {
  const what = fromAround(code);
  if (!what || !does(what)) {
    return;
  }
  if (OPENS.has(what)) {
    put({ is: "fold", folded: false });
    embed.focus();
  }
}

function pressed(event: KeyboardEvent): void {
  const what = hot(event);
  if (what && does(what)) {
    event.preventDefault();
  }
}

/** Whether there was something to do. */
function does(what: Hot): boolean {
  const { desk, sheet, folded } = bar.value;
  const may = able.value;
  const rings = ringing(desk);
  switch (what) {
    case "answer":
      return rings !== null && act(() => void answer());
    case "hang_up":
      return may.has("hang_up") && act(() => void hangUp());
    case "hold":
      return (may.has("hold") || may.has("retrieve")) && act(() => void hold());
    case "mute":
      return (may.has("mute") || may.has("unmute")) && act(() => void mute());
    case "consult":
    case "transfer":
    case "conference":
    case "keys":
      return may.has(what) && act(() => open(what));
    case "dial":
      return may.has("call") && act(() => open("dial"));
    case "ready":
      return (
        (may.has("ready") && act(() => void want("ready"))) || (may.has("not_ready") && act(() => void want("not-ready")))
      );
    case "wrap_up":
      return may.has("wrap_up") && act(() => open("wrap_up"));
    case "close":
      return sheet !== "none" && act(() => open("none"));
    default:
      return folded;
  }
}

function act(what: () => void): boolean {
  what();
  return true;
}

export { isOwn };
