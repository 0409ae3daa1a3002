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

/** The line of a case's step in its test: where each step has a line, as they are mostly written; else that of the case's name. */
function lineOfStep(test: string, name: string, step: number): number {
  const lines = test.split("\n");
  const named = lines.findIndex((line) => /^\s*name\s*=/.test(line) && line.includes(`"${name}"`));
  if (named < 0) {
    return 1;
  }
  const next = lines.findIndex((line, at) => at > named && line.trim().startsWith("[[case"));
  const steps = lines.flatMap((line, at) => (at > named && (next < 0 || at < next) && line.trim().startsWith("{") ? [at] : []));
  return (steps[step - 1] ?? named) + 1;
}

/** `main.lua:3:7: text`, `main.test.toml:12: text` of a test, and `FAILED main.test.toml: case "open", step 2:` of one that was played.
 * What names no line stands at the first. */
export function faultsOf(errors: readonly string[], test = ""): Fault[] {
  return errors.map((error) => {
    const played = /^FAILED \S*?\.toml: (case "(.*)", step (\d+):.*)$/s.exec(error);
    if (played) {
      return { where: "test", line: lineOfStep(test, played[2] ?? "", Number(played[3])), column: 1, text: played[1] ?? error };
    }
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
