/** A refusal in the reader's words where its kind is known, else in the switch's. */

import { i18n } from "../lang";
import type { Problem } from "../http";

export function inWords(problem: Problem): string {
  const { t, te, locale } = i18n.global;
  const { code, status } = problem;
  // 412 says nothing else, whatever the switch adds
  const known = [code, status === 412 ? "412" : ""].find((one) => one !== "" && te(`refused.${one}`));
  if (known) {
    return t(`refused.${known}`);
  }
  const detail = problem.said.detail || problem.said.title;
  const kind = te(`refused.${status}`) ? t(`refused.${status}`) : t("refused.other");
  // the detail is the switch's English: who reads that needs nothing else, who does not is told what kind it is
  return !detail ? kind : locale.value === "en" ? detail : `${kind} (${detail})`;
}

/** The same with what the switch found wrong piece by piece, where nothing else shows it: `url: no URL below one that ...`. */
export function inFull(problem: Problem): string {
  const said = problem.said.detail ? [] : problem.errors;
  return said.length > 0 ? said.join("; ") : inWords(problem);
}
