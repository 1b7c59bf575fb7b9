import assert from "node:assert/strict";
import { dataFile, installDataFiles, openBundle } from "../../packaging/mod.ts";
import { Project } from "./_project.ts";

Deno.test("dataFile reads a file beside the module, and in a sandbox the bundle's", async () => {
  await using project = await Project.create({
    "main.js": "export {};",
    "models/a 100%.onnx": "model",
    "../packaging-test-shared.bin": "shared",
  });
  const entry = project.url("main.js");
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(text(dataFile("models/a 100%.onnx", entry)), "model");
  assert.throws(() => dataFile("none.bin", entry), Deno.errors.NotFound);
  const include = {
    "models/a 100%.onnx": "models/a 100%.onnx",
    "shared.bin": new URL("../packaging-test-shared.bin", entry),
  };
  const { bytes } = await project.bundle("main.js", { include });
  await Deno.remove(new URL("../packaging-test-shared.bin", entry));
  const { files, manifest } = await openBundle(bytes);
  assert.deepEqual(manifest.files.map(({ name, size }) => [name, size]).slice(1), [
    ["data/models/a 100%.onnx", 5],
    ["data/shared.bin", 6],
  ]);
  // From here on this process is a sandbox: nothing on its disk is read any more.
  installDataFiles(files);
  assert.equal(text(dataFile("models/a 100%.onnx", "file:///nowhere/bundle.js")), "model");
  assert.equal(text(dataFile("shared.bin", "file:///nowhere/bundle.js")), "shared");
  assert.throws(() => dataFile("main.js", entry), {
    name: "TypeError",
    message: /the bundle must include it \(it has models\/a 100%\.onnx, shared\.bin\)/,
  });
});
