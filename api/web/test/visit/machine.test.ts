import { describe, expect, it } from "vitest";
import { IDLE, isOn, meaning, step, type Call, type Deed, type Happened } from "../../src/visit/machine";

function through(...all: readonly Happened[]): [Call, string[]] {
  let call = IDLE;
  const done: Deed[] = [];
  for (const happened of all) {
    const [next, deeds] = step(call, happened);
    call = next;
    done.push(...deeds);
  }
  return [call, done.map((deed) => deed.do)];
}

const UP: readonly Happened[] = [{ what: "press" }, { what: "microphone" }, { what: "rings" }, { what: "up" }];

describe("a visitor's call", () => {
  it("is asked for when he may be heard, and not before", () => {
    expect(through({ what: "press" })).toEqual([{ is: "asking" }, ["ask_microphone"]]);
    const [call, done] = through(...UP);
    expect(call).toEqual({ is: "up", muted: false });
    expect(done).toEqual(["ask_microphone", "ask_and_call"]);
  });

  it("is not begun twice by two presses, and may be begun again after its end", () => {
    expect(through(...UP, { what: "press" })[0]).toEqual({ is: "up", muted: false });
    expect(through(...UP, { what: "ended" }, { what: "press" })[0]).toEqual({ is: "asking" });
  });

  it("mutes and unmutes while it is up alone", () => {
    expect(through({ what: "press" }, { what: "mute", on: true })[1]).toEqual(["ask_microphone"]);
    const [call, done] = through(...UP, { what: "mute", on: true });
    expect(call).toEqual({ is: "up", muted: true });
    expect(done.at(-1)).toBe("mute");
  });

  it("lets everything go at whatever end it comes to", () => {
    const ends: readonly [Happened, string][] = [
      [{ what: "hang_up" }, "over"],
      [{ what: "ended" }, "over"],
      [{ what: "lost" }, "lost"],
      [{ what: "refused", status: 403 }, "refused"],
      [{ what: "no_microphone", fault: "none" }, "microphone_none"],
    ];
    for (const before of [UP.slice(0, 1), UP.slice(0, 2), UP.slice(0, 3), UP]) {
      for (const [end, why] of ends) {
        const [call, done] = through(...before, end);
        expect(call, end.what).toEqual({ is: "over", why });
        expect(done.at(-1), end.what).toBe("release");
        // what comes after changes nothing
        expect(through(...before, end, { what: "up" }, { what: "rings" }, { what: "ended" })).toEqual([call, done]);
      }
    }
  });

  it("that is up is not ended by a connection of signalling that is late", () => {
    expect(isOn(through(...UP, { what: "unreachable" })[0])).toBe(true);
    expect(through(...UP.slice(0, 2), { what: "unreachable" })[0]).toEqual({ is: "over", why: "unreachable" });
    expect(through(...UP.slice(0, 2), { what: "not_given" })[0]).toEqual({ is: "over", why: "not_given" });
  });

  it("says what a refusal means to him", () => {
    expect([401, 403, 480, 486, 503, 404, 488, 0].map(meaning)).toEqual([
      "refused", "refused", "nobody", "nobody", "nobody", "nobody", "lost", "lost",
    ]);
  });
});
