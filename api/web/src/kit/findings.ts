/** What a leg's figures come to, in the reader's words: the switch tells it piece by piece, and in a sentence of its own. */

import { i18n } from "../lang";

export interface Finding {
  what: string;
  way?: "up" | "down";
  why?: string;
  seconds?: number;
  percent?: number;
  bursts?: boolean;
  ms?: number;
}
export interface Judged {
  verdict?: string | null;
  findings?: Finding[];
}

/** Which words a finding has: what, of which way, and how. */
function keyOf(one: Finding): string {
  if (one.what === "no_audio") {
    return `no_audio_${one.why ?? "unknown"}`;
  }
  return [one.what, ...(one.way ? [one.way] : []), ...(one.bursts ? ["bursts"] : [])].join("_");
}

/** A piece that these pages know nothing of, and records of before there were pieces, are told in the switch's words. */
export function judgement(leg: Judged): string {
  const { t, te } = i18n.global;
  const found = leg.findings ?? [];
  const clean = found.filter((one) => one.what === "clean").length === 2;
  const keys = found.filter((one) => !(clean && one.what === "clean")).map((one) => ({ key: `finding.${keyOf(one)}`, one }));
  if (found.length === 0 || keys.some(({ key }) => !te(key))) {
    return leg.verdict ?? "";
  }
  const said = keys.map(({ key, one }) => t(key, { ...one }));
  return [...said, ...(clean ? [t("finding.clean")] : [])].join(t("finding.and"));
}
