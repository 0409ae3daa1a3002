import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gathered, made, spread } from "../src/kit/made";
import { fault, keyAmong, SCHEMA, type Field, type Kind } from "../src/kit/schema";
import { valueOf } from "../src/kit/rows";

const KINDS = Object.keys(SCHEMA) as Kind[];
const all = (kind: Kind): Field[] => [...SCHEMA[kind], ...made(kind, SCHEMA[kind])];
const of = (kind: Kind, key: string): Field | undefined => all(kind).find((one) => one.key === key);

describe("fields by the switch's own schema", () => {
  it("every key of every kind has a field, each once, and hardly any is JSON", () => {
    const schemas = JSON.parse(readFileSync("../src/objects/schemas.json", "utf8")) as Record<Kind, { properties: Record<string, object> }>;
    for (const kind of KINDS) {
      const keys = all(kind).map((one) => one.key);
      expect(new Set(keys).size, kind).toBe(keys.length);
      const tops = new Set(keys.map((key) => key.split(".")[0]));
      expect(Object.keys(schemas[kind].properties).filter((key) => !tops.has(key)), kind).toEqual([]);
    }
    const json = KINDS.flatMap((kind) => all(kind).filter((one) => one.type === "json").map((one) => `${kind}.${one.key}`));
    expect(json).toEqual(["tenants.share"]);
  });

  it("each has its words, in a field and in a column", () => {
    const words = JSON.parse(readFileSync("src/lang/en.json", "utf8")) as { field: Record<string, string>; column: Record<string, string> };
    const missing = KINDS.flatMap((kind) =>
      all(kind).flatMap((one) => [
        ...(words.field[one.key.replaceAll(".", "_")] ? [] : [`field ${kind}.${one.key}`]),
        ...(one.columns ?? []).filter((column) => !words.column[column.key]).map((column) => `column ${kind}.${one.key}.${column.key}`),
      ]),
    );
    expect(missing).toEqual([]);
  });

  it("they check by its ranges", () => {
    const ageing = of("queues", "ageing") as Field;
    expect([ageing.type, fault(ageing, "30s"), fault(ageing, "2h"), fault(ageing, "soon")]).toEqual(["duration", "", "check.range", "check.duration"]);
    const tries = of("tenants", "sign_in.tries") as Field;
    expect([tries.type, fault(tries, "0") !== "", fault(tries, "5")]).toEqual(["int", true, ""]);
    expect(of("queues", "callback_other")).toMatchObject({ type: "flag", initial: "true" });
    const failover = of("trunks", "failover") as Field;
    expect([fault(failover, ["503"]), fault(failover, ["busy"])]).toEqual(["", "check.integer"]);
    expect(of("tenants", "application")?.columns?.map((one) => one.key).slice(0, 2)).toEqual(["name", "client_id"]);
  });
});

describe("a document by fields", () => {
  const document = {
    display: "Acme", sign_in: { tries: 5, unheard_of: 1 }, access: { origins: ["https://a.example"] }, invented: { a: 1 }, caller_list: [{ name: "vips" }],
  };

  it("comes back as it was, with what no field has", () => {
    const { values, rest } = spread(document, all("tenants"));
    expect(values).toEqual({ display: "Acme", "sign_in.tries": 5, "access.origins": ["https://a.example"], caller_list: [{ name: "vips" }] });
    expect(rest).toEqual({ sign_in: { unheard_of: 1 }, invented: { a: 1 } });
    expect(gathered(values, rest, all("tenants"))).toEqual(document);
  });

  it("has numbers in lists of numbers, and truths in columns of truths", () => {
    const { values, rest } = spread({ failover: [503, 500] }, all("trunks"));
    expect(values).toEqual({ failover: ["503", "500"] });
    expect(gathered(values, rest, all("trunks"))).toEqual({ failover: [503, 500] });
    const columns = of("tenants", "application")?.columns ?? [];
    expect(valueOf([{ name: "crm", actions: "true" }], columns, true)).toEqual({ crm: { actions: true } });
  });

  it("a refusal of a key in a group is shown at its field", () => {
    const at = (line: string): string | null => keyAmong(line, all("tenants"));
    expect(at('"tries" in [tenant.acme.sign_in]: expected 1 to 20')).toBe("sign_in.tries");
    expect(at('"zone" in [tenant.acme]: expected a zone')).toBe("zone");
    expect(keyAmong('"ring" in [tenant.acme.queue.access]: too long', all("queues"))).toBe("ring");
  });
});
