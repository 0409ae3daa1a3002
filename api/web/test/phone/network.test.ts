import { describe, expect, it } from "vitest";
import { browser, heard, media, NOTHING_YET, report } from "../../src/phone/check";
import { loudness, micFault, readChoice, USUAL } from "../../src/phone/devices";
import { count, figures, judge, type Counts, type Figures } from "../../src/phone/network";

const at = (seconds: number, more: Partial<Counts> = {}): Counts => ({
  at: seconds * 1_000, received: seconds * 50, lost: 0, concealed: 0, played: seconds * 48_000, jitterMs: 4, sent: seconds * 50,
  remoteLost: 0, reports: 2, roundTripMs: 20, levelIn: 0.1, levelOut: 0.1, ...more,
});
const good: Figures = { lossIn: 0, lossOut: 0, concealed: 0, jitterMs: 4, roundTripMs: 20, packetsPerSecond: 50 };

describe("how a call sounds", () => {
  it("nothing is said of one sample", () => {
    expect(figures([])).toBeNull();
    expect(figures([at(1), at(2)])).toBeNull();
  });

  it("looks back on the last seconds, not on the whole call", () => {
    const early = Array.from({ length: 20 }, (_, second) => at(second, { lost: Math.min(second, 5) * 50 }));
    expect(figures(early)).toMatchObject({ lossIn: 0, packetsPerSecond: 50 });
    expect(judge(figures(early) as Figures)).toEqual({ grade: "good", reasons: [] });
  });

  it("what was lost before the other end knew the way is no fault of the network", () => {
    const lost = [1, 2, 3].map((second) => at(second, { remoteLost: 0.4, reports: 1 }));
    expect(figures(lost)).toMatchObject({ lossOut: null });
    expect(figures([7, 8, 9].map((second) => at(second, { remoteLost: 0.4 })))).toMatchObject({ lossOut: 0.4 });
  });

  it("each figure that is too much is a reason, and the worst is the grade", () => {
    expect(judge({ ...good, lossIn: 0.03 })).toEqual({ grade: "fair", reasons: ["loss_in"] });
    expect(judge({ ...good, lossOut: 0.1 })).toEqual({ grade: "poor", reasons: ["loss_out"] });
    expect(judge({ ...good, jitterMs: 40, roundTripMs: 700 })).toEqual({ grade: "poor", reasons: ["late"] });
    expect(judge({ ...good, concealed: 0.06 })).toEqual({ grade: "fair", reasons: ["gaps"] });
    expect(judge({ ...good, packetsPerSecond: 0 })).toEqual({ grade: "poor", reasons: ["nothing_comes"] });
    expect(judge({ ...good, lossOut: null, roundTripMs: null }).grade).toBe("good");
  });

  it("reads what the browser counts", () => {
    const reports = [
      { type: "inbound-rtp", kind: "audio", packetsReceived: 100, packetsLost: 2, jitter: 0.012, concealedSamples: 500, silentConcealedSamples: 100, totalSamplesReceived: 9_600, audioLevel: 0.4 },
      { type: "inbound-rtp", kind: "video", packetsReceived: 9_999 },
      { type: "outbound-rtp", kind: "audio", packetsSent: 99 },
      { type: "remote-inbound-rtp", kind: "audio", fractionLost: 0.05, roundTripTime: 0.08, roundTripTimeMeasurements: 3 },
      { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.5 },
      { type: "media-source", kind: "audio", audioLevel: 0.2 },
    ];
    expect(count(reports, 5)).toEqual({
      at: 5, received: 100, lost: 2, concealed: 400, played: 9_600, jitterMs: 12, sent: 99, remoteLost: 0.05, reports: 3, roundTripMs: 80,
      levelIn: 0.4, levelOut: 0.2,
    });
    expect(count([{ type: "candidate-pair", nominated: true, currentRoundTripTime: 0.5 }], 0).roundTripMs).toBe(500);
  });
});

describe("the check of an agent's place", () => {
  it("knows what is wrong with a microphone by how the browser refuses it", () => {
    const names = { NotAllowedError: "refused", NotFoundError: "none", NotReadableError: "busy", OverconstrainedError: "gone", TypeError: "unknown" };
    for (const [name, fault] of Object.entries(names)) {
      expect(micFault(new DOMException("", name), true)).toBe(fault);
    }
    expect(micFault(new DOMException("", "NotAllowedError"), false)).toBe("insecure");
  });

  it("hears silence, a soft voice and a good one", () => {
    expect(loudness(new Float32Array(64))).toBe(0);
    expect(loudness(new Float32Array(64).fill(1))).toBe(1);
    expect(heard(null, 0.02)).toEqual({ is: "bad", what: "silent" });
    expect(heard(null, 0.2)).toEqual({ is: "bad", what: "soft" });
    expect(heard(null, 0.6)).toEqual({ is: "good", what: "heard" });
    expect(heard("busy", 0.6)).toEqual({ is: "bad", what: "busy" });
  });

  it("says what is wrong with the browser and the way to the switch", () => {
    const able = { secure: true, peer: true, devices: true, socket: true };
    expect(browser(able)).toEqual({ is: "good", what: "able" });
    expect(browser({ ...able, secure: false })).toEqual({ is: "bad", what: "insecure" });
    expect(browser({ ...able, peer: false })).toEqual({ is: "bad", what: "old" });
    expect(media(null, null)).toEqual({ is: "bad", what: "nothing_comes" });
    expect(media(good, judge(good))).toEqual({ is: "good", what: "good" });
    expect(media({ ...good, lossIn: 0.5 }, judge({ ...good, lossIn: 0.5 }))).toEqual({ is: "bad", what: "loss_in" });
  });

  it("writes a report that can be compared", () => {
    const around = {
      at: "2026-11-22T10:00:00.000Z", page: "https://x/bar.html", agent: "1001", browser: "b", language: "zh-CN", screen: "1 x 2",
      network: "wifi", microphones: ["USB"], speakers: [], line: "registered",
    };
    const text = report({ ...NOTHING_YET, microphone: { is: "bad", what: "silent" } }, good, around);
    for (const part of ["agent: 1001", "microphones: USB", "speakers: none", "microphone: bad (silent)", "media: waits", "loss in: 0.0 %", "round trip: 20 ms"]) {
      expect(text).toContain(part);
    }
  });

  it("takes what was chosen, and the usual where that cannot be read", () => {
    expect(readChoice(null)).toEqual(USUAL);
    expect(readChoice("{")).toEqual(USUAL);
    expect(readChoice('{"microphone": "m", "speaker": 7}')).toEqual({ ...USUAL, microphone: "m" });
  });
});
