/** What is said when something was done or refused, and what is asked before it. */

import { i18n } from "../lang";
import { Problem } from "../http";
import { inFull } from "./refusal";
import { ElMessage, ElMessageBox } from "./ui";

export const done = (text: string): void => void ElMessage({ type: "success", message: text, grouping: true, duration: 2500 });

export function refuse(why: unknown): void {
  const text = why instanceof Problem ? inFull(why) : String(why);
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
