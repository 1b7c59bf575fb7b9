import { deepEqual, equal, throws } from "node:assert/strict";
import { z } from "zod";
import { ConfigurationError, Node, NodeRegistry } from "../../core/mod.ts";
import { parseOptions } from "../../core/options.ts";

const schema = z.strictObject({
  db: z.number().min(-60).max(60).default(0),
  mode: z.enum(["fast", "exact"]).default("fast"),
  band: z.strictObject({ low: z.number() }).optional(),
});

class Tuned extends Node<number, number, { db: number }> {
  static override readonly type = "Tuned";
  static override readonly options: z.ZodType = schema;
  process(input: number): number {
    return input * this.options.db;
  }
}

Deno.test("parseOptions fills in defaults and freezes", () => {
  const options = parseOptions("Tuned", schema, { db: 3 });
  deepEqual(options, { db: 3, mode: "fast" });
  throws(() => Object.assign(options, { db: 4 }), TypeError);
});

Deno.test("parseOptions names the option, its rule and the value that breaks it", () => {
  for (
    const [options, Fault, message] of [
      [
        { db: 90 },
        RangeError,
        /^Cannot create Tuned as option "db" breaks its rule \(.*60\): current value is 90$/,
      ],
      [{ db: "3" }, TypeError, /option "db" .*number.*: current value is "3"$/],
      [{ mode: "slow" }, TypeError, /option "mode" .*fast.*: current value is "slow"$/],
      [{ band: { low: null } }, TypeError, /option "band\.low" .*: current value is null$/],
      [{ gain: 3 }, TypeError, /^Cannot create Tuned as it has no option "gain"$/],
      [[], TypeError, /options must be an object/],
    ] as const
  ) {
    throws(() => new Tuned(options as object), (error: unknown) => {
      equal((error as Error).constructor, Fault);
      equal(message.test((error as Error).message), true, (error as Error).message);
      return true;
    });
  }
});

Deno.test("Node checks what is the same for all nodes", () => {
  throws(() => new Tuned({}, { concurrency: 0 }), RangeError);
  throws(() => new Tuned({}, { queue: { size: 1.5 } }), RangeError);
  throws(() => new Tuned({}, { queue: { size: 1, overflow: "spill" as never } }), TypeError);
  throws(() => new Tuned({}, { name: "" }), TypeError);
});

Deno.test("Node.toSpec gives enough to make it again", () => {
  const node = new Tuned({ db: 6 }, { name: "loud", concurrency: 2, queue: { size: 4 } });
  const spec = node.toSpec();
  deepEqual(spec, {
    name: "loud",
    type: "Tuned",
    options: { db: 6, mode: "fast" },
    concurrency: 2,
    queue: { size: 4 },
  });
  deepEqual(new NodeRegistry([Tuned]).create(structuredClone(spec)).toSpec(), spec);
});

Deno.test("NodeRegistry suggests the nearest name, and takes each name once", () => {
  const registry = new NodeRegistry([Tuned]);
  deepEqual(registry.types, ["Tuned"]);
  const spec = { name: "x", options: {} };
  throws(() => registry.create({ ...spec, type: "Tunde" }), {
    name: "ConfigurationError",
    message: "Cannot find node type Tunde: did you mean Tuned?",
  });
  throws(() => registry.create({ ...spec, type: "Equalizer" }), /there are Tuned/);
  throws(() => new NodeRegistry([Tuned, Tuned]), ConfigurationError);
});
