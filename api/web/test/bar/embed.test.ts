import { describe, expect, it } from "vitest";
import { Embed, read } from "../../src/bar/embed";
import { CODES, fromAround, HOT } from "../../src/bar/hotkeys";
import type { ReferenceEvent } from "../../src/call/desk";

const ORIGIN = "https://crm.example";
const event = (eventType: string, content: unknown = null): ReferenceEvent => ({ eventType, workNo: "1001", content, eventGenTime: 5 });

function place() {
  let listener: (message: MessageEvent) => void = () => undefined;
  const posted: [unknown, string][] = [];
  const parent = { postMessage: (message: unknown, origin: string) => void posted.push([message, origin]) };
  const embed = new Embed({ parent, addEventListener: (_, heard) => (listener = heard) }, ORIGIN);
  const say = (data: unknown, more: Partial<MessageEvent> = {}): void =>
    listener({ source: parent, origin: ORIGIN, data, ports: [], ...more } as unknown as MessageEvent);
  return { embed, say, posted };
}

describe("what a page says to its bar", () => {
  it("is read as an object and as JSON text, with its parameters as a list or by names", () => {
    const call = { is: "call", number: "88880523", mode: "audio" };
    expect(read({ name: "callout", param: ["88880523", "audio"] })).toEqual(call);
    expect(read({ name: "callout", param: { number: "88880523", mode: "audio" } })).toEqual(call);
    expect(read(JSON.stringify({ name: "callout", param: ["88880523", "video"] }))).toEqual({ ...call, mode: "video" });
    expect(read(JSON.stringify({ name: "callout", param: { number: 88880523 } }))).toEqual(call);
    expect(read(JSON.stringify({ name: "eventpost", param: ["AgentState_Ready", 7, "", null] }))).toEqual({
      is: "subscribe",
      events: ["AgentState_Ready", "7"],
    });
  });

  it("that is nothing for it is left alone", () => {
    for (const data of [null, 7, "", "{", "[]", {}, { name: "other" }, { name: "callout" }, { name: "callout", param: [""] }, { name: "callout", param: ["1".repeat(129)] }]) {
      expect(read(data)).toEqual({ is: "nothing" });
    }
    expect(read({ name: "eventpost", param: "AgentState_Ready" })).toEqual({ is: "subscribe", events: [] });
    expect(read({ name: "eventpost", param: Array.from({ length: 999 }, String) })).toMatchObject({ events: { length: 200 } });
  });
});

describe("the bar within a page", () => {
  it("tells what was asked for, in order and in the reference's form, and nothing else", () => {
    const { embed, say, posted } = place();
    embed.tell([event("AgentState_Busy")]);
    expect(posted).toEqual([]);
    say(JSON.stringify({ name: "eventpost", param: ["AgentState_Busy", "AgentEvent_Talking"] }));
    embed.tell([event("AgentState_Busy"), event("AgentOther_PhoneAlerting"), event("AgentEvent_Talking", { callid: "1-2" })]);
    const message = (eventType: string, content: unknown) => ({
      name: "eventpost", event: { content, workNo: "1001", eventType }, message: "", retcode: "0",
    });
    expect(posted).toEqual([
      [message("AgentState_Busy", null), ORIGIN],
      [message("AgentEvent_Talking", { callid: "1-2" }), ORIGIN],
    ]);
  });

  it("a second list is added to the first: parts of a page need not know of each other", () => {
    const { embed, say, posted } = place();
    say({ name: "eventpost", param: ["AgentState_Ready"] });
    say({ name: "eventpost", param: ["AgentState_Work"] });
    embed.tell([event("AgentState_Ready"), event("AgentState_Work")]);
    expect(posted.length).toBe(2);
  });

  it("hears its parent at its origin alone", () => {
    const { embed, say, posted } = place();
    say({ name: "eventpost", param: ["AgentState_Ready"] }, { origin: "https://evil.example" });
    say({ name: "eventpost", param: ["AgentState_Ready"] }, { source: {} as Window });
    embed.tell([event("AgentState_Ready")]);
    expect(posted).toEqual([]);
  });

  it("keeps an order that comes before anybody is there to obey it", () => {
    const { embed, say } = place();
    say({ name: "callout", param: ["13800000000", "audio"] });
    const called: string[] = [];
    embed.listen({ call: (number) => called.push(number), joined: () => undefined, pressed: () => undefined });
    say({ name: "callout", param: { number: "10086", mode: "audio" } });
    expect(called).toEqual(["13800000000", "10086"]);
  });

  it("is told of keys that it has asked for, by the way between the two alone", () => {
    const { embed, say } = place();
    const pressed: string[] = [];
    embed.listen({ call: () => undefined, joined: () => undefined, pressed: (code) => pressed.push(code) });
    const port = { onmessage: null as ((said: { data: unknown }) => void) | null, posted: [] as unknown[], postMessage: (said: unknown) => void port.posted.push(said), close: () => undefined };
    say({ name: "cordboard.port" }, { ports: [port as unknown as MessagePort] });
    const press = (data: unknown): void => port.onmessage?.({ data });
    press({ key: "KeyA" });
    embed.keys(["KeyA", "KeyE"]);
    for (const said of [{ key: "KeyA" }, { key: "KeyZ" }, { key: 7 }, null, "KeyA"]) {
      press(said);
    }
    // the window itself is no way for keys
    say({ key: "KeyA" });
    embed.keys([]);
    press({ key: "KeyE" });
    expect(pressed).toEqual(["KeyA"]);
    embed.focus();
    expect(port.posted).toEqual([{ keys: ["KeyA", "KeyE"] }, { keys: [] }, { focus: true }]);
  });
});

describe("keys of the page around", () => {
  it("are what they are in the bar, and none of them is Escape", () => {
    expect(CODES.map(fromAround)).toEqual(Object.values(HOT));
    expect(["Escape", "KeyZ", "", "Digit1"].map(fromAround)).toEqual([null, null, null, null]);
  });
});
