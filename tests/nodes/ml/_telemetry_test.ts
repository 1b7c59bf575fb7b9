import assert from "node:assert/strict";

/** What a process writes that runs a model in a home of its own, with what is usual in its environment only. */
async function filesOf(env: Record<string, string> = {}): Promise<string[]> {
  const home = await Deno.makeTempDir();
  try {
    const script = new URL("./_load_model_child.ts", import.meta.url).pathname;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script],
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH")!,
        DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
        HOME: home,
        TMPDIR: home,
        ...env,
      },
      stdout: "null",
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    return await filesIn(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) files.push(...await filesIn(`${folder}/${name}`));
    else files.push(name);
  }
  return files;
}

Deno.test("forbidTelemetry keeps onnxruntime from marking this machine and telling its maker", async () => {
  assert.deepEqual(await filesOf(), []);
});

Deno.test("forbidTelemetry lets those have it who ask for it", async () => {
  const files = await filesOf({ ORT_DISABLE_TELEMETRY: "0" });
  assert.ok(files.includes("deviceid"), String(files));
});
