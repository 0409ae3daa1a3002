import { beforeEach, describe, expect, it } from "vitest";
import { type Finding, judgement } from "../src/kit/findings";
import { LANGUAGES, speak } from "../src/lang";

/** Everything that a switch finds, as `finding.rs` has it. */
const ALL: Finding[] = [
  ...["wrong_certificate", "handshake", "no_path", "consent_lost", "other_address", "other_keys", "private_address", "unknown"].map((why) => ({ what: "no_audio", why })),
  { what: "not_heard", seconds: 4 },
  { what: "unreported" },
  { what: "late", ms: 280 },
  { what: "round_trip", ms: 420 },
  ...(["up", "down"] as const).flatMap((way) => [
    { what: "clean", way },
    { what: "loses", way, percent: 3, bursts: false },
    { what: "loses", way, percent: 3, bursts: true },
    { what: "jitters", way, ms: 61 },
  ]),
];

describe("what a leg's figures come to", () => {
  beforeEach(async () => speak("en"));

  it("is said in every language, with its figures", async () => {
    for (const lang of LANGUAGES) {
      await speak(lang);
      for (const one of ALL) {
        const said = judgement({ verdict: "the switch's words", findings: [one] });
        expect(said, `${lang} ${JSON.stringify(one)}`).not.toBe("the switch's words");
        expect(said).not.toContain("{");
        for (const figure of [one.seconds, one.percent, one.ms].filter((is) => is !== undefined)) {
          expect(said, lang).toContain(String(figure));
        }
      }
    }
  });

  it("puts the pieces together, and says once that both ways are clean", () => {
    const clean: Finding[] = [{ what: "clean", way: "up" }, { what: "clean", way: "down" }];
    expect(judgement({ findings: clean })).toBe("good both ways");
    expect(judgement({ findings: [...clean, { what: "round_trip", ms: 420 }] })).toBe("there and back takes 420 ms; good both ways");
    expect(judgement({ findings: [{ what: "loses", way: "up", percent: 6, bursts: true }, { what: "clean", way: "down" }] })).toBe(
      "6 % of what comes from the party is lost, in bursts; what goes to the party is clean",
    );
  });

  it("is told in the switch's words where there are no pieces, or new ones", () => {
    expect(judgement({ verdict: "good both ways" })).toBe("good both ways");
    expect(judgement({ verdict: "it hums", findings: [{ what: "hums" }] })).toBe("it hums");
    expect(judgement({})).toBe("");
  });
});
