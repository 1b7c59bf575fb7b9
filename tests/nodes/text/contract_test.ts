import { deepEqual } from "node:assert/strict";
import { textNodes } from "../../../nodes/text/mod.ts";
import { nodeContract } from "../../../testing/mod.ts";
import { elsewhere } from "../data/_elsewhere.ts";
import { textContracts } from "./_contracts.ts";

Deno.test("Every node of nodes/text has a contract", () => {
  deepEqual(textNodes.map(({ type }) => type).sort(), Object.keys(textContracts).sort());
});

const executor = elsewhere(textNodes);
for (const [type, contract] of Object.entries(textContracts)) {
  for (const { name, run } of nodeContract({ ...contract, executor })) {
    Deno.test(`${type} ${name}`, run);
  }
}
