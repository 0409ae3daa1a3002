/** Durations, times of day and parties as the page writes them. */

import type { Party } from "./model";

/** `0:07`, `12:34`, `1:02:03`. Never negative: the clocks may differ by a little. */
export function duration(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** The number, or the name where there is no number. */
export function number(party: Party): string {
  return party.user || party.display;
}

/** What is read from left to right in any line: numbers with a way between them. For headings and labels, never for what is sent on. */
export const ltr = (text: string): string => `\u2066${text}\u2069`;

/** What differs between two ids of the same start: the counted part. */
export function shortId(id: string): string {
  const dash = id.lastIndexOf("-");
  return dash < 0 ? id : `#${id.slice(dash + 1)}`;
}
