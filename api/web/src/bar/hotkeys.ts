/** Keys that an agent presses without looking. Letters with Alt, so that no note is disturbed; Escape closes what is open. */

export type Hot =
  | "answer" | "hang_up" | "hold" | "mute" | "consult" | "transfer" | "conference" | "keys" | "dial" | "ready" | "wrap_up" | "close";

export const HOT: Readonly<Record<string, Hot>> = {
  a: "answer", e: "hang_up", h: "hold", m: "mute", c: "consult", t: "transfer", n: "conference", k: "keys", d: "dial",
  r: "ready", w: "wrap_up",
};

interface Pressed {
  key: string;
  code: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  repeat: boolean;
}

export function hot(pressed: Pressed): Hot | null {
  if (pressed.repeat || pressed.ctrlKey || pressed.metaKey) {
    return null;
  }
  if (pressed.key === "Escape") {
    return "close";
  }
  // with Alt a keyboard may give another character: the key itself says which it is
  const letter = /^Key([A-Z])$/.exec(pressed.code)?.[1]?.toLowerCase();
  return pressed.altKey && letter ? (HOT[letter] ?? null) : null;
}

/** How it is written on a button. */
export const keyOf = (hot: Hot): string =>
  hot === "close" ? "Esc" : `Alt+${Object.entries(HOT).find(([, what]) => what === hot)?.[0]?.toUpperCase() ?? ""}`;
