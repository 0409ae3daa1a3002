import { describe, expect, it } from "vitest";
import { Http, Problem, withQuery } from "../src/http";
import { headersOf, holds } from "../src/session";

function switchThat(answer: () => Response | Promise<Response>) {
  const asked: { path: string; init: RequestInit }[] = [];
  const over: Problem[] = [];
  const http = new Http(
    async (path, init) => {
      asked.push({ path, init });
      return answer();
    },
    { headers: (method) => ({ authorization: "Bearer k", "x-method": method }), over: (problem) => over.push(problem) },
  );
  return { http, asked, over };
}

describe("requests", () => {
  it("carry who asks, the version that is changed, and the body", async () => {
    const { http, asked } = switchThat(() => new Response("{}", { headers: { etag: '"v2"' } }));
    const { etag } = await http.patch("/api/v1/config/queues/sales", { ring: "20s" }, { ifMatch: '"v1"' });
    expect(etag).toBe('"v2"');
    const { path, init } = asked[0]!;
    expect(path).toBe("/api/v1/config/queues/sales");
    expect(init.method).toBe("PATCH");
    expect(init.body).toBe('{"ring":"20s"}');
    expect(init.headers).toMatchObject({ authorization: "Bearer k", "if-match": '"v1"', "content-type": "application/json" });
  });

  it("leave out what is not asked for", () => {
    expect(withQuery("/a", { queue: "", from: 0, to: undefined, name: "a&b" })).toBe("/a?from=0&name=a%26b");
    expect(withQuery("/a?x=1", { y: 2 })).toBe("/a?x=1&y=2");
    expect(withQuery("/a")).toBe("/a");
  });

  it("take no content for nothing", async () => {
    const { http } = switchThat(() => new Response(null, { status: 204 }));
    expect((await http.delete("/a")).data).toBeNull();
  });

  it("are refused as the switch says", async () => {
    const said = { status: 422, title: "no", detail: "ring is too long", field: "ring", code: "range", errors: ["one"] };
    const { http, over } = switchThat(() => Response.json(said, { status: 422, headers: { "retry-after": "3" } }));
    const problem = await http.put("/a", {}).catch((why: unknown) => why as Problem);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ status: 422, field: "ring", code: "range", errors: ["one"], retryAfter: 3, message: "ring is too long" });
    expect(over).toHaveLength(0);
  });

  it("are refused where no switch says why", async () => {
    const { http } = switchThat(() => new Response("<html>bad gateway", { status: 502, statusText: "Bad Gateway" }));
    await expect(http.get("/a")).rejects.toMatchObject({ status: 502, said: { title: "Bad Gateway" } });
    const gone = switchThat(() => Promise.reject(new TypeError("network")));
    await expect(gone.http.get("/a")).rejects.toMatchObject({ status: 0, code: "offline" });
  });

  it("tell once that a session is over", async () => {
    const { http, over } = switchThat(() => Response.json({ title: "no key", code: "session_over" }, { status: 401 }));
    await expect(http.get("/a")).rejects.toMatchObject({ status: 401 });
    expect(over).toHaveLength(1);
  });
});

describe("who is signed in", () => {
  it("shows a key or token, or for a cookie its second word where something is changed", () => {
    expect(headersOf({ kind: "key", key: "abc" }, "GET")).toEqual({ authorization: "Bearer abc" });
    expect(headersOf({ kind: "agent", name: "1", tenant: "t", token: "cbs" }, "POST")).toEqual({ authorization: "Bearer cbs" });
    expect(headersOf({ kind: "person", token: null, csrf: "c" }, "GET")).toEqual({});
    expect(headersOf({ kind: "person", token: null, csrf: "c" }, "PUT")).toEqual({ "x-csrf-token": "c" });
    expect(headersOf(null, "GET")).toEqual({});
  });

  it("may what his scopes say", () => {
    expect(holds(["calls:read"], "calls:read")).toBe(true);
    expect(holds(["calls:read"], "calls:control")).toBe(false);
    expect(holds(["calls:*"], "calls:control")).toBe(true);
    expect(holds(["*:read"], "audit:read")).toBe(true);
    expect(holds(["*:read"], "bans:read")).toBe(false);
    expect(holds(["*"], "users:write")).toBe(true);
    expect(holds(["*"], "switch:control")).toBe(false);
    expect(holds(["switch:*"], "switch:control")).toBe(true);
  });
});
