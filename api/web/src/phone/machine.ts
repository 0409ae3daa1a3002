/**
 * What a phone in a page does, as a pure machine: what happens goes in, what is to be done comes out.
 *
 * Invariants: at most one call is up or rings; of a call that is up enough is kept to take its place again after a reload; what is
 * kept is forgotten when the call ends, and only then.
 */

/** How the phone stands to the switch. */
export type Line =
  | { is: "off" }
  | { is: "connecting"; tries: number }
  | { is: "registered" }
  | { is: "lost"; tries: number }
  | { is: "refused"; code: number };

/** What a reloaded page needs to take its own place in a call (RFC 3891). */
export interface Kept {
  with: string;
  replaces: string;
  /** The page's clock when the call was first up, milliseconds. */
  since: number;
}

export type PhoneCall =
  | { is: "none" }
  | { is: "ringing"; from: string }
  /** A call of ours that is not answered yet: into our own place, or to the check. */
  | { is: "calling"; why: "recover" | "check" }
  | { is: "up"; since: number; why: "call" | "recover" | "check"; path: "good" | "moving" };

export interface Phone {
  line: Line;
  call: PhoneCall;
  kept: Kept | null;
  /** The network is another one, and the other end is not found yet by it. */
  moved: boolean;
  /** The next call that comes is one that the agent has asked for: until this time. */
  expects: number;
}

export type Happened =
  | { what: "start"; kept: Kept | null }
  | { what: "stop" }
  | { what: "connected" }
  | { what: "disconnected" }
  | { what: "registered" }
  | { what: "refused"; code: number }
  /** The browser says that there is a network again, or a path died without a word. */
  | { what: "network" }
  | { what: "still_moving" }
  | { what: "retry" }
  | { what: "invite"; from: string }
  | { what: "expect" }
  | { what: "answer" }
  | { what: "reject" }
  | { what: "check"; number: string }
  | { what: "up"; kept: Kept | null }
  | { what: "restarted" }
  | { what: "restart_refused" }
  | { what: "restart" }
  | { what: "over"; local: boolean };

export type Deed =
  | { do: "connect" }
  /** Throws the connection away and makes another at once. */
  | { do: "connect_anew" }
  | { do: "disconnect" }
  | { do: "later"; what: "still_moving" | "retry" | "restart"; ms: number }
  | { do: "renew_password" }
  | { do: "answer" }
  | { do: "reject"; status: number }
  | { do: "hang_up" }
  | { do: "call"; to: string; replaces: string | null }
  | { do: "restart_ice" }
  | { do: "keep"; kept: Kept }
  | { do: "forget" }
  | { do: "ring" }
  | { do: "stop_ring" }
  | { do: "end_tone" };

/** A socket that was begun by a dead network is waited for no longer. */
export const MOVING_MS = 1_000;
/** A page that has asked for a call answers the one that comes within this time. */
export const EXPECT_MS = 30_000;
/** First wait before a connection is tried again, and the longest. In a call it is tried much sooner. */
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 15_000;
const RETRY_IN_CALL_MS = 200;
/** Another offer was under way: asked again so soon. */
const RESTART_AGAIN_MS = 250;

export const OFF: Phone = {
  line: { is: "off" },
  call: { is: "none" },
  kept: null,
  moved: false,
  expects: 0,
};

export function retryMs(tries: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** Math.max(tries - 1, 0), RETRY_MOST_MS);
}

const inCall = (phone: Phone): boolean => phone.call.is === "up" || phone.call.is === "calling";

type Step = [Phone, Deed[]];

export function step(phone: Phone, happened: Happened, now: number): Step {
  if (phone.line.is === "off" && happened.what !== "start") {
    return [phone, []];
  }
  switch (happened.what) {
    case "start":
      return [{ ...OFF, line: { is: "connecting", tries: 1 }, kept: happened.kept }, [{ do: "connect" }]];
    case "stop":
      return stopped(phone);
    case "connected":
    case "disconnected":
    case "registered":
    case "refused":
    case "network":
    case "still_moving":
    case "retry":
      return line(phone, happened);
    case "expect":
      return [{ ...phone, expects: now + EXPECT_MS }, []];
    default:
      return call(phone, happened, now);
  }
}

/** A phone that is put away lets its call go: whoever signs out talks no longer. */
function stopped(phone: Phone): Step {
  const deeds: Deed[] = phone.call.is === "none" ? [] : [{ do: "stop_ring" }, { do: "hang_up" }];
  return [OFF, [...deeds, { do: "forget" }, { do: "disconnect" }]];
}

