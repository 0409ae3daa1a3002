/** Words of records. */

import { lang, WORDS } from "../i18n";

/** A cause, in words; the switch's own where there is none. */
export const causeOf = (cause: string): string => WORDS[lang.value].causes[cause] ?? cause;
export const outcomeOf = (outcome: string): string => WORDS[lang.value].outcomes[outcome] ?? outcome;
export const sideOf = (by: string): string => WORDS[lang.value].by[by] ?? by;
