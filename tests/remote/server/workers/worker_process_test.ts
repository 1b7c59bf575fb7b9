import assert from "node:assert/strict";
import { WorkerProcess } from "../../../../remote/server/workers/worker_process.ts";

/** A worker that runs a text. */
function start(text: string): WorkerProcess {
  return new WorkerProcess(
    { program: Deno.execPath(), args: ["run", "-A", `data:text/javascript,${text}`] },
    { setup: { count: 1 }, ask: () => {} },
  );
}

Deno.test("WorkerProcess is silent after three looks, and ended after sixty", async () => {
  const worker = start(
    "import process from 'node:process'; process.send({ type: 'ready' }); process.stdin.on('data', () => {})",
  );
  await worker.ready;
  for (let look = 1; look < 60; look++) {
    assert.equal(worker.isSilent, look > 3);
    worker.look();
  }
  assert.ok(worker.isReady);
  worker.look();
  assert.equal(await worker.over, "was ended by SIGKILL");
});

Deno.test("WorkerProcess is not silent once it says something", async () => {
  const worker = start(
    "import process from 'node:process'; process.send({ type: 'ready' }); " +
      "process.stdin.on('data', (told) => String(told).includes('close') ? process.exit() " +
      ": process.send({ type: 'connections', count: 7 }))",
  );
  await worker.ready;
  for (let look = 0; look < 30; look++) worker.look();
  assert.ok(worker.isSilent);
  worker.send({ type: "drain" });
  while (worker.connections !== 7) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(!worker.isSilent);
  await worker.close();
});
