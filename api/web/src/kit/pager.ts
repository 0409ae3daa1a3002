/** A long list, page after page from the newest: what was read stays, more comes below it. */

import { onScopeDispose, ref, shallowRef } from "vue";
import type { Page } from "../api";
import { Problem } from "../http";
import { http } from "../session";

/** The list that `ask` reads: from its beginning, or on from a mark. Nothing is asked before the first `read`. */
export function paged<T>(ask: (from: string | null, signal: AbortSignal) => Promise<{ items: T[]; next?: string | null }>) {
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
      const found = await ask(from, mine.signal);
      items.value = from === null ? found.items : [...items.value, ...found.items];
      next.value = found.next ?? null;
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

  /** Another list begins: what was read of the one before is gone. */
  function clear(): void {
    asked?.abort();
    [items.value, next.value, busy.value, first.value] = [[], null, false, true];
  }
  onScopeDispose(() => asked?.abort());
  return { items, next, problem, busy, first, clear, again: () => read(null), more: () => read(next.value) };
}

/** A list of the API, read at once. */
export function pager<T>(path: () => string, query: () => Record<string, string | number | undefined>, mark = "before", limit = 50) {
  const list = paged<T>(
    async (from, signal) => (await http.get<Page<T>>(path(), { query: { ...query(), limit, [mark]: from ?? undefined }, signal })).data,
  );
  void list.again();
  return list;
}
