/** A long list, page after page from the newest: what was read stays, more comes below it. */

import { onScopeDispose, ref, shallowRef } from "vue";
import type { Page } from "../api";
import { Problem } from "../http";
import { http } from "../session";

export function pager<T>(path: () => string, query: () => Record<string, string | number | undefined>, mark = "before", limit = 50) {
  const items = shallowRef<T[]>([]);
  const next = ref<string | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const busy = ref(false);
  /** Nothing has been answered yet. */
  const first = ref(true);
  let asked: AbortController | null = null;

  async function read(from: string | null): Promise<void> {
    asked?.abort();
    const mine = new AbortController();
    asked = mine;
    busy.value = true;
    try {
      const { data } = await http.get<Page<T>>(path(), { query: { ...query(), limit, [mark]: from ?? undefined }, signal: mine.signal });
      items.value = from === null ? data.items : [...items.value, ...data.items];
      next.value = data.next ?? null;
      problem.value = null;
    } catch (why) {
      if (mine.signal.aborted) {
        return;
      }
      problem.value = why instanceof Problem ? why : new Problem({ status: 0, title: String(why) });
    }
    if (!mine.signal.aborted) {
      busy.value = false;
      first.value = false;
    }
  }
  onScopeDispose(() => asked?.abort());
  void read(null);
  return { items, next, problem, busy, first, again: () => read(null), more: () => read(next.value) };
}
