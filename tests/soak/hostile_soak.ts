import assert from "node:assert/strict";
import { attackInRounds } from "../remote/_hostile.ts";

Deno.test("Soak: a server's memory does not grow from one round of attacks to the next", async () => {
  const memory = await attackInRounds(12);
  assert.ok(memory.at(-1)! < memory[4]! + 150);
});
