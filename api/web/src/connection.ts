/**
 * The line to the switch: asks for the views (which checks the key and gives the time of day), then follows the
 * stream, and comes back with `since` when it is cut.
 *
 * Invariant: at most one socket is open and at most one wait for the next try is running.
 */

import type { AgentView, QueueView, StreamItem, WallView } from "./model";

export type Line =
  | { is: "asking_key"; why: "none" | "wrong" | "slow"; seconds: number }
  | { is: "connecting" }
  | { is: "live" }
  | { is: "lost"; since: number; retryAt: number };

/** What of the browser the line uses; tests bring their own. */
export interface World {
  fetch: (path: string, init: RequestInit) => Promise<Response>;
  socket: (path: string, protocols: string[]) => WebSocket;
  now: () => number;
  random: () => number;
  later: (what: () => void, ms: number) => number;
  cancel: (id: number) => void;
}

export interface Told {
  line: (line: Line) => void;
  item: (item: StreamItem) => void;
  /** The wall is null where the switch could not say. */
  views: (queues: QueueView[], agents: AgentView[], wall: WallView | null) => void;
  /** By how much the switch's clock is ahead of ours, in milliseconds. */
  skew: (ms: number) => void;
  /** Where to take the stream up, or null for a snapshot. */
  since: () => string | null;
}

/** A request that takes longer than this counts as lost. */
const ANSWER_MS = 5_000;
/** Views are asked for at least this often, which also notices a line that died silently. */
const REFRESH_MS = 15_000;
/** And at most this often. */
const REFRESH_MIN_MS = 1_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 15_000;

class Refused extends Error {
  constructor(
    readonly status: number,
    readonly retryAfter: number,
  ) {
    super(`status ${status}`);
  }
}

export function base64url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const coded = btoa(String.fromCharCode(...bytes));
  return coded.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function retryMs(tries: number, random: number): number {
  const full = Math.min(RETRY_FIRST_MS * 2 ** Math.max(tries - 1, 0), RETRY_MOST_MS);
  return Math.round(full * (0.8 + 0.4 * random));
}

export class Connection {
  private key: string | null = null;
  private withViews = true;
  private socket: WebSocket | null = null;
  private retry: number | null = null;
  private refresh: number | null = null;
  private refreshedAt = 0;
  private tries = 0;
  private lostSince: number | null = null;
  /** Counts attempts: what an older one brings is ignored. */
  private attempt = 0;

  constructor(
    private readonly world: World,
    private readonly told: Told,
  ) {}

  /** Closes it, and asks for nothing. */
  close(): void {
    this.drop();
    this.key = null;
    this.lostSince = null;
  }

  /**
   * Opens the line with this key, or with none where the browser's cookie says who it is. Without `views` the stream alone is
   * followed: an agent may read what concerns him, and not the floor.
   */
  open(key: string, views = true): void {
    this.key = key;
    this.withViews = views;
    this.tries = 0;
    this.lostSince = null;
    void this.connect();
  }

  /** Closes it and asks for a key. */
  askKey(why: "none" | "wrong" | "slow", seconds = 0): void {
    this.drop();
    this.key = null;
    this.lostSince = null;
    this.told.line({ is: "asking_key", why, seconds });
  }

  /** Tries at once instead of waiting for the next try. */
  retryNow(): void {
    if (this.key !== null && this.retry !== null) {
      void this.connect();
    }
  }

  /** Asks for the views soon: something changed that no event carries. */
  figuresChanged(): void {
    if (this.socket && this.withViews) {
      this.refreshIn(Math.max(0, this.refreshedAt + REFRESH_MIN_MS - this.world.now()));
    }
  }

  /** Asks for something beside the views, with the key in use. */
  get(path: string): Promise<Response> {
    return this.world.fetch(path, {
      headers: this.headers(),
      signal: AbortSignal.timeout(ANSWER_MS),
      cache: "no-store",
    });
  }

  private headers(): Record<string, string> {
    return this.key ? { authorization: `Bearer ${this.key}` } : {};
  }

  /** The stream cannot be followed: takes it up anew. */
  restart(): void {
    this.lost();
  }

