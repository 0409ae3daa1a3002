/** Looks for words in a list that the switch gives page by page, and does not search itself. */

import type { Cdr } from "../api";

/** So much is read at once while something is looked for. */
export const READ = 200;
/** Pages that one press looks through: an agent's month or so. */
const PAGES = 10;
/** As many as this are a page of what was found. */
const ENOUGH = 50;

export interface Part<T> {
  items: T[];
  next?: string | null;
}

/** Reads on until enough is found, the list is at its end, or so many pages are read; `next` is where it would go on. */
export async function find<T>(read: (from: string | null) => Promise<Part<T>>, is: (one: T) => boolean, from: string | null): Promise<Part<T>> {
  const items: T[] = [];
  let next = from;
  for (let pages = 0; pages < PAGES && items.length < ENOUGH; pages += 1) {
    const part = await read(next);
    items.push(...part.items.filter(is));
    next = part.next ?? null;
    if (next === null) {
      break;
    }
  }
  return { items, next };
}

/** What is written between the digits of a number means nothing. */
const bare = (text: string): string => (/^\+?[\d\s().\/-]+$/.test(text) ? text.replace(/[\s().\/-]/g, "") : text);
/** A number that is written in groups is one word. */
export const wordsOf = (text: string): string[] => {
  const whole = bare(text.trim()).toLocaleLowerCase();
  return whole.split(/\s+/).map(bare).filter(Boolean);
};

/** All that a person may remember of a call: who it was, the queue, what was said of it, and what a flow found out. */
function said(cdr: Cdr): string {
  const parties = [cdr.from, cdr.to, ...cdr.legs.map((leg) => leg.party)].flatMap((one) => [one.user, one.display]);
  const notes = (cdr.wrap_ups ?? []).flatMap((one) => [one.code ?? "", one.note ?? ""]);
  const data = Object.values(cdr.data).map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  return [...parties, ...cdr.queues.map((one) => one.queue.name), ...notes, ...data].join("\n").toLocaleLowerCase();
}

/** Whether each of the words stands somewhere in the record. */
export function speaksOf(cdr: Cdr, words: readonly string[]): boolean {
  const text = said(cdr);
  return words.every((word) => text.includes(word));
}
