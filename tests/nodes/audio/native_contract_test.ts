import { deepEqual, rejects } from "node:assert/strict";
import type { AnyNode } from "../../../core/mod.ts";
import { nativeAudioNodes } from "../../../nodes/audio/native_nodes.ts";
import { nodeContract } from "../../../testing/mod.ts";
import { through } from "../data/_through.ts";
import { nativeAudioContracts } from "./_native_contracts.ts";

Deno.test("Every native audio node has a contract", () => {
  const types = nativeAudioNodes.map(({ type, name }) => type ?? name);
  deepEqual(types.sort(), Object.keys(nativeAudioContracts).sort());
});

for (const [type, contract] of Object.entries(nativeAudioContracts)) {
  for (const { name, run } of nodeContract(contract)) Deno.test(`${type} ${name}`, run);

  Deno.test(`${type} names itself and both kinds when it is given no audio`, async () => {
    const node: AnyNode = contract.create({}) as unknown as AnyNode;
    const message = new RegExp(`${type} takes an audio frame: it was given text`);
    await rejects(through(node, ["hello"]), message);
  });
}
