import assert from "node:assert/strict";
import { lexBundle, sdkSpecifier } from "../../packaging/mod.ts";
import { Project, sdkFolder } from "./_project.ts";

/** Another package of which the name only begins like the SDK's. */
const similar = { "similar/mod.ts": "export const similar = 1;" };

Deno.test("createBundle keeps the SDK outside, however it is imported", async () => {
  await using project = await Project.create({
    ...similar,
    "deno.json": JSON.stringify({
      imports: {
        "@remotemedia/sdk": new URL("mod.ts", sdkFolder).href,
        "@remotemedia/sdk/nodes": new URL("nodes/mod.ts", sdkFolder).href,
        "@remotemedia/sdk-like": "./similar/mod.ts",
        "short": "jsr:@remotemedia/sdk@0.1",
        "packed": "npm:@remotemedia/sdk@^0.1.0",
        "own": new URL("core/errors.ts", sdkFolder).href,
      },
    }),
    "main.ts": `
      import { a } from "@remotemedia/sdk";
      import * as b from "@remotemedia/sdk/nodes";
      import c from "jsr:@remotemedia/sdk@0.1.0/testing";
      import { d } from "npm:@remotemedia/sdk/nodes";
      import { e } from "short";
      import { f } from "packed";
      import { g } from "own";
      import { h } from "${new URL("remote/none.ts", sdkFolder)}";
      import { similar } from "@remotemedia/sdk-like";
      import type { Node } from "@remotemedia/sdk";
      export { i } from "@remotemedia/sdk";
      export const all = [a, b, c, d, e, f, g, h, similar] satisfies (Node | unknown)[];
      export const later = () => import("@remotemedia/sdk/nodes");`,
  });
  const { code, manifest } = await project.bundle("main.ts");
  const { imports } = await lexBundle(code);
  assert.deepEqual(new Set(imports), new Set([sdkSpecifier]));
  assert.equal(imports.length, 10);
  assert.deepEqual(manifest.modules.map(({ name }) => name), ["main.ts", "similar/mod.ts"]);
});

Deno.test("createBundle keeps the SDK outside for modules in its own folder, by path", async () => {
  const entry = new URL("testdata/in_sdk/scale.ts", import.meta.url);
  const { createBundle } = await import("../../packaging/mod.ts");
  const { code, manifest } = await createBundle(entry, { check: false });
  assert.deepEqual((await lexBundle(code)).imports, [sdkSpecifier]);
  assert.deepEqual(manifest.exports, ["Scale"]);
  assert.deepEqual(manifest.modules.map(({ name }) => name), ["_factor.ts", "scale.ts"]);
  assert.ok(code.length < 5_000, `${code.length} characters`);
});
