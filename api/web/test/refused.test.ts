import { beforeEach, describe, expect, it } from "vitest";
import { Problem, type Said } from "../src/http";
import { inWords } from "../src/kit/refusal";
import { LANGUAGES, speak } from "../src/lang";

const refused = (status: number, more: Partial<Said> = {}): Problem => new Problem({ status, title: "a title", detail: "the agent does not talk", ...more });

describe("what is said of a refusal", () => {
  beforeEach(async () => speak("en"));

  it("is the reader's words where the code is known", async () => {
    for (const lang of LANGUAGES) {
      await speak(lang);
      expect(inWords(refused(401, { code: "wrong_password" })), lang).not.toContain("the agent");
      expect(inWords(refused(412)), lang).not.toContain("the agent");
    }
  });

  it("is the switch's own sentence for who reads English, and what kind it is for who does not", async () => {
    expect(inWords(refused(409))).toBe("the agent does not talk");
    expect(inWords(refused(409, { code: "not_talking" }))).toBe("the agent does not talk");
    for (const lang of LANGUAGES.filter((one) => one !== "en")) {
      await speak(lang);
      for (const status of [400, 403, 404, 409, 413, 422, 500, 503]) {
        const said = inWords(refused(status));
        expect(said, `${lang} ${status}`).toMatch(/^\S.{3,} \(the agent does not talk\)$/);
        expect(said, `${lang} ${status}`).not.toBe(inWords(refused(418)));
      }
    }
  });
});
