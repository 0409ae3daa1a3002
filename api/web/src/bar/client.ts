/** The bar's way to the switch: orders in the agent's name, and his desk as it changes. */

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
  token: string;
}

/** An answer that takes longer is none. */
const ANSWER_MS = 8_000;
/** A desk that says nothing for so long is not there: the switch says something every five seconds. */
const SILENCE_MS = 12_000;

async function ask(path: string, init: RequestInit, token: string | null): Promise<unknown> {
  const headers = new Headers(init.headers);
  if (token) {
    headers.set("authorization", `Bearer ${token}`);
  }
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
  return { tenant: said.tenant, agent: said.agent, token: answer.token };
}

export class Client {
  constructor(readonly session: Session) {}

  private path(what: string): string {
    return `/api/v1/agents/${encodeURIComponent(this.session.agent)}/${what}`;
  }

  order(what: string, body: Record<string, unknown> = {}, method = "POST"): Promise<unknown> {
    return ask(this.path(what), { method, body: JSON.stringify(body) }, this.session.token);
  }

  targets(): Promise<Targets> {
    return ask(this.path("targets"), {}, this.session.token) as Promise<Targets>;
  }

  pass(): Promise<Pass> {
    return ask(this.path("phone"), { method: "POST" }, this.session.token) as Promise<Pass>;
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
        headers: { authorization: `Bearer ${this.session.token}`, accept: "text/event-stream" },
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
