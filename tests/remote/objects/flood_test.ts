import assert from "node:assert/strict";
import { RemoteExecutor } from "../../../remote/client/remote_executor.ts";
import { startChild } from "../_child_server.ts";
import type * as busyModule from "./_demo/busy.ts";

const busyUrl = new URL("./_demo/busy.ts", import.meta.url);
const MB = 1_000_000;

/** What a process has in memory, in bytes. */
async function residentBytes(pid: number): Promise<number> {
  return 4096 * Number((await Deno.readTextFile(`/proc/${pid}/statm`)).split(" ")[1]);
}

Deno.test("Server holds a client back whose module reads nothing", async () => {
  await using server = await startChild();
  const executor = new RemoteExecutor({ port: server.port });
  const module = await executor.import<typeof busyModule>(busyUrl);
  const spinning = module.spin().catch((error: Error) => error);
  const before = await residentBytes(server.pid);
  const text = "x".repeat(MB);
  const calls: Promise<unknown>[] = [];
  let most = 0;
  for (let index = 0; index < 500; index++) {
    calls.push(module.lengthOf(text).catch((error: Error) => error));
    if (index % 10 > 0) continue;
    await new Promise((resolve) => setTimeout(resolve, 10));
    most = Math.max(most, await residentBytes(server.pid) - before);
  }
  console.log(`the server grew by ${(most / MB).toFixed(0)} MB`);
  assert.ok(most < 250 * MB, `it grew by ${most} bytes`);
  await module[Symbol.asyncDispose](); // what it says does not get through either
  await Promise.all([spinning, ...calls]);
  await executor[Symbol.asyncDispose]();
});

Deno.test("Remote module can be closed when its server was killed", async () => {
  const server = await startChild();
  const executor = new RemoteExecutor({ port: server.port });
  const module = await executor.import<typeof busyModule>(busyUrl);
  assert.equal(await module.lengthOf("abc"), 3);
  const closed = server.kill();
  await module[Symbol.asyncDispose]();
  await closed;
  await executor[Symbol.asyncDispose]();
});

Deno.test("Remote module can be closed when its server does not answer", async () => {
  await using server = await startChild();
  const executor = new RemoteExecutor({ port: server.port });
  const module = await executor.import<typeof busyModule>(busyUrl);
  Deno.kill(server.pid, "SIGSTOP");
  await module[Symbol.asyncDispose]();
  await executor[Symbol.asyncDispose]();
});
