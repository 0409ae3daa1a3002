/** Who uses the page: with a key, as a person, or as an agent with his password; and what he may. */

import { computed, ref, shallowRef } from "vue";
import { Http, type Problem } from "./http";

/** A key that was typed, for this tab. */
const KEY = "cordboard.key";
/** A person's or an agent's session, for this tab. */
const SESSION = "cordboard.session";
/** He has signed out: the key of the demo is not taken by itself again. */
const LEFT = "cordboard.left";

export type Kept =
  | { kind: "key"; key: string }
  | { kind: "person"; token: string | null; csrf: string }
  | { kind: "agent"; name: string; tenant: string; token: string };

/** Who he is to the pages. */
export interface Me {
  kind: "key" | "person" | "agent";
  name: string;
  display: string;
  tenant: string;
  /** The tenant's zone, or the browser's where it may not be known. */
  zone: string;
  scopes: string[];
  /** An agent who supervises. */
  supervisor: boolean;
  /** A second factor is asked of him before anything else. */
  enrolling: boolean;
}

export const me = shallowRef<Me | null>(null);
/** Why the sign-in is shown: said once above the form. */
export const why = ref<"none" | "over" | "wrong">("none");
export const csrf = ref("");
let kept: Kept | null = null;
let given = false;

/** What the switch is told of who asks. */
export const http = new Http((path, init) => fetch(path, init), {
  headers: (method) => headersOf(kept, method),
  over: (problem) => lost(problem),
});

export function headersOf(kept: Kept | null, method: string): Record<string, string> {
  if (kept === null) {
    return {};
  }
  if (kept.kind === "key") {
    return { authorization: `Bearer ${kept.key}` };
  }
  if (kept.token !== null) {
    return { authorization: `Bearer ${kept.token}` };
  }
  return kept.kind === "person" && method !== "GET" ? { "x-csrf-token": kept.csrf } : {};
}

/** What opens the event stream; empty where the cookie does. */
export const secret = (): string => (kept === null ? "" : kept.kind === "key" ? kept.key : (kept.token ?? ""));

export const agentName = computed(() => (me.value?.kind === "agent" ? me.value.name : null));

/** Whether scopes hold this one. */
export function holds(scopes: readonly string[], wanted: string): boolean {
  const [thing, act] = wanted.split(":");
  const machine = thing === "switch" || thing === "bans";
  return scopes.some(
    (one) => one === wanted || one === `${thing}:*` || (!machine && (one === "*" || one === `*:${act}`)),
  );
}

export const may = (scope: string): boolean => me.value !== null && holds(me.value.scopes, scope);

/** What an agent's session opens, in the words of scopes: his desk, and the floor where he supervises. */
const agentScopes = (supervisor: boolean): string[] => (supervisor ? ["agents:read", "queues:read", "agents:control", "events:read"] : []);

const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** Takes up what this tab has, else what the demo gives, else a cookie; false where a person must sign in. */
export async function resume(): Promise<boolean> {
  kept = fromStorage();
  if (kept === null && sessionStorage.getItem(LEFT) === null) {
    kept = (await demoKey()) ?? (await cookie());
  }
  if (kept === null) {
    return false;
  }
  try {
    await enter(kept);
    return true;
  } catch (said) {
    if ((said as Problem).status === 401 && given) {
      return false;
    }
    why.value = (said as Problem).status === 401 ? "wrong" : "none";
    forget();
    return false;
  }
}

function fromStorage(): Kept | null {
  const key = sessionStorage.getItem(KEY);
  if (key !== null) {
    return { kind: "key", key };
  }
  try {
    return readKept(JSON.parse(sessionStorage.getItem(SESSION) ?? "null"));
  } catch {
    return null;
  }
}

/** A session as this page keeps it, or as the bar does: an agent who signed in there is signed in here. */
export function readKept(read: unknown): Kept | null {
  const said = read as Partial<Record<"kind" | "token" | "csrf" | "name" | "agent" | "tenant", unknown>> | null;
  if (said === null || typeof said !== "object" || typeof said.token !== "string") {
    return null;
  }
  if (said.kind === "person") {
    return { kind: "person", token: said.token, csrf: String(said.csrf ?? "") };
  }
  const name = said.name ?? said.agent;
  return typeof name === "string" && typeof said.tenant === "string" ? { kind: "agent", name, tenant: said.tenant, token: said.token } : null;
}

/** The demo gives its page a key; elsewhere this is 404. */
async function demoKey(): Promise<Kept | null> {
  try {
    const response = await fetch("/page-key", { cache: "no-store" });
    const { key } = response.ok ? ((await response.json()) as { key?: string }) : {};
    given = key !== undefined;
    return key ? { kind: "key", key } : null;
  } catch {
    return null;
  }
}

/** A person who came by a cookie that no script sees. */
async function cookie(): Promise<Kept | null> {
  try {
    const response = await fetch("/api/v1/session", { cache: "no-store", credentials: "same-origin" });
    return response.ok ? { kind: "person", token: null, csrf: ((await response.json()) as { csrf: string }).csrf } : null;
  } catch {
    return null;
  }
}