function line(phone: Phone, happened: Happened): Step {
  switch (happened.what) {
    case "connected":
      return [phone, []];
    case "disconnected": {
      const tries = phone.line.is === "lost" ? phone.line.tries + 1 : 1;
      const ms = inCall(phone) ? RETRY_IN_CALL_MS : retryMs(tries);
      const moved = phone.moved || phone.call.is === "up";
      return [{ ...phone, line: { is: "lost", tries }, moved }, [{ do: "later", what: "retry", ms }]];
    }
    case "registered":
      return registered(phone);
    case "refused":
      // a password that is not good any more is the usual reason: another one is asked for before it is tried again
      return [
        { ...phone, line: { is: "refused", code: happened.code } },
        [{ do: "renew_password" }, { do: "later", what: "retry", ms: retryMs(3) }],
      ];
    case "network":
      return [
        { ...phone, moved: true, call: moving(phone.call) },
        [{ do: "connect_anew" }, { do: "later", what: "still_moving", ms: MOVING_MS }],
      ];
    case "still_moving":
      return phone.moved && phone.line.is !== "registered"
        ? [phone, [{ do: "connect_anew" }, { do: "later", what: "still_moving", ms: MOVING_MS }]]
        : [phone, []];
    case "retry":
      return phone.line.is === "lost" || phone.line.is === "refused" ? [phone, [{ do: "connect" }]] : [phone, []];
    default:
      return [phone, []];
  }
}

const moving = (call: PhoneCall): PhoneCall => (call.is === "up" ? { ...call, path: "moving" } : call);

function registered(phone: Phone): Step {
  const there: Phone = { ...phone, line: { is: "registered" } };
  if (phone.call.is === "none" && phone.kept) {
    const { kept } = phone;
    return [
      { ...there, moved: false, call: { is: "calling", why: "recover" } },
      [{ do: "call", to: kept.with, replaces: kept.replaces }],
    ];
  }
  if (phone.moved && phone.call.is === "up") {
    return [{ ...there, call: moving(phone.call) }, [{ do: "restart_ice" }]];
  }
  return [{ ...there, moved: false }, []];
}

function call(phone: Phone, happened: Happened, now: number): Step {
  switch (happened.what) {
    case "invite":
      return invited(phone, happened.from, now);
    case "answer":
      return phone.call.is === "ringing" ? [phone, [{ do: "stop_ring" }, { do: "answer" }]] : [phone, []];
    case "reject":
      if (phone.call.is === "ringing") {
        return [phone, [{ do: "stop_ring" }, { do: "reject", status: 486 }]];
      }
      return phone.call.is === "none" ? [phone, []] : [phone, [{ do: "hang_up" }]];
    case "check":
      return phone.call.is === "none" && phone.line.is === "registered"
        ? [
            { ...phone, call: { is: "calling", why: "check" } },
            [{ do: "call", to: happened.number, replaces: null }],
          ]
        : [phone, []];
    case "up": {
      const why = phone.call.is === "calling" ? phone.call.why : "call";
      const since = why === "recover" && phone.kept ? phone.kept.since : now;
      // the check is nobody's call: a reload ends it
      const kept = why === "check" || !happened.kept ? null : { ...happened.kept, since };
      const up: PhoneCall = { is: "up", since, why, path: "good" };
      return [{ ...phone, call: up, kept, expects: 0 }, kept ? [{ do: "keep", kept }, { do: "stop_ring" }] : [{ do: "stop_ring" }]];
    }
    case "restarted":
      return phone.call.is === "up"
        ? [{ ...phone, moved: false, call: { ...phone.call, path: "good" } }, []]
        : [{ ...phone, moved: false }, []];
    case "restart_refused":
      return phone.call.is === "up" && phone.moved
        ? [phone, [{ do: "later", what: "restart", ms: RESTART_AGAIN_MS }]]
        : [phone, []];
    case "restart":
      return phone.call.is === "up" && phone.moved ? [phone, [{ do: "restart_ice" }]] : [phone, []];
    case "over": {
      const rang = phone.call.is === "ringing";
      const sound: Deed[] = rang || happened.local ? [] : [{ do: "end_tone" }];
      return [{ ...phone, call: { is: "none" }, kept: null, moved: phone.moved && phone.line.is !== "registered" }, [{ do: "stop_ring" }, { do: "forget" }, ...sound]];
    }
    default:
      return [phone, []];
  }
}

function invited(phone: Phone, from: string, now: number): Step {
  if (phone.call.is !== "none") {
    // one call at a time: the switch sends no second one to an agent, and another's is not ours to take
    return [phone, [{ do: "reject", status: 486 }]];
  }
  const ringing: Phone = { ...phone, call: { is: "ringing", from } };
  return now < phone.expects ? [ringing, [{ do: "answer" }]] : [ringing, [{ do: "ring" }]];
}
