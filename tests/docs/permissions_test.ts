import assert from "node:assert/strict";
import { serve } from "../../remote/server/mod.ts";
import { root } from "./_markdown.ts";

const start = (nodes: string) => `
  import * as sdk from "@remotemedia/sdk";
  import { Double } from "./tests/remote/sandbox/_user_nodes.ts";
  const { AudioFrame, Pipeline } = sdk;
  const frame = new AudioFrame({ data: new Float32Array(4800), sampleRate: 48_000 });
  const run = async (...nodes) => console.log((await Array.fromAsync(new Pipeline(nodes).run([frame]))).length);
  ${nodes}
  Deno.exit(0);
`;

/** What each row of the table stands for; each prints a number. */
function programs(port: number, mp3: string): Record<string, string> {
  const conversation = `${root}tests/testdata/conversation.wav`;
  return {
    "a pipeline of your own nodes": start(
      "await run(new (class Own extends sdk.Node { process = (x) => x })());",
    ),
    "resampling, `NoiseSuppressor`": start(
      "await run(new sdk.AudioTransform({ sampleRate: 16_000 }), new sdk.NoiseSuppressor());",
    ),
    "`VoiceActivityDetector`, `OnnxModel`": start("await run(new sdk.VoiceActivityDetector());"),
    "`readMedia` of a WAV": start(
      `for await (const _ of sdk.readMedia("${conversation}", { duration: 1 })); console.log(1);`,
    ),
    "`readMedia` of other media": start(
      `for await (const _ of sdk.readMedia("${mp3}")); console.log(1);`,
    ),
    "`AudioFilter`, `VideoFilter`": start(
      "await run(new sdk.AudioFilter({ graph: 'volume=0.5' }));",
    ),
    "nodes in a `ThreadExecutor`": start(
      "await run(new sdk.PassThrough({}, { executor: new sdk.ThreadExecutor({ threads: 1 }) }));",
    ),
    "built-in nodes in a `RemoteExecutor`": start(
      `await run(new sdk.PassThrough({}, { executor: new sdk.RemoteExecutor({ port: ${port} }) }));`,
    ),
    "your own nodes in a `RemoteExecutor`": start(
      `await run(new Double({}, { executor: new sdk.RemoteExecutor({ port: ${port} }) }));`,
    ),
    "your own nodes in a `SandboxExecutor`": start(
      "await run(new Double({}, { executor: new sdk.SandboxExecutor() }));",
    ),
  };
}

async function run(
  program: string,
  flags: readonly string[],
): Promise<{ out: string; err: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--quiet", ...flags, "-"],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await ReadableStream.from([new TextEncoder().encode(program)]).pipeTo(child.stdin);
  const { stdout, stderr } = await child.output();
  return { out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("The permissions of docs/concepts.md are enough, and each is needed", async () => {
  const page = await Deno.readTextFile(`${root}docs/concepts.md`);
  const table = page.slice(page.indexOf("## Permissions"), page.indexOf("## Markers"));
  const rows = Array.from(table.matchAll(/^\| (.*?) +\| (.*?) +\|$/gm), ([, what, flags]) => ({
    what: what!,
    flags: flags!.match(/--allow-[\w=,]+/g) ?? [],
  })).filter(({ what }) => !/^(what|-)/.test(what));
  await using server = await serve({ port: 0 });
  const mp3 = await Deno.makeTempFile({ suffix: ".mp3" });
  await using _file = { [Symbol.asyncDispose]: () => Deno.remove(mp3) };
  const tone = ["-v", "error", "-y", "-f", "lavfi", "-i", "sine=duration=1", mp3];
  assert.ok((await new Deno.Command("ffmpeg", { args: tone }).output()).success);
  const all = programs(server.port, mp3);
  assert.deepEqual(rows.map(({ what }) => what), Object.keys(all));
  for (const { what, flags } of rows) {
    const { out, err } = await run(all[what]!, flags);
    assert.match(out, /^\d+\n$/, `${what}: ${err}`);
    for (const flag of flags) {
      const without = await run(all[what]!, flags.filter((other) => other !== flag));
      assert.match(without.err, /Requires|NotCapable/, `${what} without ${flag}: ${without.out}`);
    }
  }
});
