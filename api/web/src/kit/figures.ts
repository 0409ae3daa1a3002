/** Figures as people read them. A figure that nothing was measured for is a dash, and never zero. */

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? "–" : `${(share * 100).toFixed(share >= 0.9995 || share === 0 ? 0 : 1)} %`;

/** `0:07`, `12:34`, `1:02:03`. */
export function span(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) {
    return "–";
  }
  const all = Math.max(0, Math.round(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

export const bytes = (n: number): string =>
  n < 1_000 ? `${n} B` : n < 1_000_000 ? `${(n / 1_000).toFixed(0)} kB` : `${(n / 1_000_000).toFixed(1)} MB`;

/** A mean opinion score is kept in hundredths. */
export const mos = (hundredths: number | null | undefined): string =>
  hundredths === null || hundredths === undefined ? "–" : (hundredths / 100).toFixed(2);

/** How good that sounds, in the words of `quality`. */
export function quality(hundredths: number | null | undefined): "unknown" | "good" | "fair" | "poor" {
  if (hundredths === null || hundredths === undefined) {
    return "unknown";
  }
  return hundredths >= 400 ? "good" : hundredths >= 350 ? "fair" : "poor";
}

export const lossShare = (lost: number, received: number): number | null => (lost + received === 0 ? null : lost / (lost + received));
