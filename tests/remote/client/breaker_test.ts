import assert from "node:assert/strict";
import { Breaker } from "../../../remote/client/breaker.ts";

Deno.test("Breaker leaves an endpoint alone for a second at first, however many sessions it took along", () => {
  const breaker = new Breaker();
  for (let session = 0; session < 100; session++) breaker.fail(1_000);
  assert.ok(breaker.isOpen(1_999));
  assert.ok(!breaker.isOpen(2_000));
});

Deno.test("Breaker leaves an endpoint alone twice as long each time that it fails again", () => {
  const breaker = new Breaker();
  for (let count = 0; count < 3; count++) breaker.fail(0);
  let now = 0;
  for (const rest of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    assert.ok(breaker.isOpen(now + rest - 1));
    now += rest;
    assert.ok(!breaker.isOpen(now));
    breaker.fail(now);
  }
  breaker.succeed();
  breaker.fail(now);
  assert.ok(!breaker.isOpen(now));
});
