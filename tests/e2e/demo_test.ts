import { deepEqual, equal, match, ok } from "node:assert/strict";

const root = new URL("../../", import.meta.url).pathname;
const reference = JSON.parse(await Deno.readTextFile(`${root}tests/testdata/conversation.json`));

/** Runs the demo in a folder of its own, with the permissions that its task gives it. */
async function runDemo(folder: string, args: string[], env: Record<string, string> = {}) {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const flags = tasks.demo.command.split(" ").filter((word: string) => word.startsWith("--"));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", `--config=${root}deno.json`, ...flags, `${root}examples/demo/main.ts`, ...args],
    cwd: folder,
    env,
    stdout: "piped",
    stderr: "piped",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "demo_" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Segment {
  start: number;
  end: number;
  duration: number;
  loudness: number;
  file: string;
}

async function checkResults(folder: string, out: string): Promise<Segment[]> {
  const segments: Segment[] = JSON.parse(
    await Deno.readTextFile(`${folder}/out/demo/segments.json`),
  );
  equal(segments.length, 3);
  for (const [index, [start, end]] of reference.sileroSegmentsSeconds.v6.entries()) {
    const segment = segments[index]!;
    ok(
      Math.abs(segment.start - start) < 0.1 && Math.abs(segment.end - end) < 0.1,
      JSON.stringify(segment),
    );
    ok(segment.loudness > -40 && segment.loudness < -10, `${segment.loudness} dBFS`);
    ok(out.includes(segment.start.toFixed(2)) && out.includes(segment.loudness.toFixed(1)));
    const wav = await Deno.readFile(`${folder}/${segment.file}`);
    ok(Math.abs((wav.length - 44) / 32_000 - segment.duration) < 0.02, `${wav.length} bytes`);
  }
  return segments;
}

Deno.test("demo finds the three sentences, measures them, and leaves JSON, WAVs and a picture", async () => {
  await inFolder(async (folder) => {
    const { code, out, err } = await runDemo(folder, []);
    equal(code, 0, err);
    const segments = await checkResults(folder, out);
    const svg = await Deno.readTextFile(`${folder}/out/demo/timeline.svg`);
    equal(svg.match(/class="segment"/g)?.length, segments.length);
    match(svg, /prefers-color-scheme: dark/);
    match(out, /over gRPC/);
    match(out, /Next: /);
    ok(!out.includes("\x1b"), "no control codes where it is not a terminal");
  });
});

Deno.test("demo does the same with an mp3 and an mp4", async () => {
  await inFolder(async (folder) => {
    for (const name of ["talk.mp3", "talk.mp4"]) {
      const { success } = await new Deno.Command("ffmpeg", {
        args: ["-v", "error", "-i", `${root}tests/testdata/conversation.wav`, `${folder}/${name}`],
      }).output();
      ok(success);
      const { code, out, err } = await runDemo(folder, [`${folder}/${name}`]);
      equal(code, 0, err);
      await checkResults(folder, out);
    }
  });
});

Deno.test("demo says that silence holds no speech", async () => {
  await inFolder(async (folder) => {
    const header = (await Deno.readFile(`${root}tests/testdata/conversation.wav`)).slice(0, 44);
    const wav = new Uint8Array(44 + 64_000);
    wav.set(header);
    new DataView(wav.buffer).setUint32(4, wav.length - 8, true);
    new DataView(wav.buffer).setUint32(40, 64_000, true);
    await Deno.writeFile(`${folder}/silence.wav`, wav);
    const { code, out, err } = await runDemo(folder, [`${folder}/silence.wav`]);
    equal(code, 0, err);
    match(out, /No speech in silence\.wav/);
    deepEqual(JSON.parse(await Deno.readTextFile(`${folder}/out/demo/segments.json`)), []);
  });
});

Deno.test("demo answers bad input with one sentence and an exit code, and leaves nothing behind", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/folder`);
    await Deno.writeTextFile(`${folder}/empty.wav`, "");
    await Deno.writeTextFile(
      `${folder}/text.wav`,
      "this is no sound at all, whatever its name says",
    );
    const mp4 = `${folder}/whole.mp4`;
    const { success } = await new Deno.Command("ffmpeg", {
      args: [
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc=d=1",
        "-f",
        "lavfi",
        "-i",
        "sine=d=1",
        mp4,
      ],
    }).output();
    ok(success);
    await Deno.writeFile(`${folder}/cut.mp4`, (await Deno.readFile(mp4)).slice(0, 2000));
    const silent = ["-v", "error", "-i", mp4, "-an", `${folder}/no_sound.mp4`];
    ok((await new Deno.Command("ffmpeg", { args: silent }).output()).success);
    const cases: [file: string, env?: Record<string, string>][] = [
      ["missing.wav"],
      ["folder"],
      ["empty.wav"],
      ["text.wav"],
      ["cut.mp4"],
      ["no_sound.mp4"],
      ["whole.mp4", { PATH: folder }],
    ];
    for (const [file, env] of cases) {
      const { code, out, err } = await runDemo(folder, [`${folder}/${file}`], env);
      const said = err.trim();
      ok(code !== 0, `${file}: exit code ${code}`);
      ok(
        said.length > 10 && !said.includes("\n") && !/\bat .*\.ts:\d/.test(said),
        `${file}: ${said}`,
      );
      equal(out, "", file);
      ok(!await exists(`${folder}/out`), `${file} left something behind`);
    }
  });
});

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
