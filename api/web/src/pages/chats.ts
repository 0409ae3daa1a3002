/** Chats, as the switch shows them. */

import type { ChatMessage, Json, Named } from "../model";

export interface Chat {
  chat: string;
  channel: string;
  customer: { id: string; name: string };
  data: Record<string, Json>;
  stage: "waiting" | "open" | "closed";
  queue: Named;
  position: number | null;
  offered_to: Named[];
  agent: Named | null;
  opened: number;
  accepted: number | null;
  closed: number | null;
  end: string | null;
  ended_by: string;
  last_message: number;
  survey: { at: number; score: number; comment: string } | null;
  visits: { queue: Named; agent: Named | null; entered: number; left: number; outcome: string }[];
}

export const chatPath = (chat: string): string => `/api/v1/chats/${encodeURIComponent(chat)}`;

/** What was said, in its order and each once, whatever came twice. */
export function joined(had: readonly ChatMessage[], more: readonly ChatMessage[]): ChatMessage[] {
  const all = new Map([...had, ...more].map((one) => [one.number, one]));
  return [...all.values()].sort((a, b) => a.number - b.number);
}

/** Whether something between what is shown and this one is missing. */
export const follows = (had: readonly ChatMessage[], one: ChatMessage): boolean => one.number <= (had[had.length - 1]?.number ?? 0) + 1;

/** What somebody may do with a chat: an agent with what is offered to him or his, a supervisor and a console with any that is not over. */
export function acts(chat: Chat, agent: string | null, oversees: boolean): { accept: boolean; say: boolean; move: boolean; close: boolean } {
  const open = chat.stage === "open";
  const his = agent !== null && chat.agent?.name === agent && open;
  const offered = agent !== null && chat.stage === "waiting" && chat.offered_to.some((one) => one.name === agent);
  const over = oversees && chat.stage !== "closed";
  return { accept: offered, say: his, move: his || (over && open), close: his || over };
}
