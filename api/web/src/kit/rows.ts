/**
 * Lists of small things, and things by name, as rows of a table: `[{"trunk": "a", "weight": 3}]`, `{"german": {"level": 80}}`.
 * What a row has beside its columns stays in it.
 */

export interface Column {
  key: string;
  type: "text" | "int" | "choice" | "ref" | "list" | "flag";
  of?: readonly string[];
  /** What kind of thing a reference names. */
  kind?: string;
  least?: number;
  most?: number;
  required?: boolean;
}

export type Row = Record<string, unknown>;

/** The column that has the names of things by name. */
export const NAMED = "name";

const isRow = (one: unknown): one is Row => typeof one === "object" && one !== null && !Array.isArray(one);

/** A value as rows; `byName`: it has its things by name. */
export function rowsOf(value: unknown, columns: readonly Column[], byName: boolean): Row[] {
  if (byName) {
    return isRow(value) ? Object.entries(value).map(([name, one]) => ({ ...(isRow(one) ? one : {}), [NAMED]: name })) : [];
  }
  const first = columns[0]?.key ?? "";
  return Array.isArray(value) ? value.map((one: unknown) => (isRow(one) ? { ...one } : { [first]: one })) : [];
}

const said = (one: unknown): boolean => one !== undefined && one !== null && one !== "" && !(Array.isArray(one) && one.length === 0);

/** Rows as the value, without those in which nothing is said. */
export function valueOf(rows: readonly Row[], columns: readonly Column[], byName: boolean): unknown {
  const cell = (column: Column | undefined, one: unknown): unknown =>
    column?.type === "int" && /^-?\d+$/.test(String(one)) ? Number(one) : column?.type === "flag" ? String(one) === "true" : one;
  const kept = rows
    .map((row) => Object.fromEntries(Object.entries(row).filter(([, one]) => said(one)).map(([key, one]) => [key, cell(columns.find((column) => column.key === key), one)])))
    .filter((row) => Object.keys(row).length > 0);
  if (!byName) {
    return kept.length > 0 ? kept : undefined;
  }
  const things = kept.filter((row) => said(row[NAMED])).map(({ [NAMED]: name, ...rest }) => [String(name), rest] as const);
  return things.length > 0 ? Object.fromEntries(things) : undefined;
}

/** What is wrong with a cell, as the key of its words; empty if nothing is. */
export function cellFault(column: Column, row: Row): string {
  const one = row[column.key];
  if (!said(one)) {
    return column.required && Object.values(row).some(said) ? "check.required" : "";
  }
  if (column.type !== "int") {
    return "";
  }
  const n = Number(one);
  return !Number.isInteger(n) ? "check.integer" : n < (column.least ?? -Infinity) || n > (column.most ?? Infinity) ? "check.range" : "";
}

/** The first fault of all rows: its words' key and the column. */
export function rowsFault(rows: readonly Row[], columns: readonly Column[]): { words: string; column: Column } | null {
  for (const row of rows) {
    for (const column of columns) {
      const words = cellFault(column, row);
      if (words) {
        return { words, column };
      }
    }
  }
  return null;
}