  private async connect(): Promise<void> {
    this.drop();
    const attempt = this.attempt;
    if (this.lostSince === null) {
      this.told.line({ is: "connecting" });
    }
    try {
      const views = this.withViews ? await this.views() : null;
      if (attempt !== this.attempt) {
        return;
      }
      this.follow(attempt);
      if (views) {
        this.told.views(...views);
      }
    } catch (why) {
      if (attempt !== this.attempt) {
        return;
      }
      this.failed(why);
    }
  }

  private failed(why: unknown): void {
    if (why instanceof Refused && (why.status === 401 || why.status === 429)) {
      this.askKey(why.status === 401 ? "wrong" : "slow", why.retryAfter);
    } else {
      this.lost();
    }
  }

  private follow(attempt: number): void {
    const since = this.told.since();
    const path = since === null ? "/api/v1/events" : `/api/v1/events?since=${since}`;
    const socket = this.world.socket(path, this.key ? ["cordboard.v1", `key.${base64url(this.key)}`] : ["cordboard.v1"]);
    this.socket = socket;
    socket.onmessage = (message) => {
      if (attempt === this.attempt) {
        this.heard(String(message.data));
      }
    };
    socket.onclose = () => {
      if (attempt === this.attempt) {
        this.lost();
      }
    };
  }

  private heard(text: string): void {
    let item: StreamItem;
    try {
      item = JSON.parse(text) as StreamItem;
    } catch {
      this.lost();
      return;
    }
    if (item.message === "hello") {
      this.tries = 0;
      this.lostSince = null;
      this.told.line({ is: "live" });
      if (this.withViews) {
        this.refreshIn(REFRESH_MS);
      }
    }
    this.told.item(item);
  }

  private lost(): void {
    this.drop();
    this.tries += 1;
    const now = this.world.now();
    this.lostSince ??= now;
    const wait = retryMs(this.tries, this.world.random());
    this.retry = this.world.later(() => void this.connect(), wait);
    this.told.line({ is: "lost", since: this.lostSince, retryAt: now + wait });
  }

  /** Ends whatever is open or under way. */
  private drop(): void {
    this.attempt += 1;
    for (const timer of [this.retry, this.refresh]) {
      if (timer !== null) {
        this.world.cancel(timer);
      }
    }
    this.retry = null;
    this.refresh = null;
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
    }
  }

  private refreshIn(ms: number): void {
    if (this.refresh !== null) {
      this.world.cancel(this.refresh);
    }
    this.refresh = this.world.later(() => void this.refreshed(), ms);
  }

  private async refreshed(): Promise<void> {
    const attempt = this.attempt;
    this.refresh = null;
    this.refreshedAt = this.world.now();
    try {
      const views = await this.views();
      if (attempt !== this.attempt) {
        return;
      }
      this.told.views(...views);
      if (this.refresh === null) {
        this.refreshIn(REFRESH_MS);
      }
    } catch (why) {
      if (attempt === this.attempt) {
        this.failed(why);
      }
    }
  }

  private async views(): Promise<[QueueView[], AgentView[], WallView | null]> {
    const asked = this.world.now();
    const [queues, agents, wall] = await Promise.all([
      this.ask<QueueView>("/api/v1/queues", asked),
      this.ask<AgentView>("/api/v1/agents", asked),
      this.wall(),
    ]);
    return [queues, agents, wall];
  }

  /** The figures of today. Without them the rest is shown all the same. */
  private async wall(): Promise<WallView | null> {
    const response = await this.get("/api/v1/wall");
    return response.ok ? ((await response.json()) as WallView) : null;
  }

  private async ask<T>(path: string, asked: number): Promise<T[]> {
    const response = await this.world.fetch(path, {
      headers: this.headers(),
      signal: AbortSignal.timeout(ANSWER_MS),
      cache: "no-store",
    });
    const date = Date.parse(response.headers.get("date") ?? "");
    if (!Number.isNaN(date)) {
      // The header has whole seconds: half of one is right on average.
      this.told.skew(date + 500 - (asked + this.world.now()) / 2);
    }
    if (!response.ok) {
      throw new Refused(response.status, Number(response.headers.get("retry-after") ?? 0));
    }
    const page = (await response.json()) as { items: T[] };
    return page.items;
  }
}
