import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, nextTick } from "vue";
import LadderView from "../src/components/LadderView.vue";
import { setLang } from "../src/i18n";
import { isOver, rows, show, shown, type Trace, type TraceMessage } from "../src/trace";
import { call, named } from "./helpers";

const ask = vi.hoisted(() => vi.fn());
vi.mock("../src/floor", () => ({ ask }));

const AT = 1_795_212_000_000_000;

function message(ms: number, party: number, sent: boolean, title: string, more: Partial<TraceMessage> = {}): TraceMessage {
  return {
    kind: "message",
    at_us: AT + ms * 1_000,
    party,
    sent,
    transport: "udp",
    local: "192.0.2.1:5060",
    remote: `192.0.2.${party + 2}:5060`,
    repeated: false,
    call_id: "x",
    title,
    sdp: false,
    text: `${title}\r\nCall-ID: x\r\n`,
    ...more,
  };
}

const trace: Trace = {
  call: call(1),
  parties: [
    { transport: "udp", address: "192.0.2.2:5060", name: "600" },
    { transport: "udp", address: "192.0.2.3:5060", name: "1001" },
    { transport: "tls", address: "192.0.2.4:5061", name: "" },
  ],
  steps: [
    message(0, 0, false, "INVITE", { sdp: true }),
    { kind: "note", at_us: AT + 1_000, note: "event", event: { type: "queue_entered", call: call(1), queue: named("sales"), position: 1 } },
    message(2, 2, true, "INVITE"),
    message(502, 2, true, "INVITE", { repeated: true }),
    message(600, 2, false, "180 Ringing"),
    { kind: "note", at_us: AT + 700_000, note: "media", leg: call(2), media: { type: "agreed", params: { codec: "pcma", remote: "192.0.2.4:4000" } } },
    { kind: "note", at_us: AT + 900_000, note: "ended", cause: "normal", by: "caller" },
  ],
  cut: false,
};

describe("the layout of a ladder", () => {
  it("has the caller left of the switch and everyone else right of it", () => {
    const arrows = rows(trace, "en").flatMap((row) => (row.kind === "message" ? [[row.from, row.to]] : []));
    expect(arrows).toEqual([
      [0, 1],
      [1, 3],
      [1, 3],
      [3, 1],
    ]);
  });

  it("says what happened in both languages", () => {
    const notes = (lang: "en" | "zh") => rows(trace, lang).flatMap((row) => (row.kind === "note" ? [row.text] : []));
    expect(notes("en")).toEqual([
      "600 waits in sales, place 1",
      "audio agreed: PCMA to 192.0.2.4:4000",
      "600 ended: hung up, by the caller",
    ]);
    expect(notes("zh")).toEqual(["600 进入队列 sales，第 1 位", "媒体已协商：PCMA，对端 192.0.2.4:4000", "600 结束：正常挂机（主叫侧）"]);
  });

  it("is over with the end of the call, or when there was none", () => {
    expect(isOver(trace)).toBe(true);
    expect(isOver({ ...trace, steps: trace.steps.slice(0, 5) })).toBe(false);
    expect(isOver({ ...trace, call: null, steps: [] })).toBe(true);
  });
});

describe("the ladder on the page", () => {
  let app: ReturnType<typeof createApp>;
  const answer = (body: unknown, status = 200) => Promise.resolve(new Response(JSON.stringify(body), { status }));
  const settled = async () => {
    for (let n = 0; n < 10; n++) {
      await Promise.resolve();
      await nextTick();
    }
    await new Promise((done) => setTimeout(done, 0));
    await nextTick();
  };
  const mounted = async (id: string) => {
    show(id);
    const root = document.createElement("div");
    document.body.append(root);
    app = createApp(LadderView);
    app.mount(root);
    await settled();
    return root;
  };

  beforeEach(() => {
    setLang("en");
    ask.mockReset();
  });

  afterEach(() => {
    app.unmount();
    document.body.innerHTML = "";
    show(null);
  });

  it("shows a message when it is chosen and hides it when it is chosen again", async () => {
    ask.mockImplementation(() => answer(trace));
    const root = await mounted(call(1));
    expect(ask).toHaveBeenCalledWith(`/api/v1/calls/${encodeURIComponent(call(1))}/trace`);
    const steps = root.querySelectorAll<HTMLButtonElement>(".step");
    expect([...steps].map((step) => step.textContent?.trim())).toEqual(["INVITE (SDP)", "INVITE", "INVITE · again", "180 Ringing"]);
    expect(root.querySelector("pre")).toBeNull();
    steps[3]!.click();
    await nextTick();
    expect(root.querySelector("pre")?.textContent).toContain("180 Ringing");
    steps[3]!.click();
    await nextTick();
    expect(root.querySelector("pre")).toBeNull();
  });

  it("lists the last ladders, refused ones too, and opens one", async () => {
    ask.mockImplementation(() =>
      answer({ items: [{ call: call(1), call_id: "x", from: "600", to: "500", last: 1, title: "BYE" }, { call: null, call_id: "a/b@c", from: "600", to: "1", last: 1, title: "404 Not Found" }] }),
    );
    const root = await mounted("");
    const all = root.querySelectorAll<HTMLButtonElement>(".all button");
    expect(all.length).toBe(2);
    ask.mockImplementation(() => answer({ ...trace, call: null }));
    all[1]!.click();
    await settled();
    expect(shown.value).toBe("a/b@c");
    expect(ask).toHaveBeenLastCalledWith("/api/v1/calls/a%2Fb%40c/trace");
    expect(location.hash).toBe("#ladder=a%2Fb%40c");
  });

  it("says so when there is none, and closes by Escape", async () => {
    ask.mockImplementation(() => answer({}, 404));
    const root = await mounted("gone");
    expect(root.querySelector("[role=alert]")?.textContent).toBe("No ladder of this call is kept.");
    window.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    expect(shown.value).toBeNull();
  });
});
