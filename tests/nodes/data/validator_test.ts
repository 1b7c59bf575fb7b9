import { deepEqual, rejects, throws } from "node:assert/strict";
import { Validator } from "../../../nodes/data/mod.ts";
import { through } from "./_through.ts";

const schema = {
  type: "object",
  required: ["id"],
  additionalProperties: false,
  properties: {
    id: { type: "integer" },
    mail: { type: "string", format: "email" },
    role: { enum: ["admin", "user"] },
  },
};

Deno.test("Validator lets valid chunks pass as they are", async () => {
  const chunks = [{ id: 1 }, { id: 2, mail: "a@b.org", role: "admin" }];
  const passed = await through(new Validator({ schema }), chunks);
  deepEqual(passed, chunks);
});

Deno.test("Validator names each place and rule that a chunk breaks", async () => {
  await rejects(
    through(new Validator({ schema }), [{ id: 1.5, mail: "x", role: "root", more: 1 }]),
    /failed on chunk 0: The chunk is not valid: it must NOT have additional properties \("more"\); \/id must be integer; \/mail must match format "email"; \/role must be equal to one of the allowed values \(admin, user\)/,
  );
});

Deno.test("Validator drops or reports what is not valid", async () => {
  const chunks = [{ id: 1 }, {}];
  deepEqual(await through(new Validator({ schema, invalid: "drop" }), chunks), [{ id: 1 }]);
  deepEqual(await through(new Validator({ schema, invalid: "report" }), chunks), [
    { value: { id: 1 }, valid: true, errors: [] },
    { value: {}, valid: false, errors: ["it must have required property 'id'"] },
  ]);
  deepEqual(await through(new Validator({ schema: false, invalid: "drop" }), [1]), []);
});

Deno.test("Validator takes any schema of the standard, and refuses misspelt keywords and formats", async () => {
  deepEqual(
    await through(new Validator({ schema: { required: ["a"] }, invalid: "drop" }), [{}, { a: 1 }]),
    [{ a: 1 }],
  );
  const tuple = { prefixItems: [{ type: "string" }], items: false, $defs: { x: { type: "null" } } };
  deepEqual(await through(new Validator({ schema: tuple, invalid: "drop" }), [["a"], ["a", 1]]), [[
    "a",
  ]]);
  throws(() => new Validator({ schema: { requird: ["a"] } }), /unknown keyword: "requird"/);
  throws(
    () => new Validator({ schema: { type: "string", format: "emial" } }),
    /unknown format "emial"/,
  );
  throws(() => new Validator({ schema: { $ref: "#/$defs/none" } }), /can't resolve reference/);
});
