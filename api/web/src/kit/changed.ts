/** A change that means the version that was read. Where somebody else was first, who changes it is asked whether to read it anew. */

import { Problem, type Asked } from "../http";
import { i18n } from "../lang";
import { sure } from "./say";

/** What a request says of the version that it means: this one, or that there is none yet. */
export const meant = (etag: string | null): Asked => (etag === null ? { ifNoneMatch: "*" } : { ifMatch: etag });

/** Writes; and where it was changed meanwhile, reads anew if that is wanted, and gives nothing. What was typed stays where it is not. */
export async function unlessChanged<T>(write: () => Promise<T>, reload: () => Promise<unknown>): Promise<T | null> {
  try {
    return await write();
  } catch (why) {
    if (why instanceof Problem && why.status === 412) {
      const { t } = i18n.global;
      if (await sure(t("refused.changed"), t("do.reload"))) {
        await reload();
        return null;
      }
    }
    throw why;
  }
}
