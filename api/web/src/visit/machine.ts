/**
 * A visitor's call, from the press of the button to its end.
 *
 * Invariant: it does nothing. What the visitor, his browser and the switch do goes into `step`; what is to be done comes out.
 */

import type { MicFault } from "../phone/devices";

/** Why a call is over, or came to nothing. */
export type Why = "over" | "nobody" | "refused" | "lost" | "unreachable" | "not_given" | `microphone_${MicFault}`;

export type Call =
  | { is: "idle" }
  /** The browser asks the visitor whether he may be heard. */
  | { is: "asking" }
  /** The integrator's server is asked for the call, and it is made. */
  | { is: "calling" }
  /** It rings, or the queue is heard before anybody answers. */
  | { is: "waiting" }
  | { is: "up"; muted: boolean }
  | { is: "over"; why: Why };

export type Happened =
  | { what: "press" }
  | { what: "microphone" }
  | { what: "no_microphone"; fault: MicFault }
  /** The integrator's server has no call for him. */
  | { what: "not_given" }
  /** The switch is not reached. */
  | { what: "unreachable" }
  | { what: "rings" }
  | { what: "up" }
  | { what: "mute"; on: boolean }
  | { what: "hang_up" }
  /** Refused with this SIP status, before it was up. */
  | { what: "refused"; status: number }
  | { what: "ended" }
  /** Nothing comes through any more. */
  | { what: "lost" };

export type Deed =
  | { do: "ask_microphone" }
  | { do: "ask_and_call" }
  | { do: "mute"; on: boolean }
  | { do: "hang_up" }
  /** Lets the microphone, the connection and what was given go. */
  | { do: "release" };

export const IDLE: Call = { is: "idle" };

type Step = [Call, Deed[]];

export const isOn = (call: Call): boolean => call.is !== "idle" && call.is !== "over";

const over = (why: Why, ...before: Deed[]): Step => [{ is: "over", why }, [...before, { do: "release" }]];

/** What a refusal means to him: 403 is for who comes too late or a second time, the others say that nobody takes his call. */
export function meaning(status: number): Why {
  if (status === 401 || status === 403 || status === 407) {
    return "refused";
  }
  return status === 404 || status === 480 || status === 486 || status === 503 || status === 600 ? "nobody" : "lost";
}

export function step(call: Call, happened: Happened): Step {
  if (happened.what === "press") {
    return isOn(call) ? [call, []] : [{ is: "asking" }, [{ do: "ask_microphone" }]];
  }
  if (!isOn(call)) {
    return [call, []];
  }
  switch (happened.what) {
    case "microphone":
      return call.is === "asking" ? [{ is: "calling" }, [{ do: "ask_and_call" }]] : [call, []];
    case "no_microphone":
      return over(`microphone_${happened.fault}`);
    case "not_given":
    case "unreachable":
      return call.is === "up" ? [call, []] : over(happened.what);
    case "rings":
      return call.is === "calling" ? [{ is: "waiting" }, []] : [call, []];
    case "up":
      return call.is === "up" ? [call, []] : [{ is: "up", muted: false }, []];
    case "mute":
      return call.is === "up" ? [{ is: "up", muted: happened.on }, [{ do: "mute", on: happened.on }]] : [call, []];
    case "hang_up":
      return over("over", { do: "hang_up" });
    case "refused":
      return over(meaning(happened.status));
    case "ended":
      return over("over");
    case "lost":
      return over("lost", { do: "hang_up" });
  }
}
