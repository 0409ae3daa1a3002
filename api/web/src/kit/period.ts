/** Days that a list of records is narrowed to, as they are for the tenant. */

import { dayBegan } from "./time";

const DAY = 86_400_000;

export const PERIODS = ["today", "yesterday", "week", "all"] as const;
export type Period = (typeof PERIODS)[number];

/** From when to when. A day on which clocks change has not 24 hours: noon of a day is what says which day it is. */
export function within(period: Period, now: number, zone?: string): { from: number | undefined; to: number | undefined } {
  const today = dayBegan(now, zone);
  const before = (days: number): number => dayBegan(today - days * DAY + DAY / 2, zone);
  switch (period) {
    case "today":
      return { from: today, to: undefined };
    case "yesterday":
      return { from: before(1), to: today };
    case "week":
      return { from: before(6), to: undefined };
    default:
      return { from: undefined, to: undefined };
  }
}
