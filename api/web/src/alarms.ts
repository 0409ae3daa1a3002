/** What the switch warned of since one came, whatever page was shown: the stream tells it once. */

import { shallowRef } from "vue";
import { onEvent } from "./floor";
import type { Event } from "./model";

/** So many are kept; older ones are in the log of the switch. */
const MOST = 200;
const KINDS = ["alarm", "config_reloaded", "trunk_changed"] as const;
export type Warning = Extract<Event, { type: (typeof KINDS)[number] }> & { seq: number; at: number };

export const warnings = shallowRef<readonly Warning[]>([]);

/** Begins to gather them; forgets those of whoever was here before. */
export function gather(): void {
  warnings.value = [];
}

onEvent((event) => {
  if ((KINDS as readonly string[]).includes(event.type)) {
    warnings.value = [event as Warning, ...warnings.value.slice(0, MOST - 1)];
  }
});
