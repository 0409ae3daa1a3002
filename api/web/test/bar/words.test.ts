import { describe, expect, it } from "vitest";
import { HOT } from "../../src/bar/hotkeys";
import ar from "../../src/bar/lang/ar.json";
import en from "../../src/bar/lang/en.json";
import es from "../../src/bar/lang/es.json";
import fr from "../../src/bar/lang/fr.json";
import pt from "../../src/bar/lang/pt.json";
import zh from "../../src/bar/lang/zh-CN.json";
import { clock, nearest, say, speak } from "../../src/bar/words";
import { STATUSES } from "../../src/call/desk";
import { STEPS } from "../../src/phone/check";

const texts = Object.values(
  import.meta.glob("../../src/{bar,call,phone}/*.{vue,ts}", { query: "?raw", import: "default", eager: true }),
) as string[];

describe("the bar's words", () => {
  /** A reason is said as whoever gave it has written it. */
  const GIVEN = "reason.other";
  const others: Record<string, Record<string, string>> = { "zh-CN": zh, ar, es, fr, pt };

  it("are there in every language for every key, with the same places to fill in", () => {
    const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();
    for (const [name, words] of Object.entries(others)) {
      expect(Object.keys(words).sort(), name).toEqual(Object.keys(en).sort());
      const wrong = Object.entries(en).filter(([key, text]) => places(text).join() !== places(words[key] ?? "").join());
      expect(wrong, name).toEqual([]);
    }
  });

  it("are of their language: Chinese and Arabic in their letters, others not in English", () => {
    const without = (words: Record<string, string>, letters: RegExp): string[] =>
      Object.entries(words).filter(([key, text]) => key !== GIVEN && !letters.test(text)).map(([key]) => key);
    expect(without(zh, /[\u4e00-\u9fff]/)).toEqual([]);
    expect(without(ar, /[\u0600-\u06ff]/)).toEqual([]);
    // words that are written alike
    const alike: Record<string, string[]> = {
      es: ["check.no"],
      fr: ["call.conference", "do.note", "rest.minutes", "target.agents", "wrap.note"],
      pt: [],
    };
    for (const [name, known] of Object.entries(alike)) {
      const same = Object.entries(en).filter(([key, text]) => key !== GIVEN && others[name]?.[key] === text);
      expect(same.map(([key]) => key).filter((key) => !known.includes(key)), name).toEqual([]);
    }
  });

  it("are there for every key that is written in the source", () => {
    const keys = new Set(texts.flatMap((text) => [...text.matchAll(/(?<!=)["'`]((?:bar|call|check|dial|do|hot|keys|line|mic|problem|quality|rest|set|sheet|sign_in|state|status|target|wrap)\.[a-z_]+)["'`]/g)].map((found) => found[1] ?? "")));
    expect([...keys].filter((key) => !(key in en))).toEqual([]);
    expect(keys.size).toBeGreaterThan(80);
  });

  it("are there for every state, step and key of the keyboard", () => {
    const made = [...STATUSES.map((one) => `status.${one}`), ...STEPS.map((one) => `check.${one}`), ...Object.values(HOT).map((one) => `hot.${one}`)];
    expect(made.filter((key) => !(key in en))).toEqual([]);
  });

  it("fill in what stands in braces", async () => {
    expect(say("target.waiting", { count: 3 })).toBe("3 waiting");
    await speak("zh-CN");
    expect(say("target.waiting", { count: 3 })).toBe("3 人排队");
    await speak("ar");
    expect(document.documentElement.dir).toBe("rtl");
    await speak("en");
    expect(document.documentElement.dir).toBe("ltr");
  });

  it("follow what was kept, the page around, and the browser", () => {
    expect(nearest([null, null, "de-DE", "zh-TW"])).toBe("zh-CN");
    expect(nearest(["fr", "en"])).toBe("fr");
    expect(nearest([])).toBe("en");
  });

  it("a clock has hours only where there are any", () => {
    expect([0, 7_900, 750_000, 3_723_000, -5].map(clock)).toEqual(["0:00", "0:07", "12:30", "1:02:03", "0:00"]);
  });
});
