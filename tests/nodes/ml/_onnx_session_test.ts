import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { loadOnnxModel } from "../../../nodes/ml/_onnx_session.ts";
import { loadSilero, Silero, sileroUrl } from "../../../nodes/ml/_silero.ts";

Deno.test("loadOnnxModel gives everybody one session", async () => {
  const [one, other] = await Promise.all([loadSilero(), loadSilero()]);
  assert.equal(one.session, other.session);
  assert.equal((await loadSilero()).session, one.session);
});

Deno.test("loadOnnxModel tries again after a failure", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const url = pathToFileURL(`${folder}/model.onnx`).href;
    await assert.rejects(loadOnnxModel(url), (error: Error) => {
      assert.match(error.message, /Cannot load ONNX model file:.*model\.onnx/);
      assert.ok(error.cause instanceof Deno.errors.NotFound);
      return true;
    });
    await Deno.writeTextFile(`${folder}/model.onnx`, "no model");
    await assert.rejects(loadOnnxModel(url), (error: Error) => error.cause !== undefined);
    await Deno.copyFile(new URL(await sileroUrl()), `${folder}/model.onnx`);
    assert.ok(await new Silero(await loadOnnxModel(url)).run() < 0.5);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
