/**
 * A thousand sandboxes made and ended: nothing may be left of them. The limit of idle time as it is by default.
 * Run as part of `deno task soak`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { SandboxError } from "../../core/errors.ts";
import { SandboxHost } from "../../remote/sandbox/host/sandbox_host.ts";
import { bundleOf } from "../remote/sandbox/_bundles.ts";
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

Deno.test("Soak: a sandbox is ended after 60 s without a message", async () => {
  await using host = new SandboxHost({ warm: 0 });
  const sandbox = await host.load(await bundleOf("export const one = () => 1;"));
  const start = performance.now();
  const error = await new Promise<SandboxError>((resolve) => sandbox.onEnd(resolve));
  const seconds = (performance.now() - start) / 1000;
  console.log(`${error.message}, seen after ${seconds.toFixed(2)} s`);
  assert.ok(error instanceof SandboxError);
  assert.equal(error.reason, "idle");
  assert.ok(seconds >= 59.9 && seconds <= 60.25, `${seconds} s`);
});
