/** Light or dark: as the machine says, unless a person says otherwise. */

import { ref } from "vue";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEPT = "cordboard.theme";
const machine = window.matchMedia("(prefers-color-scheme: dark)");
export const theme = ref<Theme>("auto");
/** What is drawn. */
export const dark = ref(false);

function draw(): void {
  dark.value = theme.value === "dark" || (theme.value === "auto" && machine.matches);
  document.documentElement.classList.toggle("dark", dark.value);
}

export function wear(to: Theme): void {
  theme.value = to;
  localStorage.setItem(KEPT, to);
  draw();
}

export function startTheme(): void {
  const kept = localStorage.getItem(KEPT);
  theme.value = THEMES.find((one) => one === kept) ?? "auto";
  machine.addEventListener("change", draw);
  draw();
}
