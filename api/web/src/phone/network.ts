/** How a call sounds, from what the browser counts: figures over the last seconds, and a verdict with its reasons. */

/** What was counted at one moment, since the call began. */
export interface Counts {
  /** Milliseconds of the page's clock. */
  at: number;
  received: number;
  lost: number;
  /** Samples that were made up because none came, of all that were played. */
  concealed: number;
  played: number;
  jitterMs: number;
  sent: number;
  /** Of what we sent, as the switch reports it: a share. */
  remoteLost: number | null;
  roundTripMs: number | null;
  /** 0 to 1. */
  levelIn: number;
  levelOut: number;
}

/** Figures over a stretch of time. */
export interface Figures {
  /** A share of what should have come. */
  lossIn: number;
  lossOut: number | null;
  /** A share of what was heard. */
  concealed: number;
  jitterMs: number;
  roundTripMs: number | null;
  packetsPerSecond: number;
}

export type Grade = "good" | "fair" | "poor";
export type Reason = "nothing_comes" | "loss_in" | "loss_out" | "late" | "jitter" | "gaps";
export interface Verdict {
  grade: Grade;
  reasons: Reason[];
}

/** Samples that are looked back on: about ten seconds. */
export const WINDOW = 10;

/** What a figure may be before it is heard, and before it hurts. */
const LIMITS: readonly { reason: Reason; of: (figures: Figures) => number; fair: number; poor: number }[] = [
  { reason: "loss_in", of: (f) => f.lossIn, fair: 0.02, poor: 0.06 },
  { reason: "loss_out", of: (f) => f.lossOut ?? 0, fair: 0.02, poor: 0.06 },
  { reason: "late", of: (f) => f.roundTripMs ?? 0, fair: 300, poor: 600 },
  { reason: "jitter", of: (f) => f.jitterMs, fair: 30, poor: 80 },
  { reason: "gaps", of: (f) => f.concealed, fair: 0.05, poor: 0.15 },
];
/** Fewer packets a second than this are none. */
const NOTHING = 2;

export function figures(counts: readonly Counts[]): Figures | null {
  const last = counts.at(-1);
  const first = counts.at(-Math.min(counts.length, WINDOW + 1));
  if (!first || !last || last.at <= first.at) {
    return null;
  }
  const came = last.received - first.received;
  const lost = Math.max(0, last.lost - first.lost);
  const played = last.played - first.played;
  const concealed = Math.max(0, last.concealed - first.concealed);
  return {
    lossIn: came + lost > 0 ? lost / (came + lost) : 0,
    lossOut: last.remoteLost,
    concealed: played > 0 ? Math.min(1, concealed / played) : 0,
    jitterMs: last.jitterMs,
    roundTripMs: last.roundTripMs,
    packetsPerSecond: (came * 1_000) / (last.at - first.at),
  };
}

export function judge(figures: Figures): Verdict {
  if (figures.packetsPerSecond < NOTHING) {
    return { grade: "poor", reasons: ["nothing_comes"] };
  }
  const beyond = (name: "fair" | "poor"): Reason[] =>
    LIMITS.filter((limit) => limit.of(figures) >= limit[name]).map((limit) => limit.reason);
  const poor = beyond("poor");
  const fair = beyond("fair");
  return { grade: poor.length > 0 ? "poor" : fair.length > 0 ? "fair" : "good", reasons: poor.length > 0 ? poor : fair };
}

interface Report {
  type: string;
  kind?: string;
  [key: string]: unknown;
}

const number = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);

/** What `RTCPeerConnection.getStats` says of the audio. */
export function count(reports: Iterable<unknown>, at: number): Counts {
  const counts: Counts = {
    at, received: 0, lost: 0, concealed: 0, played: 0, jitterMs: 0, sent: 0,
    remoteLost: null, roundTripMs: null, levelIn: 0, levelOut: 0,
  };
  for (const one of reports) {
    const report = one as Report;
    if (report.type === "inbound-rtp" && report.kind === "audio") {
      counts.received += number(report["packetsReceived"]);
      counts.lost += number(report["packetsLost"]);
      counts.concealed += number(report["concealedSamples"]) - number(report["silentConcealedSamples"]);
      counts.played += number(report["totalSamplesReceived"]);
      counts.jitterMs = Math.max(counts.jitterMs, number(report["jitter"]) * 1_000);
      counts.levelIn = Math.max(counts.levelIn, number(report["audioLevel"]));
    } else if (report.type === "outbound-rtp" && report.kind === "audio") {
      counts.sent += number(report["packetsSent"]);
    } else if (report.type === "remote-inbound-rtp" && report.kind === "audio") {
      counts.remoteLost = number(report["fractionLost"]);
      if (typeof report["roundTripTime"] === "number") {
        counts.roundTripMs = number(report["roundTripTime"]) * 1_000;
      }
    } else if (report.type === "candidate-pair" && report["nominated"] === true && counts.roundTripMs === null) {
      const trip = report["currentRoundTripTime"];
      counts.roundTripMs = typeof trip === "number" ? trip * 1_000 : null;
    } else if (report.type === "media-source" && report.kind === "audio") {
      counts.levelOut = Math.max(counts.levelOut, number(report["audioLevel"]));
    }
  }
  return counts;
}
