import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync("src/tokens.css", "utf8");

function tokens(selector: string): Map<string, string> {
  const block = css.slice(css.indexOf(`${selector} {`)).split("}")[0] ?? "";
  return new Map([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((one) => [one[1] ?? "", one[2] ?? ""]));
}

/** Relative luminance, as WCAG 2 defines it. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

describe.each([":root", ":root.dark"])("the colours of %s", (selector) => {
  const all = tokens(selector);
  const of = (name: string): string => all.get(name) ?? "";

  it.each(["text", "dim", "accent", "ready", "talk", "ring", "wrap", "rest", "busy"])("%s can be read on every ground", (name) => {
    for (const ground of ["panel", "ground", "head", "hover"]) {
      expect(contrast(of(name), of(ground)), `${name} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("what stands on a colour can be read", () => {
    for (const [text, ground] of [
      ["on-accent", "accent"],
      ["on-busy", "busy"],
      ["accent", "accent-soft"],
      ["text", "warn-ground"],
      ["text", "bad-ground"],
      ["text", "good-ground"],
      ["text", "new"],
    ] as const) {
      expect(contrast(of(text), of(ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("the edge of what is typed into can be seen", () => {
    for (const ground of ["panel", "ground"]) {
      expect(contrast(of("edge"), of(ground)), ground).toBeGreaterThanOrEqual(3);
    }
  });
});
