/** What a supervisor sees of the floor, worked out of the stream's state. */

import { number } from "../format";
import type { Floor } from "../store";

export const MODES = ["listen", "whisper", "barge_in", "intercept"] as const;
export type Mode = (typeof MODES)[number];

export interface Waits {
  call: string;
  queue: string;
  since: number;
  position: number;
  offered: string[];
  /** It is no call: a chat is seen to at its own place. */
  chat: boolean;
}

/** Who waits, the longest first. */
export function waitingOf(floor: Floor): Waits[] {
  return [...floor.queues.values()]
    .flatMap((queue) =>
      queue.waiting.map((one) => ({
        call: one.call,
        queue: queue.display || queue.queue.name,
        since: one.since,
        position: one.position,
        offered: one.offered_to.map((agent) => agent.name),
        chat: !floor.calls.has(one.call),
      })),
    )
    .sort((a, b) => a.since - b.since);
}

/** Which agents have somebody with them, and what he does there. */
export function supervised(floor: Floor): Map<string, { call: string; mode: string }> {
  const found = new Map<string, { call: string; mode: string }>();
  for (const call of floor.calls.values()) {
    const { supervision } = call;
    if (supervision && supervision.ended === null && call.agent) {
      const turns = supervision.turns;
      found.set(call.agent.name, { call: call.call, mode: turns[turns.length - 1]?.mode ?? supervision.mode });
    }
  }
  return found;
}

export function callerOf(floor: Floor, call: string | null): string {
  const view = call === null ? undefined : floor.calls.get(call);
  return view ? number(view.from) : "";
}

export const deskOf = (agent: string): string => `/api/v1/agents/${encodeURIComponent(agent)}`;
