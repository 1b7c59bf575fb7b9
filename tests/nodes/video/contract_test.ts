import { deepEqual, rejects } from "node:assert/strict";
import type { AnyNode } from "../../../core/mod.ts";
import { videoNodes } from "../../../nodes/video/mod.ts";
import { nodeContract } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { videoContracts } from "./_contracts.ts";

Deno.test("Every video node has a contract", () => {
  const types = videoNodes.map(({ type, name }) => type ?? name);
  deepEqual(types.sort(), Object.keys(videoContracts).sort());
});

for (const [type, contract] of Object.entries(videoContracts)) {
  for (const { name, run } of nodeContract(contract)) Deno.test(`${type} ${name}`, run);

  Deno.test(`${type} names itself and both kinds when it is given text`, async () => {
    const node = contract.create({}) as unknown as AnyNode;
    await rejects(through(node, ["hello"]), new RegExp(`${type} takes an? .*: it was given text`));
  });
}
