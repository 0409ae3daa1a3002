import { beforeEach, describe, expect, it, vi } from "vitest";
import { Http, Problem } from "../src/http";
import { meant, unlessChanged } from "../src/kit/changed";
import { LANGUAGES, speak } from "../src/lang";

const asked = vi.hoisted(() => ({ answer: true, texts: [] as string[] }));
vi.mock("../src/kit/say", () => ({
  sure: async (text: string): Promise<boolean> => {
    asked.texts.push(text);
    return asked.answer;
  },
}));
const refusal = (status: number): Problem => new Problem({ status, title: "", detail: "it is at version b by now" });
const refuses = (status: number) => async (): Promise<string> => Promise.reject(refusal(status));

describe("a change that means a version", () => {
  beforeEach(async () => {
    await speak("en");
    asked.texts = [];
    asked.answer = true;
  });

  it("says which in its head, or that there is none yet", async () => {
    const heads: (string | null)[][] = [];
    const http = new Http(
      async (_, init) => {
        const head = new Headers(init.headers);
        heads.push([head.get("if-match"), head.get("if-none-match")]);
        return new Response("{}", { headers: { etag: '"b"' } });
      },
      { headers: () => ({}), over: () => undefined },
    );
    await http.put("/x", {}, meant('"a"'));
    await http.put("/x", {}, meant(null));
    expect(heads).toEqual([
      ['"a"', null],
      [null, "*"],
    ]);
  });

  it("asks nothing where nobody else was first", async () => {
    const reload = vi.fn();
    expect(await unlessChanged(async () => "written", reload)).toBe("written");
    await expect(unlessChanged(refuses(409), reload)).rejects.toMatchObject({ status: 409 });
    expect(reload).not.toHaveBeenCalled();
    expect(asked.texts).toEqual([]);
  });

  it("reads anew where another was first and that is wanted, in the reader's words", async () => {
    for (const lang of LANGUAGES) {
      await speak(lang);
      const reload = vi.fn();
      expect(await unlessChanged(refuses(412), reload)).toBeNull();
      expect(reload).toHaveBeenCalledOnce();
    }
    expect(new Set(asked.texts).size).toBe(LANGUAGES.length);
    expect(asked.texts.join()).not.toContain("refused.changed");
  });

  it("leaves what was typed where it is not wanted", async () => {
    asked.answer = false;
    const reload = vi.fn();
    await expect(unlessChanged(refuses(412), reload)).rejects.toMatchObject({ status: 412 });
    expect(reload).not.toHaveBeenCalled();
    expect(asked.texts).toHaveLength(1);
  });
});
