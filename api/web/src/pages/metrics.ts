/** Figures of the machine, out of the text form of Prometheus. */

/** Each metric by its name; one with labels is the sum over them. */
export function metricsOf(text: string): Map<string, number> {
  const all = new Map<string, number>();
  for (const line of text.split("\n")) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? ([-+.\deE]+|NaN)(?: \d+)?$/.exec(line);
    const value = Number(found?.[2] ?? NaN);
    if (found?.[1] !== undefined && Number.isFinite(value)) {
      all.set(found[1], (all.get(found[1]) ?? 0) + value);
    }
  }
  return all;
}
