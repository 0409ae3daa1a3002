/** What may keep an agent from talking, looked at one by one, each with what to do; and the report for who helps him. */

import type { MicFault } from "./devices";
import type { Figures, Verdict } from "./network";

export type Step = "browser" | "permission" | "microphone" | "speaker" | "signalling" | "media";
export const STEPS: readonly Step[] = ["browser", "permission", "microphone", "speaker", "signalling", "media"];

export type Result =
  | { is: "waits" }
  | { is: "runs" }
  | { is: "good"; what: string }
  /** `what` is a key of the messages: what is wrong, and what to do. */
  | { is: "bad"; what: string }
  /** It cannot be looked at now. */
  | { is: "skipped"; what: string };

export type Results = Record<Step, Result>;

export const NOTHING_YET: Results = {
  browser: { is: "waits" },
  permission: { is: "waits" },
  microphone: { is: "waits" },
  speaker: { is: "waits" },
  signalling: { is: "waits" },
  media: { is: "waits" },
};

/** What of the browser counts. */
export interface Able {
  secure: boolean;
  peer: boolean;
  devices: boolean;
  socket: boolean;
}

export function browser(able: Able): Result {
  if (!able.secure) {
    return { is: "bad", what: "insecure" };
  }
  return able.peer && able.devices && able.socket ? { is: "good", what: "able" } : { is: "bad", what: "old" };
}

/** A microphone that was listened to for a while: the loudest and the softest of it, 0 to 1. */
export function heard(fault: MicFault | null, loudest: number): Result {
  if (fault) {
    return { is: "bad", what: fault };
  }
  // 60 dB below full scale is 0: a headset in a quiet room, spoken into, is well above
  if (loudest < 0.08) {
    return { is: "bad", what: "silent" };
  }
  return loudest < 0.35 ? { is: "bad", what: "soft" } : { is: "good", what: "heard" };
}

export function media(figures: Figures | null, verdict: Verdict | null): Result {
  if (!figures || !verdict) {
    return { is: "bad", what: "nothing_comes" };
  }
  return verdict.grade === "good" ? { is: "good", what: "good" } : { is: "bad", what: verdict.reasons[0] ?? "fair" };
}

export interface Around {
  at: string;
  page: string;
  agent: string;
  browser: string;
  language: string;
  screen: string;
  network: string;
  microphones: string[];
  speakers: string[];
  line: string;
}

/** The report: what support reads, in lines that can be compared. No word of it is a secret. */
export function report(results: Results, figures: Figures | null, around: Around): string {
  const ms = (value: number | null): string => (value === null ? "unknown" : `${Math.round(value)} ms`);
  const share = (value: number | null): string => (value === null ? "unknown" : `${(value * 100).toFixed(1)} %`);
  const lines = [
    "Cordboard: check of an agent's place",
    ...Object.entries(around).map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join("; ") || "none" : value}`),
    ...STEPS.map((step) => {
      const result = results[step];
      return `${step}: ${result.is}${"what" in result ? ` (${result.what})` : ""}`;
    }),
  ];
  if (figures) {
    lines.push(
      `loss in: ${share(figures.lossIn)}`,
      `loss out: ${share(figures.lossOut)}`,
      `made up: ${share(figures.concealed)}`,
      `jitter: ${ms(figures.jitterMs)}`,
      `round trip: ${ms(figures.roundTripMs)}`,
      `packets a second: ${figures.packetsPerSecond.toFixed(1)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
