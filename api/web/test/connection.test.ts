import { beforeEach, describe, expect, it } from "vitest";
import { base64url, Connection, retryMs, type Line, type World } from "../src/connection";
import type { StreamItem } from "../src/model";

class FakeSocket {
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;
  constructor(
    readonly path: string,
    readonly protocols: string[],
  ) {}
  close(): void {
    this.closed = true;
  }
  say(item: object): void {
    this.onmessage?.({ data: JSON.stringify(item) });
  }
}

/** A browser whose clock and answers the test decides. */
class FakeBrowser {
  time = 1_000_000;
  status = 200;
  reachable = true;
  headers: Record<string, string> = {};
  asked: string[] = [];
  sockets: FakeSocket[] = [];
  private timers = new Map<number, { at: number; what: () => void }>();
  private ids = 0;

  readonly world: World = {
    fetch: async (path) => {
      this.asked.push(path);
      if (!this.reachable) {
        throw new TypeError("network error");
      }
      return new Response(JSON.stringify({ items: [] }), { status: this.status, headers: this.headers });
    },
    socket: (path, protocols) => {
      const socket = new FakeSocket(path, protocols);
      this.sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    now: () => this.time,
    random: () => 0.5,
    later: (what, ms) => {
      this.timers.set(++this.ids, { at: this.time + ms, what });
      return this.ids;
    },
    cancel: (id) => void this.timers.delete(id),
  };

  get last(): FakeSocket {
    return this.sockets[this.sockets.length - 1]!;
  }

  get timersUp(): number {
    return this.timers.size;
  }

  async pass(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(([, t]) => t.at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) {
        break;
      }
      this.timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].what();
      await settled();
    }
    this.time = until;
    await settled();
  }
}

/** Lets answered promises run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
}

let browser: FakeBrowser;
let lines: Line[];
let items: StreamItem[];
let skews: number[];
let views: number;
let from: string | null;
let connection: Connection;

beforeEach(() => {
  browser = new FakeBrowser();
  [lines, items, skews, views, from] = [[], [], [], 0, null];
  connection = new Connection(browser.world, {
    line: (line) => lines.push(line),
    item: (item) => items.push(item),
    views: () => (views += 1),
    skew: (ms) => skews.push(ms),
    since: () => from,
  });
});

const opened = async (): Promise<void> => {
  connection.open("secret-key");
  await settled();
  browser.last.say({ message: "hello", start: 5, last: 0 });
};
const line = (): Line | undefined => lines[lines.length - 1];

describe("the line to the switch", () => {
  it("carries the key as a sub-protocol and never in the address", async () => {
    await opened();
    expect(browser.last.path).toBe("/api/v1/events");
    expect(browser.last.protocols).toEqual(["cordboard.v1", "key.c2VjcmV0LWtleQ"]);
    expect(line()).toEqual({ is: "live" });
    expect(views).toBe(1);
  });

  it("comes back with since, and waits longer each time, up to a limit", async () => {
    await opened();
    from = "5-42";
    browser.reachable = false;
    browser.last.onclose?.();
    const waits: number[] = [];
    for (let tries = 0; tries < 7; tries++) {
      const now = line();
      if (now?.is !== "lost") {
        throw new Error("the line is lost");
      }
      waits.push(now.retryAt - browser.time);
      await browser.pass(now.retryAt - browser.time);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 15000, 15000, 15000]);
    browser.reachable = true;
    await browser.pass(15_000);
    expect(browser.last.path).toBe("/api/v1/events?since=5-42");
    browser.last.say({ message: "hello", start: 5, last: 50 });
    expect(line()).toEqual({ is: "live" });
  });

  it("says since when it is lost, through all tries", async () => {
    await opened();
    const cut = browser.time;
    browser.reachable = false;
    browser.last.onclose?.();
    await browser.pass(20_000);
    expect(line()).toMatchObject({ is: "lost", since: cut });
  });

  it("tries at once when asked to", async () => {
    await opened();
    browser.last.onclose?.();
    connection.retryNow();
    await settled();
    expect(browser.sockets.length).toBe(2);
    expect(browser.timersUp).toBe(0);
  });

  it("asks for a key when the switch does not know it, and tells of a brake", async () => {
    browser.status = 401;
    connection.open("wrong");
    await settled();
    expect(line()).toEqual({ is: "asking_key", why: "wrong", seconds: 0 });
    browser.status = 429;
    browser.headers = { "retry-after": "33" };
    connection.open("wrong again");
    await settled();
    expect(line()).toEqual({ is: "asking_key", why: "slow", seconds: 33 });
    expect(browser.sockets).toEqual([]);
    expect(browser.timersUp).toBe(0);
  });

  it("is lost, not refused, when the switch is overloaded", async () => {
    browser.status = 503;
    connection.open("key");
    await settled();
    expect(line()?.is).toBe("lost");
  });

  it("asks for views at most once a second, however much happens", async () => {
    await opened();
    const before = browser.asked.length;
    for (let n = 0; n < 100; n++) {
      connection.figuresChanged();
      await browser.pass(30);
    }
    const rounds = (browser.asked.length - before) / 3;
    expect(rounds).toBeGreaterThanOrEqual(3);
    expect(rounds).toBeLessThanOrEqual(4);
  });

  it("notices a line that died silently", async () => {
    await opened();
    browser.reachable = false;
    await browser.pass(15_000);
    expect(line()?.is).toBe("lost");
    expect(browser.last.closed).toBe(true);
  });

  it("ignores what an older socket still brings", async () => {
    await opened();
    const old = browser.last;
    const [message] = [old.onmessage];
    connection.restart();
    message?.({ data: JSON.stringify({ message: "closing", reason: "late" }) });
    expect(items.map((item) => item.message)).toEqual(["hello"]);
    expect(old.closed).toBe(true);
  });

  it("takes text that is no message for a broken line", async () => {
    await opened();
    browser.last.onmessage?.({ data: "not json" });
    expect(line()?.is).toBe("lost");
  });

  it("learns by how much the clocks differ", async () => {
    browser.headers = { date: new Date(browser.time + 60_000).toUTCString() };
    await opened();
    expect(Math.abs((skews[0] ?? 0) - 60_000)).toBeLessThanOrEqual(1_000);
  });
});

it("keys of any letters are coded as base64url without padding", () => {
  expect(base64url("secret-key")).toBe("c2VjcmV0LWtleQ");
  expect(base64url("~~~???")).toBe("fn5-Pz8_");
  expect(base64url("密")).toBe("5a-G");
});

it("tries are spread by a fifth", () => {
  expect([retryMs(1, 0), retryMs(1, 1), retryMs(30, 0.5)]).toEqual([800, 1200, 15_000]);
});
