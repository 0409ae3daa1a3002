/** The bar's words in the agent's language. English is the shape; the others have every key of it (test/bar/words.test.ts). */

import { ref } from "vue";
import en from "./lang/en.json";

export const LANGUAGES = ["en", "zh-CN", "ar", "es", "pt", "fr"] as const;
export type Language = (typeof LANGUAGES)[number];
export type Words = { [key: string]: string };

const LOAD: Record<Exclude<Language, "en">, () => Promise<{ default: Words }>> = {
  "zh-CN": () => import("./lang/zh-CN.json"),
  ar: () => import("./lang/ar.json"),
  es: () => import("./lang/es.json"),
  pt: () => import("./lang/pt.json"),
  fr: () => import("./lang/fr.json"),
};
/** The same that the console keeps. */
const KEPT = "cordboard.lang";

const words = ref<Words>(en);
export const language = ref<Language>("en");

export function nearest(reads: readonly (string | null)[]): Language {
  for (const one of reads) {
    const said = one?.toLowerCase() ?? "";
    const found = LANGUAGES.find((known) => said === known.toLowerCase() || said.split("-")[0] === known.split("-")[0]);
    if (found) {
      return found;
    }
  }
  return "en";
}

/** The words for a key, with what stands in braces filled in. */
export function say(key: string, given: Record<string, string | number> = {}): string {
  const text = words.value[key] ?? (en as Words)[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(given[name] ?? ""));
}

/** The words for a key that may not be known: those of another key instead. */
export function sayOr(key: string, other: string, given: Record<string, string | number> = {}): string {
  return key in (en as Words) ? say(key, given) : say(other, given);
}

export async function speak(to: Language, keep = false): Promise<void> {
  words.value = to === "en" ? en : (await LOAD[to]()).default;
  language.value = to;
  document.documentElement.lang = to;
  document.documentElement.dir = to === "ar" ? "rtl" : "ltr";
  if (keep) {
    try {
      localStorage.setItem(KEPT, to);
    } catch {
      // it is asked for again at the next visit
    }
  }
}

/** Takes the language kept from an earlier visit, that of the page around, or the browser's. */
export function startWords(page: string | null): Promise<void> {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT);
  } catch {
    // a frame whose browser keeps nothing for third parties
  }
  return speak(nearest([kept, page, ...navigator.languages]));
}

/** A length of time as a clock has it: 0:07, 12:30, 1:02:03. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
