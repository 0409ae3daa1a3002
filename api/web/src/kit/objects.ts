/** All of what is configured of a kind, page by page: the switch gives at most so many at once. */

import type { ObjectView } from "../api";
import { http } from "../session";

const PAGE = 1000;

export async function allOf(kind: string, signal?: AbortSignal): Promise<ObjectView[]> {
  const all: ObjectView[] = [];
  let next: string | null | undefined = `/api/v1/config/${kind}?limit=${PAGE}`;
  while (next) {
    const { data }: { data: { items: ObjectView[]; next?: string | null } } = await http.get(next, signal ? { signal } : {});
    all.push(...data.items);
    next = data.next;
  }
  return all;
}
