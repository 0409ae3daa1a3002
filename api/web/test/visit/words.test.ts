import { describe, expect, it } from "vitest";
import { known, said, words } from "../../src/visit/words";

describe("what is said to a visitor", () => {
  it("is said in every language, and in each by its own words", () => {
    const english = words(["en"]);
    for (const [language, all] of Object.entries(known())) {
      expect(Object.keys(all).sort(), language).toEqual(Object.keys(english).sort());
      for (const [key, text] of Object.entries(all)) {
        expect(text === "", `${language} ${key}`).toBe(key === "idle");
        expect(language !== "en" && text !== "" && text === english[key as keyof typeof english], `${language} ${key}`).toBe(false);
      }
    }
  });

  it("is in the language of the page, or the nearest that there is", () => {
    expect(words(["zh-CN", "en"]).call).toBe("呼叫客服");
    expect(words([undefined, "", "fr-CA"]).hang_up).toBe("Raccrocher");
    expect(words(["nl"]).call).toBe("Call us");
  });

  it("names the state, and why it is over", () => {
    const english = words(["en"]);
    expect(said({ is: "up", muted: true }, english)).toBe(english.muted);
    expect(said({ is: "over", why: "microphone_busy" }, english)).toBe(english.microphone_busy);
    expect(said({ is: "idle" }, english)).toBe("");
  });
});
