import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { PipelineStore } from "../../../remote/server/pipelines/pipeline_store.ts";

Deno.test("PipelineStore tells that its file is locked or broken, as a fault of the server", () => {
  const folder = Deno.makeTempDirSync();
  using _gone = { [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
  const path = `${folder}/pipelines.db`;
  using store = new PipelineStore(path);
  const pipeline = {
    owner: "me",
    name: "one",
    version: "0".repeat(64),
    description: "",
    isPublic: false,
    manifest: "{}",
    bundles: new Map(),
  };
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const began = performance.now();
  assert.throws(() => store.put(pipeline), {
    name: "RemoteError",
    message: "The server cannot keep pipelines: database is locked",
    code: 14,
    retryable: true,
  });
  assert.ok(performance.now() - began < 4_000, "all sessions of the server waited");
  other.exec("ROLLBACK");
  assert.equal(store.put(pipeline), true);
  other.exec("PRAGMA foreign_keys = OFF; DROP TABLE pipelines");
  other.close();
  for (const act of [() => store.put(pipeline), () => store.find({}), () => store.usageOf("me")]) {
    assert.throws(act, {
      name: "RemoteError",
      message: /^The server cannot .*: no such table/,
      code: 13,
      retryable: false,
    });
  }
});
