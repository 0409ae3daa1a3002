/** Something that is asked of the switch: under way, here, or refused; and asked again. */

import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from "vue";
import { Problem } from "../http";

export interface Loaded<T> {
  data: ShallowRef<T | null>;
  problem: ShallowRef<Problem | null>;
  /** The first answer is on its way. Later ones replace what is shown when they are there, so that nothing jumps. */
  busy: Ref<boolean>;
  again: () => Promise<void>;
}

export function load<T>(ask: (signal: AbortSignal) => Promise<T>, at_once = true): Loaded<T> {
  const data = shallowRef<T | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const busy = ref(false);
  let asked: AbortController | null = null;
  const again = async (): Promise<void> => {
    asked?.abort();
    const mine = new AbortController();
    asked = mine;
    busy.value = true;
    try {
      const found = await ask(mine.signal);
      if (!mine.signal.aborted) {
        data.value = found;
        problem.value = null;
      }
    } catch (why) {
      if (!mine.signal.aborted) {
        problem.value = why instanceof Problem ? why : new Problem({ status: 0, title: String(why), code: "page" });
      }
    } finally {
      if (!mine.signal.aborted) {
        busy.value = false;
      }
    }
  };
  onScopeDispose(() => asked?.abort());
  if (at_once) {
    void again();
  }
  return { data, problem, busy, again };
}

/** Asks again every so often while the page is seen. */
export function every(ms: number, what: () => void): void {
  const timer = window.setInterval(() => {
    if (document.visibilityState === "visible") {
      what();
    }
  }, ms);
  onScopeDispose(() => window.clearInterval(timer));
}
