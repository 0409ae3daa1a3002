/** What the checker and the tests of flows say, read back into places. */

export interface Flow {
  flow: { tenant: string; name: string };
  kept: "file" | "api";
  file: string;
  version: Version | null;
  draft: { at: number; by: string; sha256: string } | null;
}
export interface Version {
  version: number;
  at: number;
  by: string;
  note: string;
  back_to: number | null;
  sha256: string;
}
export interface Source extends Flow {
  text: string;
  test: string | null;
}
export interface FlowDone {
  done: string[];
  errors: string[];
  version?: Version | null;
  /** The flow as a drawing (SVG), from the calls of its test. */
  drawing?: string | null;
}

export interface Fault {
  where: "flow" | "test";
  line: number;
  column: number;
  text: string;
}

/** `main.lua:3:7: text`, and `main.test.toml:12: text` of a test. What names no line stands at the first. */
export function faultsOf(errors: readonly string[]): Fault[] {
  return errors.map((error) => {
    const found = /^(?:FAILED )?(\S*?):(\d+)(?::(\d+))?:? (.*)$/s.exec(error);
    if (!found) {
      return { where: "flow", line: 1, column: 1, text: error };
    }
    return {
      where: /\.toml$|(^|\W)test\b/.test(found[1] ?? "") ? "test" : "flow",
      line: Number(found[2]),
      column: Number(found[3] ?? 1),
      text: found[4] ?? error,
    };
  });
}
