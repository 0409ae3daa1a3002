/** Keys that an agent presses without looking. Letters with Alt, so that no note is disturbed; Escape closes what is open. */

export type Hot =
  | "answer" | "hang_up" | "hold" | "mute" | "consult" | "transfer" | "conference" | "keys" | "dial" | "ready" | "wrap_up" | "close";

export const HOT: Readonly<Record<string, Hot>> = {
  a: "answer", e: "hang_up", h: "hold", m: "mute", c: "consult", t: "transfer", n: "conference", k: "keys", d: "dial",
  r: "ready", w: "wrap_up",
};

/** What keyboards call these keys. */
export const CODES: readonly string[] = Object.keys(HOT).map((letter) => `Key${letter.toUpperCase()}`);
/** Those that open something that is typed into or chosen from: the bar has the focus then. */
export const OPENS: ReadonlySet<Hot> = new Set(["consult", "transfer", "conference", "keys", "dial", "wrap_up"]);

/** A key that was pressed in the page around, by what its keyboard calls it. */
export const fromAround = (code: string): Hot | null =>
  hot({ key: "", code, altKey: true, ctrlKey: false, metaKey: false, repeat: false });

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
