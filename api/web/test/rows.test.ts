import { describe, expect, it } from "vitest";
import { fault, SCHEMA, type Field } from "../src/kit/schema";
import { rowsFault, rowsOf, valueOf } from "../src/kit/rows";

const of = (kind: keyof typeof SCHEMA, key: string): Field => SCHEMA[kind].find((field) => field.key === key)!;
const skills = of("agents", "skill").columns!;
const gateways = of("trunks", "gateways").columns!;

describe("small things as rows", () => {
  it("come back as they were, whatever else they say", () => {
    const list = [{ address: "192.0.2.1:5060", weight: 3, kept: true }, { address: "192.0.2.2" }];
    expect(valueOf(rowsOf(list, gateways, false), gateways, false)).toEqual(list);
    const byName = { german: { level: 80 }, english: { level: 40, kept: [1] } };
    expect(valueOf(rowsOf(byName, skills, true), skills, true)).toEqual(byName);
  });

  it("are numbers where they are typed as such, and are nothing where nothing is said", () => {
    expect(valueOf([{ address: "a", weight: "7" }, {}, { address: "" }], gateways, false)).toEqual([{ address: "a", weight: 7 }]);
    expect(valueOf([{ name: "german", level: "80" }, { level: "3" }], skills, true)).toEqual({ german: { level: 80 } });
    expect(valueOf([], gateways, false)).toBeUndefined();
    expect(valueOf([{}], skills, true)).toBeUndefined();
    // a list of names is one of things with a name
    expect(rowsOf(["carrier"], of("ways-out", "trunks").columns!, false)).toEqual([{ trunk: "carrier" }]);
  });

  it("say which cell is wrong", () => {
    expect(rowsFault([{ name: "german", level: 80 }], skills)).toBeNull();
    expect(rowsFault([{ name: "german", level: 101 }], skills)).toMatchObject({ words: "check.range", column: { key: "level" } });
    expect(rowsFault([{ name: "german", level: "high" }], skills)?.words).toBe("check.integer");
    expect(rowsFault([{ level: 7 }], skills)).toMatchObject({ words: "check.required", column: { key: "name" } });
    expect(rowsFault([{}], skills)).toBeNull();
    expect(fault(of("agents", "skill"), { german: { level: 0 } })).toBe("check.range");
    expect(fault(of("ways-out", "trunks"), [])).toBe("check.required");
  });
});
