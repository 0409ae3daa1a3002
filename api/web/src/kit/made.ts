/**
 * What the switch's own schema of a kind has beside the fields that are laid out by hand: every key has a field, with the range that
 * the switch holds it to. The schema is what the switch serves.
 */

import SCHEMAS from "../../../src/objects/schemas.json";
import type { Column } from "./rows";
import { seconds, type Field, type Kind } from "./schema";

interface Said {
  type?: string;
  enum?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  "x-range"?: string;
  properties?: Record<string, Said>;
  additionalProperties?: boolean | Said;
  items?: Said;
  required?: string[];
  anyOf?: Said[];
  writeOnly?: boolean;
}

const ALL = SCHEMAS as unknown as Record<Kind, Said>;

/** What names things that are configured elsewhere: those are chosen, not typed. */
const NAMING: Readonly<Record<string, Pick<Field, "type" | "kind">>> = {
  "lua_decision.flow": { type: "ref", kind: "flows" },
  "emergency.trunks": { type: "refs", kind: "trunks" },
  "emergency.from_trunks": { type: "refs", kind: "trunks" },
};
const NAMING_COLUMNS: Readonly<Record<string, Kind>> = { calendar: "calendars" };

/** Of several forms the widest: a list rather than the word that may stand for it. */
function meant(said: Said): Said {
  const forms = said.anyOf ?? [said];
  const numbers = forms.filter((one) => one.type === "integer");
  if (numbers.length === forms.length && numbers.length > 1) {
    return { type: "integer", minimum: Math.min(...numbers.map((one) => one.minimum ?? 0)), maximum: Math.max(...numbers.map((one) => one.maximum ?? 0)) };
  }
  return forms.find((one) => one.type === "array") ?? forms[0] ?? said;
}

const isDuration = (said: Said): boolean => said.pattern?.includes("(ms|s|m|h|d)") === true;

/** `a duration from "1s" to "1h"`, in seconds. */
function range(said: Said): { least?: number; most?: number } {
  const found = [...(said["x-range"] ?? "").matchAll(/"([^"]+)"/g)].map((one) => seconds(one[1] ?? ""));
  const [least, most] = found;
  return typeof least === "number" && typeof most === "number" ? { least, most } : {};
}

const bounds = (said: Said): { least?: number; most?: number } => ({
  ...(said.minimum === undefined ? {} : { least: said.minimum }),
  ...(said.maximum === undefined ? {} : { most: said.maximum }),
});

function column(key: string, said: Said, required: boolean): Column | null {
  const one = meant(said);
  const must = required ? { required } : {};
  const kind = NAMING_COLUMNS[key];
  if (kind) {
    return { key, type: "ref", kind, ...must };
  }
  if (one.type === "boolean") {
    return { key, type: "flag", of: ["true", "false"], ...must };
  }
  if (one.enum) {
    return { key, type: "choice", of: one.enum, ...must };
  }
  if (one.type === "integer") {
    return { key, type: "int", ...bounds(one), ...must };
  }
  if (one.type === "array") {
    return one.items?.type === "object" ? null : { key, type: "list", ...must };
  }
  return one.type === "object" ? null : { key, type: "text", ...must };
}

/** Rows of things with these properties; as JSON if one of them is no cell. */
function rows(key: string, of: Said, byName: boolean): Field {
  const columns = Object.entries(of.properties ?? {}).map(([name, said]) => column(name, said, of.required?.includes(name) === true));
  if (columns.some((one) => one === null)) {
    return { key, type: "json", more: true };
  }
  const named: Column[] = byName ? [{ key: "name", type: "text", required: true }] : [];
  const first = (a: Column, b: Column): number => Number(b.required === true) - Number(a.required === true);
  return { key, type: "rows", more: true, columns: [...named, ...(columns as Column[]).sort(first)], ...(byName ? { byName } : {}) };
}

function fieldsOf(key: string, said: Said, required: boolean): Field[] {
  const one = meant(said);
  const initial = said.default === undefined || typeof said.default === "object" ? {} : { initial: String(said.default) };
  const own = { key, more: true, ...initial, ...(required ? { required } : {}) } as const;
  const naming = NAMING[key];
  if (naming) {
    return [{ ...own, ...naming }];
  }
  if (one.type === "boolean") {
    return [{ ...own, type: "flag" }];
  }
  if (one.enum) {
    return [{ ...own, type: "choice", of: one.enum }];
  }
  if (one.type === "integer") {
    return [{ ...own, type: "int", ...bounds(one) }];
  }
  if (isDuration(one)) {
    return [{ ...own, type: "duration", ...range(one) }];
  }
  if (one.type === "array") {
    const of = one.items ?? {};
    return [of.type === "object" ? rows(key, of, false) : { ...own, type: "list", ...(of.enum ? { of: of.enum } : {}), ...(of.type === "integer" ? { numbers: true } : {}) }];
  }
  if (one.type === "object" && typeof one.additionalProperties === "object") {
    return [rows(key, one.additionalProperties, true)];
  }
  if (one.type === "object") {
    // what a group must have it must have only where there is a group
    return Object.entries(one.properties ?? {}).flatMap(([inner, of]) => fieldsOf(`${key}.${inner}`, of, false));
  }
  return [{ ...own, type: one.writeOnly ? "secret" : "text" }];
}

/** The fields of a kind that are not among `laid`. */
export function made(kind: Kind, laid: readonly Field[]): Field[] {
  const there = new Set(laid.map((one) => one.key));
  const said = ALL[kind];
  return Object.entries(said.properties ?? {})
    .filter(([key]) => !there.has(key))
    .flatMap(([key, of]) => fieldsOf(key, of, said.required?.includes(key) === true));
}

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);

/** A document by fields, those of groups as `group.key`; and what no field has. */
export function spread(document: Tree, fields: readonly Field[]): { values: Tree; rest: Tree } {
  const known = new Map(fields.map((one) => [one.key, one]));
  const groups = new Set(fields.filter((one) => one.key.includes(".")).map((one) => one.key.split(".")[0]));
  const values: Tree = {};
  const rest: Tree = {};
  const put = (key: string, value: unknown): boolean => {
    const field = known.get(key);
    if (field) {
      values[key] = field.numbers && Array.isArray(value) ? value.map(String) : value;
    }
    return field !== undefined;
  };
  for (const [key, value] of Object.entries(document)) {
    if (put(key, value)) {
      continue;
    }
    if (groups.has(key) && isTree(value)) {
      const left = Object.entries(value).filter(([inner, of]) => !put(`${key}.${inner}`, of));
      if (left.length > 0) {
        rest[key] = Object.fromEntries(left);
      }
    } else {
      rest[key] = value;
    }
  }
  return { values, rest };
}

/** The document again. */
export function gathered(values: Tree, rest: Tree, fields: readonly Field[]): Tree {
  const known = new Map(fields.map((one) => [one.key, one]));
  const document: Tree = structuredClone(rest);
  for (const [key, value] of Object.entries(values)) {
    const is = known.get(key)?.numbers && Array.isArray(value) ? value.map(Number) : value;
    const [group, inner] = key.split(".", 2);
    if (group !== undefined && inner !== undefined) {
      const there = document[group];
      document[group] = { ...(isTree(there) ? there : {}), [inner]: is };
    } else {
      document[key] = is;
    }
  }
  return document;
}
