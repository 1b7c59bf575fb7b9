import assert from "node:assert/strict";
import { attackInRounds } from "./_hostile.ts";

Deno.test("a server holds out against clients that mean harm: bounded memory, other sessions unharmed", async () => {
  const [before, after] = await attackInRounds(1) as [number, number];
  assert.ok(after < before + 500, `${before} to ${after} MB`);
});
