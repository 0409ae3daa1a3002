/** Desks and calls for tests. */

import type { Desk, DeskCall, SeatState } from "../../src/call/desk";

export const id = (name: string) => ({ tenant: "default", name });
export const leg = (name: string, user: string, answered = true) => ({
  leg: name, party: { user, display: "" }, answered, held: false,
});

export function call(state: SeatState, more: Partial<DeskCall> = {}): DeskCall {
  return {
    leg: "l2", state, held: false, muted: false, call: "c1", from: { user: "4930", display: "Ada" }, to: { user: "501", display: "" },
    stage: "bridged", started: 1, answered: 2, bridged: 3, queue: id("sales"), agent: id("1001"),
    legs: [leg("l1", "4930"), leg("l2", "1001")], data: {}, codes: ["sold"], ...more,
  };
}

export function desk(more: Partial<Desk> = {}): Desk {
  return {
    agent: id("1001"), display: "Li Wei", status: "ready", since: 0, until: null, user: id("1001"), contacts: 1, call: null, why: "",
    reason: null, role: "agent", calls: [], last_call: null, last_codes: [], ...more,
  };
}
