import assert from "node:assert/strict";
import { servePublished } from "./_published.ts";

/** A user's program: a model, a server, a node of its own in the sandbox, threads. */
const program = `
import { AudioFrame, Pipeline, PassThrough, RemoteExecutor, ThreadExecutor, VoiceActivityDetector } from "@remotemedia/sdk";
import { serve } from "@remotemedia/sdk/server";
import { speech } from "@remotemedia/sdk/testing";
import { Peak } from "./peak.ts";

const frames = await speech({ frameSize: 512 });
await using server = await serve({ port: 0 });
await using executor = new RemoteExecutor({ port: server.port });
await using threads = new ThreadExecutor({ threads: 1 });
const gives = async (node) => (await Array.fromAsync(new Pipeline([node]).run(frames.slice(0, 300)))).length;
console.log(JSON.stringify({
  own: await gives(new Peak({}, { executor })),
  vad: await gives(new VoiceActivityDetector({ emit: "annotate" }, { executor })),
  threads: await gives(new PassThrough({}, { executor: threads })),
}));
`;

const peak = `
import { AudioFrame, Node } from "@remotemedia/sdk";
export class Peak extends Node<AudioFrame, number> {
  static override readonly module = import.meta.url;
  process({ data }: AudioFrame): number {
    return Math.max(...data);
  }
}
`;

Deno.test("The package works as JSR gives it: over HTTP, with no file that is not published", async () => {
  await using published = await servePublished();
  const folder = await Deno.makeTempDir();
  try {
    const { exports } = JSON.parse(await Deno.readTextFile("deno.json"));
    const imports = Object.fromEntries(
      Object.entries<string>(exports).map(([name, path]) => [
        `@remotemedia/sdk${name.slice(1)}`,
        new URL(path, published.url).href,
      ]),
    );
    const files = {
      "deno.json": JSON.stringify({ imports, unstable: ["worker-options"], lock: false }),
      "main.ts": program,
      "peak.ts": peak,
    };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    // its own cache, but for the packages of npm
    const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
    await Deno.mkdir(`${folder}/cache`);
    await Deno.symlink(`${cache}/npm`, `${folder}/cache/npm`);
    const run = async (...args: string[]) => {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--quiet", ...args],
        cwd: folder,
        env: { DENO_DIR: `${folder}/cache`, NO_COLOR: "1" },
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    assert.deepEqual(JSON.parse(await run("main.ts")), { own: 300, vad: 300, threads: 300 });
    assert.match(await run(imports["@remotemedia/sdk/cli"]!, "doctor"), /found +VAD model/);
    assert.deepEqual(published.missing, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
