import { deepEqual } from "node:assert/strict";
import { dataNodes, flowNodes } from "../../../nodes/data/mod.ts";
import { nodeContract } from "../../../testing/mod.ts";
import { elsewhere } from "./_elsewhere.ts";
import { dataContracts } from "./_contracts.ts";

Deno.test("Every node of nodes/data has a contract", () => {
  const types = [...dataNodes, ...flowNodes].map(({ type }) => type);
  deepEqual(types.sort(), Object.keys(dataContracts).sort());
});

const executor = elsewhere([...dataNodes, ...flowNodes]);
for (const [type, contract] of Object.entries(dataContracts)) {
  for (const { name, run } of nodeContract({ ...contract, executor })) {
    Deno.test(`${type} ${name}`, run);
  }
}