/** Begins with this: finds out who it is, and keeps it for the tab. */
export async function enter(with_: Kept): Promise<void> {
  kept = with_;
  const found = await whoIs(with_);
  if (with_.kind === "key") {
    if (!given) {
      sessionStorage.setItem(KEY, with_.key);
    }
  } else if (with_.token !== null) {
    // The bar reads the same entry, and calls the agent by his own word.
    sessionStorage.setItem(SESSION, JSON.stringify(with_.kind === "agent" ? { ...with_, agent: with_.name } : with_));
  }
  sessionStorage.removeItem(LEFT);
  why.value = "none";
  me.value = found;
}

async function whoIs(kept: Kept): Promise<Me> {
  const base = { zone: browserZone(), supervisor: false, enrolling: false };
  switch (kept.kind) {
    case "key":
      return { ...base, ...(await ofKey()), kind: "key" };
    case "person": {
      const { data } = await http.get<{ user: string; display: string; tenant: string; scopes: string[]; enrolling: boolean; csrf: string }>("/api/v1/session");
      csrf.value = data.csrf;
      const zone = data.enrolling ? base.zone : await zoneOf(base.zone);
      return { ...base, kind: "person", name: data.user, display: data.display || data.user, tenant: data.tenant, scopes: data.scopes, enrolling: data.enrolling, zone };
    }
    case "agent": {
      const { data } = await http.get<{ display: string; role: string; agent: { tenant: string; name: string } }>(`/api/v1/agents/${encodeURIComponent(kept.name)}/desk`);
      const supervisor = data.role === "supervisor";
      const zone = await zoneOfAgent(data.agent.name, base.zone);
      return { ...base, zone, kind: "agent", name: data.agent.name, display: data.display || data.agent.name, tenant: data.agent.tenant, supervisor, scopes: agentScopes(supervisor) };
    }
  }
}

/** The zone of his tenant, in which his own figures are counted. */
async function zoneOfAgent(name: string, or: string): Promise<string> {
  try {
    return (await http.get<{ zone: string }>(`/api/v1/agents/${encodeURIComponent(name)}/figures`)).data.zone || or;
  } catch {
    return or;
  }
}

/** What a key opens. One that may not read that is taken at its word: what it may not is refused where it asks. */
async function ofKey(): Promise<{ name: string; display: string; tenant: string; scopes: string[]; zone: string }> {
  let scopes = ["*"];
  try {
    const { data } = await http.get<{ items: { scope: string; held: boolean }[] }>("/api/v1/scopes");
    scopes = data.items.filter((one) => one.held).map((one) => one.scope);
  } catch (said) {
    if ((said as Problem).status !== 403) {
      throw said;
    }
  }
  return { name: "", display: "", tenant: "", scopes, zone: await zoneOf(browserZone()) };
}

async function zoneOf(otherwise: string): Promise<string> {
  try {
    return (await http.get<{ zone: string }>("/api/v1/wall")).data.zone || otherwise;
  } catch (said) {
    if ((said as Problem).status === 401) {
      throw said;
    }
    return otherwise;
  }
}

/** Whoever it was is not known any more. */
function lost(_: Problem): void {
  if (me.value !== null) {
    forget();
    why.value = "over";
    if (given) {
      location.reload();
    }
  }
}

/** The bar has signed out, or another agent has signed in there. */
window.addEventListener("storage", (event) => {
  if (event.storageArea === sessionStorage && event.key === SESSION && me.value?.kind === "agent") {
    const now = fromStorage();
    if (now?.kind !== "agent" || now.name !== me.value.name) {
      forget();
      why.value = "over";
    }
  }
});

function forget(): void {
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(SESSION);
  kept = null;
  me.value = null;
}

export interface PersonAsks {
  user: string;
  password: string;
  tenant?: string;
  code?: string;
  recovery?: string;
  new_password?: string;
}

export async function signInPerson(asks: PersonAsks): Promise<void> {
  // A cookie is safer, but browsers take it over TLS and on this machine alone.
  const cookie = window.isSecureContext;
  const { data } = await http.post<{ csrf: string; token?: string }>("/api/v1/session", { ...asks, cookie });
  await enter({ kind: "person", token: data.token ?? null, csrf: data.csrf });
}

export interface AgentAsks {
  name: string;
  password: string;
  tenant?: string;
  new_password?: string;
  take_over?: boolean;
  where?: string;
}

export async function signInAgent({ name, ...asks }: AgentAsks): Promise<void> {
  const { data } = await http.post<{ agent: { tenant: string; name: string }; token: string }>(`/api/v1/agents/${encodeURIComponent(name)}/sign-in`, asks);
  await enter({ kind: "agent", name: data.agent.name, tenant: data.agent.tenant, token: data.token });
}

export const useKey = (key: string): Promise<void> => {
  given = false;
  return enter({ kind: "key", key });
};

/** Signs out, and says so to the switch where it keeps a session. */
export async function leave(): Promise<void> {
  const was = kept;
  const name = me.value?.name ?? "";
  try {
    if (was?.kind === "person") {
      await http.delete("/api/v1/session");
    } else if (was?.kind === "agent") {
      await http.post(`/api/v1/agents/${encodeURIComponent(name)}/sign-out`);
    }
  } finally {
    sessionStorage.setItem(LEFT, "1");
    forget();
    why.value = "none";
  }
}
