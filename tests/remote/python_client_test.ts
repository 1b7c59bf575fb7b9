import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { serve } from "../../remote/server/mod.ts";
import { testNodes } from "./_nodes.ts";

const folder = fileURLToPath(new URL("../../examples/python_client/", import.meta.url));

async function run(command: string, ...args: string[]): Promise<{ good: boolean; text: string }> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
    const decoder = new TextDecoder();
    return {
      good: success,
      text: decoder.decode(stdout) + (success ? "" : decoder.decode(stderr)),
    };
  } catch (error) {
    return { good: false, text: String(error) };
  }
}

/** Makes a Python with grpcio once, in the temporary folder; says why where that cannot be. */
async function installPython(): Promise<{ python: string } | { skipped: string }> {
  const venv = `${Deno.env.get("TMPDIR") ?? "/tmp"}/remotemedia-python-client`;
  const python = `${venv}/bin/python`;
  if ((await run(python, "-c", "import grpc_tools, msgpack")).good) return { python };
  const made = await run("python3", "-m", "venv", venv);
  if (!made.good) return { skipped: made.text.slice(-300) };
  const requirements = `${folder}requirements.txt`;
  const installed = await run(python, "-m", "pip", "install", "--quiet", "-r", requirements);
  return installed.good ? { python } : { skipped: installed.text.slice(-300) };
}

Deno.test("a Python client streams through three nodes, with stubs of our proto files", async () => {
  const tool = await installPython();
  if ("skipped" in tool) {
    console.log(`skipped: ${tool.skipped}`);
    return;
  }
  await using server = await serve({ port: 0, nodes: testNodes, userCode: false });
  const types = ["PassThrough", "SlowDouble", "Total"];
  const sum = await run(tool.python, `${folder}client.py`, server.address, ...types);
  assert.deepEqual(sum, { good: true, text: "42\n" });
  const through = await run(tool.python, `${folder}client.py`, server.address);
  assert.deepEqual(through, { good: true, text: "1\n2\n3\n4\n5\n6\n" });
});
