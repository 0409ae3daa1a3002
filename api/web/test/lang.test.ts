import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isRightToLeft, LANGUAGES, nearest } from "../src/lang";

type Tree = { [key: string]: string | Tree };
const read = (of: string): Tree => JSON.parse(readFileSync(`src/lang/${of}.json`, "utf8")) as Tree;

function flat(tree: Tree, before = ""): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    const path = before === "" ? key : `${before}.${key}`;
    if (typeof value === "string") {
      all.set(path, value);
    } else {
      for (const [inner, text] of flat(value, path)) {
        all.set(inner, text);
      }
    }
  }
  return all;
}

const names = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((one) => one[1] ?? "").sort();
const english = flat(read("en"));

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((one) =>
    one.isDirectory() ? sources(join(dir, one.name)) : /\.(vue|ts)$/.test(one.name) ? [join(dir, one.name)] : [],
  );
}

describe("the languages of the pages", () => {
  for (const one of LANGUAGES) {
    it(`${one} has every text, none beyond, and names the same values`, () => {
      const texts = flat(read(one));
      expect([...texts.keys()].sort()).toEqual([...english.keys()].sort());
      for (const [key, text] of texts) {
        expect(text.trim(), key).not.toBe("");
        expect(names(text), key).toEqual(names(english.get(key) ?? ""));
      }
    });
  }

  it("Chinese is written in Chinese", () => {
    const left = [...flat(read("zh-CN"))].filter(([key, text]) => text === english.get(key) && /[a-z]{5}/.test(text));
    expect(left.map(([key]) => key)).toEqual([]);
  });

  it("every text that a page asks for by name is there", () => {
    const missing = sources("src").flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(/\bt\(\s*"([a-z]\w*(?:\.\w+)+)"/g)]
        .map((one) => one[1] ?? "")
        .filter((key) => !english.has(key))
        .map((key) => `${file}: ${key}`),
    );
    expect(missing).toEqual([]);
  });

  it("is the nearest to what a person reads, and what he chose before that", () => {
    expect(nearest(null, ["zh-TW", "en"])).toBe("zh-CN");
    expect(nearest(null, ["pt-BR"])).toBe("pt");
    expect(nearest(null, ["ko", "fr-CA"])).toBe("fr");
    expect(nearest("ar", ["fr"])).toBe("ar");
    expect(nearest(null, ["ko"])).toBe("en");
    expect(nearest("zh", [])).toBe("zh-CN"); // as it was kept before there were more
    expect(isRightToLeft("ar")).toBe(true);
    expect(isRightToLeft("fr")).toBe(false);
  });
});
