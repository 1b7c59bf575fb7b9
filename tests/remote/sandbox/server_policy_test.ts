import assert from "node:assert/strict";
import {
  CodeExecutorNode,
  Pipeline,
  RemoteExecutor,
  SerializedClassExecutorNode,
} from "@remotemedia/sdk";
import { type NodeError, SandboxError } from "../../../core/errors.ts";
import { createBundle, sha256Hex } from "../../../packaging/mod.ts";
import { Endpoint } from "../../../remote/client/endpoint.ts";
import { checkOptions } from "../../../remote/client/options.ts";
import { BundleUploads } from "../../../remote/objects/bundle_uploads.ts";
import { serve } from "../../../remote/server/mod.ts";
import { bundleOf } from "./_bundles.ts";
import { Double, Spin } from "./_user_nodes.ts";

const token = (name: string) => `${name}-0123456789abcdef`;

Deno.test("Server holds the code of a token to the token's policy", async () => {
  await using server = await serve({
    port: 0,
    tokens: [
      { name: "all", token: token("all") },
      { name: "none", token: token("none"), policy: { userCode: false } },
      {
        name: "little",
        token: token("little"),
        policy: { userCode: { limits: { cpuMs: 200 } } },
      },
    ],
  });
  const run = async (name: string, node: typeof Double | typeof Spin) => {
    await using executor = new RemoteExecutor({ port: server.port, token: token(name) });
    return await Array.fromAsync(new Pipeline([new node({}, { executor })]).run([1]));
  };
  assert.deepEqual(await run("all", Double), [2]);
  await assert.rejects(run("none", Double), /may bring none/);
  assert.deepEqual(await run("little", Double), [2]);
  await assert.rejects(run("little", Spin), { name: "SandboxError", reason: "cpu" });
  await using none = new RemoteExecutor({ port: server.port, token: token("none") });
  await assert.rejects(none.import(new URL("./_user_nodes.ts", import.meta.url)), /may bring none/);
});

Deno.test("Server refuses bundles that are not what they say, and goes on", async () => {
  await using server = await serve({ port: 0, userCode: { bundleBytes: 1_000_000 } });
  const endpoint = new Endpoint({ port: server.port }, checkOptions({}));
  try {
    const uploads = new BundleUploads();
    const good = await createBundle(new URL("./_user_nodes.ts", import.meta.url));
    const put = async (bytes: Uint8Array<ArrayBuffer>, digest?: string) =>
      await uploads.bring([{ ...good, bytes, digest: digest ?? await sha256Hex(bytes) }], endpoint);
    const changed = good.bytes.slice();
    changed[changed.length >> 1]! ^= 1;
    await assert.rejects(put(changed, good.digest), /digest/);
    await assert.rejects(put(changed), /Cannot/);
    await assert.rejects(put(new Uint8Array(5000)), /Cannot/);
    await assert.rejects(put(new Uint8Array(1_000_001)), /over the limit/);
    await assert.rejects(
      put((await bundleOf("export const x = 1;")).bytes as typeof good.bytes),
      /Cannot/,
    );
    await assert.rejects(put(good.bytes, "../../etc/passwd"), /digest/);
    await put(good.bytes);
  } finally {
    endpoint.close();
  }
});

Deno.test("Server holds nodes that run code to the token's policy too, in its own pool", async () => {
  const nodes = ["CodeExecutorNode", "SerializedClassExecutorNode"];
  await using server = await serve({
    port: 0,
    userCode: { max: 2, warm: 0 },
    tokens: [
      { name: "all", token: token("all"), policy: { nodes } },
      { name: "none", token: token("none"), policy: { nodes, userCode: false } },
      {
        name: "little",
        token: token("little"),
        policy: { nodes, userCode: { limits: { cpuMs: 200, memoryBytes: 40_000_000 } } },
      },
    ],
  });
  const because = (reason: string) => ({ cause }: NodeError) =>
    cause instanceof SandboxError && cause.reason === reason;
  const run = async (name: string, source: string) => {
    await using executor = new RemoteExecutor({ port: server.port, token: token(name) });
    const node = new CodeExecutorNode({ source }, { executor });
    return await Array.fromAsync(new Pipeline([node]).run([1]));
  };
  assert.deepEqual(await run("all", "result = input + 1"), [2]);
  await assert.rejects(run("none", "result = input"), /may bring none/);
  assert.deepEqual(await run("little", "result = input + 1"), [2]);
  await assert.rejects(run("little", "for (;;);"), because("cpu"));
  await assert.rejects(
    run("little", "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));"),
    because("memory"),
  );
  const { bytes } = await createBundle(new URL("./_user_nodes.ts", import.meta.url));
  const calls = [{ bundle: bytes, export: "Spin", state: {}, method: "process", args: [1] }];
  await using executor = new RemoteExecutor({ port: server.port, token: token("little") });
  const serialized = new Pipeline([new SerializedClassExecutorNode({}, { executor })]);
  await assert.rejects(Array.fromAsync(serialized.run(calls)), because("cpu"));
});
