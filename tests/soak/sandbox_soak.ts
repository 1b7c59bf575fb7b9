/**
 * A thousand sandboxes made and ended: nothing may be left of them. Run as part of `deno task soak`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { makeAndEnd, remains } from "../remote/sandbox/_leaks.ts";

Deno.test("Soak: a thousand sandboxes leave nothing behind", async () => {
  await makeAndEnd(50);
  const before = remains();
  await makeAndEnd(1000);
  const after = remains();
  const grownMb = (after.rssBytes - before.rssBytes) / 1e6;
  console.log(`after 1000 sandboxes: ${grownMb.toFixed(1)} MB more`, before, after);
  assert.ok(grownMb < 20, `it grew by ${grownMb} MB`);
  assert.equal(after.children, before.children);
  assert.ok(after.descriptors <= before.descriptors);
  assert.equal(after.folders, before.folders);
});
