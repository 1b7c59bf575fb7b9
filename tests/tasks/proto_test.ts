import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const task = fileURLToPath(new URL("../../tasks/proto.ts", import.meta.url));

async function run(program: string, args: string[], cwd: string) {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

const check = (folder: string) => run(Deno.execPath(), ["run", "-A", task, "--check"], folder);

Deno.test("the protocol is linted, generated, and keeps what it promised", async () => {
  const { success, text } = await check(".");
  assert.ok(success, text);
});

Deno.test("proto --check tells what is not named well, not generated, or breaks a promise", async () => {
  const folder = await Deno.makeTempDir();
  const git = async (...args: string[]) => {
    const who = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    const { success, text } = await run("git", [...who, ...args], folder);
    assert.ok(success, text);
  };
  try {
    await run("cp", ["-r", "proto", folder], ".");
    await git("init", "--quiet");
    await git("add", "proto");
    await git("commit", "--quiet", "--message=promise");
    const path = `${folder}/proto/remotemedia/v1/node.proto`;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace("string type = 2;", "string nodeType = 2;"));
    const named = await check(folder);
    assert.ok(!named.success);
    assert.match(named.text, /should be lower_snake_case/);
    await Deno.writeTextFile(path, text.replace("string type = 2;", "uint32 type = 2;"));
    const stale = await check(folder);
    assert.ok(!stale.success);
    assert.match(stale.text, /node_pb\.ts is not what is generated/);
    const generated = await run(Deno.execPath(), ["run", "-A", task], folder);
    assert.ok(generated.success, generated.text);
    const broken = await check(folder);
    assert.ok(!broken.success);
    assert.match(broken.text, /changed type from "string" to "uint32"/);
    // it is found as well once it is committed
    await git("commit", "--quiet", "--all", "--message=broken");
    assert.ok(!(await check(folder)).success);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
