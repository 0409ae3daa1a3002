/** Requests to the switch: typed answers, refusals as they are said (RFC 9457), versions as ETags. */

/** A request that takes longer counts as lost. */
const ANSWER_MS = 15_000;

/** What the switch says when it refuses. */
export interface Said {
  status: number;
  title: string;
  detail?: string;
  code?: string | null;
  field?: string | null;
  errors?: string[];
  session?: { since: number; where: string; address?: string; phone: boolean } | null;
}

/** A refusal, or an answer that did not come (status 0). */
export class Problem extends Error {
  constructor(
    readonly said: Said,
    readonly retryAfter = 0,
  ) {
    super(said.detail || said.title);
  }
  get status(): number {
    return this.said.status;
  }
  get code(): string {
    return this.said.code ?? "";
  }
  get field(): string {
    return this.said.field ?? "";
  }
  get errors(): string[] {
    return this.said.errors ?? [];
  }
}

export interface Answer<T> {
  data: T;
  /** The version of what was read or written, to be shown with the next change. */
  etag: string | null;
  status: number;
}

export interface Asked {
  body?: unknown;
  /** The version that is changed, or "*" for whichever there is. */
  ifMatch?: string;
  /** "*" makes and never changes. */
  ifNoneMatch?: string;
  query?: Record<string, string | number | undefined>;
  signal?: AbortSignal;
  ms?: number;
  /** The kind of a body that is no JSON: it goes as it is. */
  type?: string;
}

/** What every request of a page carries: what it is signed in with. */
export interface Pass {
  headers: (method: string) => Record<string, string>;
  /** The switch does not know it any more. */
  over: (problem: Problem) => void;
}

export type Fetch = (path: string, init: RequestInit) => Promise<Response>;

export function withQuery(path: string, query: Asked["query"] = {}): string {
  const said = Object.entries(query).filter((one): one is [string, string | number] => one[1] !== undefined && one[1] !== "");
  if (said.length === 0) {
    return path;
  }
  const text = new URLSearchParams(said.map(([name, value]) => [name, String(value)])).toString();
  return `${path}${path.includes("?") ? "&" : "?"}${text}`;
}

export class Http {
  constructor(
    private readonly fetch: Fetch,
    private readonly pass: Pass,
  ) {}

  get<T>(path: string, asked: Asked = {}): Promise<Answer<T>> {
    return this.ask<T>("GET", path, asked);
  }
  post<T>(path: string, body: unknown = {}, asked: Asked = {}): Promise<Answer<T>> {
    return this.ask<T>("POST", path, { ...asked, body });
  }
  put<T>(path: string, body: unknown, asked: Asked = {}): Promise<Answer<T>> {
    return this.ask<T>("PUT", path, { ...asked, body });
  }
  patch<T>(path: string, body: unknown, asked: Asked = {}): Promise<Answer<T>> {
    return this.ask<T>("PATCH", path, { ...asked, body });
  }
  delete<T>(path: string, asked: Asked = {}): Promise<Answer<T>> {
    return this.ask<T>("DELETE", path, asked);
  }

  /** The answer as it is: for audio, tables and captures. */
  async raw(method: string, path: string, asked: Asked = {}): Promise<Response> {
    const headers: Record<string, string> = { ...this.pass.headers(method) };
    if (asked.body !== undefined) {
      headers["content-type"] = asked.type ?? "application/json";
    }
    if (asked.ifMatch) {
      headers["if-match"] = asked.ifMatch;
    }
    if (asked.ifNoneMatch) {
      headers["if-none-match"] = asked.ifNoneMatch;
    }
    const late = AbortSignal.timeout(asked.ms ?? ANSWER_MS);
    let response: Response;
    try {
      response = await this.fetch(withQuery(path, asked.query), {
        method,
        headers,
        cache: "no-store",
        credentials: "same-origin",
        signal: asked.signal ? AbortSignal.any([late, asked.signal]) : late,
        ...(asked.body === undefined ? {} : { body: asked.type ? String(asked.body) : JSON.stringify(asked.body) }),
      });
    } catch (why) {
      if (asked.signal?.aborted) {
        throw why;
      }
      throw new Problem({ status: 0, title: "", code: late.aborted ? "timeout" : "offline" });
    }
    if (!response.ok) {
      const problem = new Problem(await refusal(response), Number(response.headers.get("retry-after") ?? 0));
      if (problem.status === 401) {
        this.pass.over(problem);
      }
      throw problem;
    }
    return response;
  }

  private async ask<T>(method: string, path: string, asked: Asked): Promise<Answer<T>> {
    const response = await this.raw(method, path, asked);
    const text = await response.text();
    return { data: (text === "" ? null : JSON.parse(text)) as T, etag: response.headers.get("etag"), status: response.status };
  }
}

async function refusal(response: Response): Promise<Said> {
  const text = await response.text().catch(() => "");
  try {
    const said = JSON.parse(text) as Partial<Said>;
    return { title: response.statusText, ...said, status: response.status };
  } catch {
    return { status: response.status, title: response.statusText || String(response.status), detail: text.slice(0, 300) };
  }
}
