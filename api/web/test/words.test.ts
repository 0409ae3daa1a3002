import { describe, expect, it } from "vitest";
import { duration, number, shortId } from "../src/format";
import { fill, WORDS, type Lang } from "../src/i18n";
import { AGENT_STATUSES, CALL_STAGES } from "../src/model";
import { inWords, weight } from "../src/words";
import { call, hello, item, named, numbered, run, snapshot, STORY } from "./helpers";

const floor = run([hello(0), snapshot(), ...numbered(STORY).map(item)]);
const told = (lang: Lang) => [...floor.lines].reverse().map((line) => inWords(line, lang));

describe("events in words", () => {
  it("tell the story in English", () => {
    expect(told("en")).toMatchInlineSnapshot(`
      [
        "600 calls 500",
        "600: leg with 600",
        "600 goes to flow default/welcome",
        "600 is answered",
        "600: in flow",
        "600 pressed 1",
        "600: choice = sales",
        "600 waits in sales, place 1",
        "600: queued",
        "601 calls 500",
        "600 offered to agent 1001: longest idle",
        "Agent 1001: ringing, a call is offered",
        "601 waits in sales, place 2",
        "Agent 1001: rest, did not answer",
        "600 offered to agent 1002: longest idle",
        "Agent 1002: ringing, a call is offered",
        "600 left sales: answered",
        "Agent 1002: talking, took the call",
        "600: talking, agent 1002",
        "600 on hold",
        "600 off hold",
        "600: one side is heard no more",
        "600: 9 packets late, up to 280 ms",
        "600: the side that was not heard is heard",
        "601 left sales: caller gave up",
        "601 ended: gave up, by the caller",
        "600: choice removed",
        "600: a leg ended, hung up",
        "Agent 1002: wrap-up, the call is over",
        "600 ended: hung up, by the caller",
      ]
    `);
  });

  it("tell the story in Chinese", () => {
    expect(told("zh")).toMatchInlineSnapshot(`
      [
        "600 呼叫 500",
        "600：接入一方 600",
        "600 路由至 flow default/welcome",
        "600 已应答",
        "600：流程中",
        "600 按键 1",
        "600：choice = sales",
        "600 进入队列 sales，第 1 位",
        "600：排队中",
        "601 呼叫 500",
        "600 分配给座席 1001：longest idle",
        "座席 1001：振铃，a call is offered",
        "601 进入队列 sales，第 2 位",
        "座席 1001：休息，did not answer",
        "600 分配给座席 1002：longest idle",
        "座席 1002：振铃，a call is offered",
        "600 离开队列 sales：已接听",
        "座席 1002：通话，took the call",
        "600：通话中，座席 1002",
        "600 被保持",
        "600 取消保持",
        "600：单通，一方的声音中断",
        "600：9 个语音包迟到，最多 280 毫秒",
        "600：声音已恢复",
        "601 离开队列 sales：主叫放弃",
        "601 结束：主叫放弃（主叫侧）",
        "600：已删除 choice",
        "600：一方结束，正常挂机",
        "座席 1002：整理态，the call is over",
        "600 结束：正常挂机（主叫侧）",
      ]
    `);
  });

  it("name a call that is not known by the counted part of its id", () => {
    const line = { seq: 1, at: 1, what: numbered([{ type: "call_answered", call: call(26) }])[0]!, caller: "" };
    expect(inWords(line, "en")).toBe("#1a is answered");
  });

  it("mark what asks for attention", () => {
    const gap = { seq: 9, at: null, what: { type: "gap" as const, from: 3, to: 9 }, caller: "" };
    expect(weight(gap)).toBe("alarm");
    expect(inWords(gap, "en")).toBe("Events 3 to 9 are missing; the state was read anew");
  });

  it("show the type of an event they do not know", () => {
    const what = { ...numbered([{ type: "alarm", code: "", text: "" }])[0]!, type: "whisper_started" } as never;
    expect(inWords({ seq: 1, at: 1, what, caller: "" }, "zh")).toBe("whisper_started");
  });
});

describe("all languages", () => {
  const keys = (of: object): string[] =>
    Object.entries(of).flatMap(([key, value]) =>
      typeof value === "object" ? keys(value as object).map((below) => `${key}.${below}`) : [key],
    );
  const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((hole) => hole[1]).sort();

  const others = (Object.keys(WORDS) as Lang[]).filter((one) => one !== "en");

  it("have the same words", () => {
    for (const one of others) {
      expect(keys(WORDS[one]).sort(), one).toEqual(keys(WORDS.en).sort());
    }
  });

  it("fill the same holes", () => {
    for (const one of others) {
      for (const group of ["did", "media"] as const) {
        for (const [key, text] of Object.entries(WORDS.en[group])) {
          expect(holes(WORDS[one][group][key] ?? ""), `${one} ${key}`).toEqual(holes(text));
        }
      }
    }
  });

  it("name every status and stage", () => {
    for (const words of Object.values(WORDS)) {
      expect(Object.keys(words.statuses)).toEqual([...AGENT_STATUSES]);
      expect(Object.keys(words.stages)).toEqual([...CALL_STAGES]);
    }
  });
});

describe("figures", () => {
  it("durations have minutes and seconds, and hours when there are some", () => {
    expect([duration(-500), duration(7_900), duration(754_000), duration(3_723_000)]).toEqual([
      "0:00",
      "0:07",
      "12:34",
      "1:02:03",
    ]);
  });

  it("a party without number is called by its name", () => {
    expect(number({ user: "", display: "Zhang San" })).toBe("Zhang San");
    expect(shortId(call(26))).toBe("#1a");
  });

  it("texts are filled once: a value cannot bring a hole of its own", () => {
    expect(fill("{a} {b}", { a: "{b}", b: named("x").name })).toBe("{b} x");
  });
});
