import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { acquireModel, heldSessions, oneThread } from "../../../nodes/ml/_onnx_session.ts";
import { loadSilero, Silero, sileroUrl } from "../../../nodes/ml/_silero.ts";

const file = new URL("../../testdata/onnx/affine.onnx", import.meta.url);

Deno.test("loadSilero gives everybody one session", async () => {
  const [one, other] = await Promise.all([loadSilero(), loadSilero()]);
  assert.equal(one.session, other.session);
  assert.equal((await loadSilero()).session, one.session);
});

Deno.test("acquireModel gives all users of a file or of the same bytes one session, and frees it with the last", async () => {
  const before = heldSessions();
  const [one, two] = await Promise.all([acquireModel(file.href), acquireModel(file.pathname)]);
  assert.equal(one.value.session, two.value.session);
  const bytes = await Deno.readFile(file);
  const [three, four] = [await acquireModel(bytes), await acquireModel(bytes.slice())];
  assert.equal(three.value.session, four.value.session);
  assert.equal(heldSessions(), before + 2);
  await one.release();
  await one.release();
  assert.equal(heldSessions(), before + 2);
  for (const lease of [two, three, four]) await lease.release();
  assert.equal(heldSessions(), before);
});

Deno.test("acquireModel loads a file again once it has changed", async () => {
  const path = await Deno.makeTempFile({ suffix: ".onnx" });
  try {
    await Deno.copyFile(file, path);
    const old = await acquireModel(path);
    await Deno.copyFile(new URL("pair.onnx", file), path);
    const young = await acquireModel(path);
    assert.deepEqual(old.value.session.inputNames, ["x"]);
    assert.deepEqual(young.value.session.inputNames, ["a", "b"]);
    await old.release();
    await young.release();
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("acquireModel frees a session only when its runs are done", async () => {
  const { value, release } = await acquireModel(file.href);
  const x = new value.ort.Tensor("float32", new Float32Array([1, 2]), [2, 1]);
  const run = value.run({ x });
  await release();
  assert.deepEqual([...(await run).y!.data as Float32Array], [3, 5]);
});

Deno.test("acquireModel falls back on the CPU, and says so", async () => {
  const said: string[] = [];
  const ignore = () => {};
  const log = {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (_: string, values?: Record<string, unknown>) => void said.push(`${values?.provider}`),
  };
  const rules = { ...oneThread, executionProviders: ["cuda", "nonsense"] };
  const { value, release } = await acquireModel(file.href, rules, { log });
  assert.equal(value.provider, "cpu");
  assert.deepEqual(said, ["cuda", "nonsense"]);
  await release();
});

Deno.test("acquireModel tries again after a failure", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const url = pathToFileURL(`${folder}/model.onnx`).href;
    await assert.rejects(acquireModel(url), (error: Error) => {
      assert.match(error.message, /Cannot load ONNX model file:.*model\.onnx as .*No such file/);
      assert.ok(error.cause instanceof Deno.errors.NotFound);
      return true;
    });
    await Deno.writeTextFile(`${folder}/model.onnx`, "no model");
    await assert.rejects(acquireModel(url), (error: Error) => error.cause !== undefined);
    await Deno.copyFile(new URL(await sileroUrl()), `${folder}/model.onnx`);
    const { value, release } = await acquireModel(url);
    assert.ok(await new Silero(value).run() < 0.5);
    await release();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
