/** Tables as spreadsheets write them (RFC 4180), with a comma, a semicolon or a tab between cells. */

export interface Csv {
  columns: string[];
  rows: string[][];
}

/** Which of the three stands between the cells of the first line. */
function between(text: string): string {
  const line = text.slice(0, /\r|\n|$/.exec(text)?.index ?? 0);
  const counts = [",", ";", "\t"].map((one): [string, number] => [one, line.split(one).length]);
  return counts.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

/** The first line names the columns; empty lines are left out. */
export function readCsv(whole: string): Csv {
  const text = whole.replace(/^\uFEFF/, "");
  const mark = between(text);
  const lines: string[][] = [];
  let line: string[] = [];
  let cell = "";
  let quoted = false;
  const endCell = (): void => {
    line.push(cell);
    cell = "";
  };
  const endLine = (): void => {
    endCell();
    if (line.some((one) => one.trim() !== "")) {
      lines.push(line);
    }
    line = [];
  };
  for (let at = 0; at < text.length; at++) {
    const here = text.charAt(at);
    if (quoted) {
      if (here !== '"') {
        cell += here;
      } else if (text.charAt(at + 1) === '"') {
        cell += here;
        at++;
      } else {
        quoted = false;
      }
    } else if (here === '"' && cell === "") {
      quoted = true;
    } else if (here === mark) {
      endCell();
    } else if (here === "\n") {
      endLine();
    } else if (here !== "\r" || text.charAt(at + 1) !== "\n") {
      cell += here;
    }
  }
  endLine();
  return { columns: (lines[0] ?? []).map((one) => one.trim()), rows: lines.slice(1) };
}

/** What keeps it from being a table, as the key of its words; empty if nothing does. */
export function faultOf(csv: Csv): string {
  if (csv.columns.length < 2) {
    return "table.oneColumn";
  }
  if (csv.columns.some((one) => one === "") || new Set(csv.columns).size !== csv.columns.length) {
    return "table.badColumns";
  }
  return csv.rows.length === 0 ? "table.noRows" : "";
}
