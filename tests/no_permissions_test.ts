import assert from "node:assert/strict";

Deno.test("The SDK is imported, and a local pipeline runs, without any permission", async () => {
  const program = `
    import { AudioBuffer, AudioFrame, AudioGain, Pipeline, RemoteExecutor } from "@remotemedia/sdk";
    import "@remotemedia/sdk/packaging";
    import "@remotemedia/sdk/testing";
    const frame = new AudioFrame({ data: new Float32Array(1600).fill(0.25), sampleRate: 16_000 });
    const nodes = [new AudioGain({ gainDb: -6 }), new AudioBuffer({ frameSize: 400 })] as const;
    let frames = 0;
    for await (const _ of new Pipeline(nodes).run([frame])) frames++;
    new RemoteExecutor(); // connects when first used
    console.log(frames);
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--quiet", "-"],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await ReadableStream.from([new TextEncoder().encode(program)]).pipeTo(child.stdin);
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stdout), "4\n");
});
