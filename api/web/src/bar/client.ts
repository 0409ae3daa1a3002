/** The bar's way to the switch: orders in the agent's name, and his desk as it changes. */

import type { GuestPass } from "../phone/guest";
import type { Pass } from "../phone/phone";
import type { Targets, Turn } from "../call/desk";
import { split } from "./sse";

/** Why the switch refused (RFC 9457). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly retryAfter: number,
    /** The session that is in the way. */
    readonly session: { since: number; where: string; address: string } | null,
  ) {
    super(detail || code || `status ${status}`);
  }
}

export interface Session {
  tenant: string;
  agent: string;
  /** Empty where it is in a cookie that no script sees: then `csrf` shows that a page of ours asks. */
  token: string;
  csrf: string;
}

/** An answer that takes longer is none. */
const ANSWER_MS = 8_000;
/** A desk that says nothing for so long is not there: the switch says something every five seconds. */
const SILENCE_MS = 12_000;

/** What opens a request. */
function shown(session: Pick<Session, "token" | "csrf"> | null): Record<string, string> {
  if (!session) {
    return {};
  }
  return session.token ? { authorization: `Bearer ${session.token}` } : { "x-csrf-token": session.csrf };
}

async function ask(path: string, init: RequestInit, session: Pick<Session, "token" | "csrf"> | null): Promise<unknown> {
  const headers = new Headers(shown(session));
  if (init.body) {
    headers.set("content-type", "application/json");
  }
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
  } catch {
    throw new Problem(0, "unreachable", "", 0, null);
  }
  const text = await response.text();
  let read: Record<string, unknown> = {};
  try {
    read = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // what is no JSON is not ours: a proxy's page
  }
  if (!response.ok) {
    throw new Problem(
      response.status,
      String(read["code"] ?? (response.status >= 502 ? "unreachable" : "")),
      String(read["detail"] ?? read["title"] ?? ""),
      Number(response.headers.get("retry-after") ?? 0),
      (read["session"] as Problem["session"]) ?? null,
    );
  }
  return read;
}

export interface SignIn {
  tenant: string;
  agent: string;
  password: string;
  newPassword?: string;
  takeOver?: boolean;
}

export async function signIn(said: SignIn, where: string): Promise<Session> {
  const body = {
    password: said.password,
    where: where.slice(0, 64),
    tenant: said.tenant,
    ...(said.newPassword ? { new_password: said.newPassword } : {}),
    ...(said.takeOver ? { take_over: true } : {}),
  };
  const path = `/api/v1/agents/${encodeURIComponent(said.agent)}/sign-in`;
  const answer = (await ask(path, { method: "POST", body: JSON.stringify(body) }, null)) as { token: string };
  return { tenant: said.tenant, agent: said.agent, token: answer.token, csrf: "" };
}

/** A call that measures the way to the switch, for who has not signed in. */
export async function lineCheck(tenant: string): Promise<GuestPass> {
  return (await ask("/api/v1/line-checks", { method: "POST", body: JSON.stringify({ tenant }) }, null)) as GuestPass;
}

/** The session that the page around has begun, if there is one: in cookies. */
export async function cookieSession(tenant: string): Promise<Session> {
  const answer = (await ask("/api/v1/third-party/session", {}, null)) as { agent: { name: string }; csrf: string };
  return { tenant, agent: answer.agent.name, token: "", csrf: answer.csrf };
}

/** Telephones beside the page: what another one is set up with, and which are registered. */
export interface Telephones {
  account: { name: string };
  domain: string;
  servers: { transport: string; address: string | null; port: number }[];
  devices: { uri: string; user_agent: string }[];
}

const isOver = (why: unknown): boolean =>
  why instanceof Problem && (why.status === 401 || (why.status === 403 && why.code === "csrf"));

export class Client {
  constructor(private own: Session) {}

  get session(): Session {
    return this.own;
  }

  private get inCookies(): boolean {
    return this.own.token === "";
  }

  /** Has a session in cookies go on under others. */
  async renew(): Promise<void> {
    if (!this.inCookies) {
      return;
    }
    try {
      const answer = (await ask("/api/v1/third-party/session/refresh", { method: "POST" }, this.own)) as { csrf: string };
      this.own = { ...this.own, csrf: answer.csrf };
    } catch (why) {
      if (!(why instanceof Problem) || why.code !== "refreshed_already") {
        throw why;
      }
      await this.looksAgain(why);
    }
  }

  /** Whether the session goes on under other cookies: the page around has had it renewed, and the bar is told by nobody. */
  async looksAgain(why: unknown): Promise<boolean> {
    if (!this.inCookies || (!isOver(why) && !(why instanceof Problem && why.code === "refreshed_already"))) {
      return false;
    }
    try {
      const found = await cookieSession(this.own.tenant);
      const same = found.agent === this.own.agent;
      this.own = same ? found : this.own;
      return same;
    } catch {
      return false;
    }
  }

  private path(what: string): string {
    return `/api/v1/agents/${encodeURIComponent(this.session.agent)}/${what}`;
  }

  async order(what: string, body: Record<string, unknown> = {}, method = "POST"): Promise<unknown> {
    const send = (): Promise<unknown> => ask(this.path(what), { method, body: JSON.stringify(body) }, this.session);
    try {
      return await send();
    } catch (why) {
      // what was refused for its session was not done: it is said again under the present one
      if (await this.looksAgain(why)) {
        return send();
      }
      throw why;
    }
  }

  telephones(): Promise<Telephones> {
    return ask(this.path("telephones"), {}, this.session) as Promise<Telephones>;
  }

  targets(): Promise<Targets> {
    return ask(this.path("targets"), {}, this.session) as Promise<Targets>;
  }

  pass(): Promise<Pass> {
    return ask(this.path("phone"), { method: "POST" }, this.session) as Promise<Pass>;
  }

  /** Follows the desk until `stop`, or until the stream ends: the promise is its end. */
  async follow(turn: (turn: Turn) => void, stop: AbortSignal): Promise<void> {
    const silent = new AbortController();
    let timer = setTimeout(() => silent.abort(), SILENCE_MS);
    const heard = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE_MS);
    };
    try {
      const response = await fetch(this.path("desk/turns"), {
        headers: { ...shown(this.session), accept: "text/event-stream" },
        cache: "no-store",
        signal: AbortSignal.any([stop, silent.signal]),
      });
      if (!response.ok || !response.body) {
        throw new Problem(response.status, response.status === 401 ? "session_over" : "unreachable", "", 0, null);
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) {
          return;
        }
        heard();
        const parts = split(rest + value);
        rest = parts.rest;
        parts.data.forEach((data) => turn(JSON.parse(data) as Turn));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
