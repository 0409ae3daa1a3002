import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AGAIN_MS, RENEW_MS, Renewal } from "../../src/bar/renewal";

describe("a session in cookies", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("goes on again and again, not in a call, and soon where it could not", async () => {
    let [busy, away, renewed] = [true, false, 0];
    const renewal = new Renewal({
      busy: () => busy,
      renew: async () => {
        if (away) {
          throw new Error("the switch is away");
        }
        renewed += 1;
      },
    });
    renewal.start();
    await vi.advanceTimersByTimeAsync(RENEW_MS);
    expect(renewed).toBe(0);
    busy = false;
    await vi.advanceTimersByTimeAsync(AGAIN_MS);
    expect(renewed).toBe(1);
    away = true;
    await vi.advanceTimersByTimeAsync(RENEW_MS);
    expect(renewed).toBe(1);
    away = false;
    await vi.advanceTimersByTimeAsync(AGAIN_MS);
    expect(renewed).toBe(2);
    renewal.stop();
    await vi.advanceTimersByTimeAsync(10 * RENEW_MS);
    expect(renewed).toBe(2);
  });

  it("that is given up while it is renewed stays given up", async () => {
    let done: () => void = () => undefined;
    let asked = 0;
    const renewal = new Renewal({
      busy: () => false,
      renew: () => {
        asked += 1;
        return new Promise((after) => (done = after));
      },
    });
    renewal.start();
    await vi.advanceTimersByTimeAsync(RENEW_MS);
    renewal.stop();
    done();
    await vi.advanceTimersByTimeAsync(10 * RENEW_MS);
    expect(asked).toBe(1);
  });
});
