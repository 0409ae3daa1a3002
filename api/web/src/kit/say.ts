/** What is said when the switch refuses: in the reader's words where the code is known, else in the switch's. */

import { i18n } from "../lang";
import { Problem } from "../http";
import { ElMessage, ElMessageBox } from "./ui";

export function inWords(problem: Problem): string {
  const { t, te } = i18n.global;
  const key = `refused.${problem.code || problem.status}`;
  const said = te(key) ? t(key) : "";
  const detail = problem.said.detail ?? "";
  if (said === "") {
    return detail || problem.said.title || t("refused.other");
  }
  return detail && problem.code === "" ? `${said} ${detail}` : said;
}

export const done = (text: string): void => void ElMessage({ type: "success", message: text, grouping: true, duration: 2500 });

export function refuse(why: unknown): void {
  const text = why instanceof Problem ? inWords(why) : String(why);
  ElMessage({ type: "error", message: text, grouping: true, duration: 6000, showClose: true });
}

/** Asks before what cannot be taken back. */
export async function sure(text: string, button: string): Promise<boolean> {
  const { t } = i18n.global;
  try {
    await ElMessageBox.confirm(text, "", { confirmButtonText: button, cancelButtonText: t("do.cancel"), type: "warning", autofocus: false });
    return true;
  } catch {
    return false;
  }
}

/** Does it, and says what came of it. */
export async function order(what: () => Promise<unknown>, said?: string): Promise<boolean> {
  try {
    await what();
    if (said) {
      done(said);
    }
    return true;
  } catch (why) {
    refuse(why);
    return false;
  }
}
