/** The languages of the pages. English is the shape; the others have every key of it (test/lang.test.ts). */

import { ref } from "vue";
import { createI18n } from "vue-i18n";
import { setLang as setFloorLang } from "../i18n";
import en from "./en.json";

export const LANGUAGES = ["en", "zh-CN", "ar", "es", "pt", "fr"] as const;
export type Language = (typeof LANGUAGES)[number];
/** Each by its own name. */
export const NAMES: Record<Language, string> = {
  en: "English",
  "zh-CN": "中文",
  ar: "العربية",
  es: "Español",
  pt: "Português",
  fr: "Français",
};

type Words = typeof en;
const LOAD: Record<Exclude<Language, "en">, () => Promise<{ default: unknown }>> = {
  "zh-CN": () => import("./zh-CN.json"),
  ar: () => import("./ar.json"),
  es: () => import("./es.json"),
  pt: () => import("./pt.json"),
  fr: () => import("./fr.json"),
};
/** The words that parts of Element Plus say themselves. */
const PARTS: Record<Language, () => Promise<{ default: unknown }>> = {
  en: () => import("element-plus/es/locale/lang/en.mjs"),
  "zh-CN": () => import("element-plus/es/locale/lang/zh-cn.mjs"),
  ar: () => import("element-plus/es/locale/lang/ar.mjs"),
  es: () => import("element-plus/es/locale/lang/es.mjs"),
  pt: () => import("element-plus/es/locale/lang/pt.mjs"),
  fr: () => import("element-plus/es/locale/lang/fr.mjs"),
};

/** Kept over visits: it is a preference, not a secret. */
const KEPT = "cordboard.lang";

export const i18n = createI18n<[Words], Language, false>({ legacy: false, locale: "en", fallbackLocale: "en", messages: { en } as never });
export const language = ref<Language>("en");
export const parts = ref<unknown>(null);

export const isRightToLeft = (of: Language): boolean => of === "ar";

/** The language that is nearest to what a person reads. */
export function nearest(kept: string | null, reads: readonly string[]): Language {
  for (const one of [kept, ...reads]) {
    const said = one?.toLowerCase() ?? "";
    const found = LANGUAGES.find((known) => said === known.toLowerCase() || said.split("-")[0] === known.split("-")[0]);
    if (found) {
      return found;
    }
  }
  return "en";
}

export async function speak(to: Language, keep = false): Promise<void> {
  if (to !== "en" && !i18n.global.availableLocales.includes(to)) {
    i18n.global.setLocaleMessage(to, (await LOAD[to]()).default as never);
  }
  parts.value = (await PARTS[to]()).default;
  i18n.global.locale.value = to;
  language.value = to;
  setFloorLang(to === "zh-CN" ? "zh" : to);
  document.documentElement.lang = to;
  document.documentElement.dir = isRightToLeft(to) ? "rtl" : "ltr";
  if (keep) {
    localStorage.setItem(KEPT, to);
  }
}

/** Takes the language kept from an earlier visit, or the browser's. */
export const startSpeaking = (): Promise<void> => speak(nearest(localStorage.getItem(KEPT), navigator.languages));
