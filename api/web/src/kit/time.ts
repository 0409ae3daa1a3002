/** Times as people read them: in the tenant's zone, in their own language. */

import { language } from "../lang";
import { me } from "../session";

const DAY = 86_400_000;
const made = new Map<string, Intl.DateTimeFormat>();

function form(zone: string, of: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${of} ${JSON.stringify(options)}`;
  let found = made.get(key);
  if (!found) {
    // Latin digits: a time is compared with those of phones and logs.
    found = new Intl.DateTimeFormat(of, { ...options, timeZone: zone, hour12: false, numberingSystem: "latn" });
    made.set(key, found);
  }
  return found;
}

const zone = (): string => me.value?.zone ?? "UTC";

/** `2026-11-22 14:03:27`, as records are read. */
export function stamp(at: number | null | undefined, of = zone()): string {
  if (at === null || at === undefined) {
    return "–";
  }
  const bits = Object.fromEntries(
    form(of, "en-CA", { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" })
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const hour = bits["hour"] === "24" ? "00" : bits["hour"];
  return `${bits["year"]}-${bits["month"]}-${bits["day"]} ${hour}:${bits["minute"]}:${bits["second"]}`;
}

/** `14:03:27`. */
export const timeOfDay = (at: number | null | undefined, of = zone()): string => stamp(at, of).slice(-8);

/** `22 Nov, 14:03` in the reader's words. */
export const short = (at: number): string =>
  form(zone(), language.value, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }).format(at);

/** What the tenant's clock shows at a moment, milliseconds after midnight. */
function shown(at: number, of: string): number {
  const [hours, minutes, seconds] = timeOfDay(at, of).split(":").map(Number);
  return (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000 + (at % 1000);
}

/** When the tenant's day began. Where the clock has been changed since, so much less or more has gone by than it shows. */
export function dayBegan(now: number, of = zone()): number {
  const began = now - shown(now, of);
  const off = shown(began, of);
  return began - (off > DAY / 2 ? off - DAY : off);
}

/** A moment from what the tenant's clock shows then: `2026-11-22T14:03`. Of a time that is left out when clocks are changed, the one
 * an hour on; of one that comes twice, one of the two. */
export function momentOf(text: string, of = zone()): number | null {
  const bare = Date.parse(`${text}Z`);
  if (Number.isNaN(bare)) {
    return null;
  }
  const ahead = (at: number): number => Date.parse(`${stamp(at, of).replace(" ", "T")}Z`) - at;
  const first = bare - ahead(bare);
  return bare - ahead(first);
}
