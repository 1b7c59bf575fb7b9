import { deepEqual, equal, match, ok } from "node:assert/strict";
import { serve } from "../../remote/server/mod.ts";
import { cli, folder, recording, root, slow, start, upper } from "./_cli.ts";

const speech = `version: 1
name: speech
nodes:
  - { id: mono, type: AudioTransform, options: { sampleRate: 16000, channels: 1 } }
  - { id: vad, type: VoiceActivityDetector, options: { engine: energy } }
`;

Deno.test("run reads media and writes lines, subtitles and tables of the same", async () => {
  await using dir = await folder({ "p.yaml": speech });
  const { code, out, err } = await cli(["run", "p.yaml", "-i", recording, "--stats"], dir.path);
  equal(code, 0, err);
  const segments = out.trim().split("\n").map((line) => JSON.parse(line));
  ok(segments.length > 0 && segments.every(({ start, end }) => start < end));
  match(err, /^node +in +out .*\nmono +1045 +1045 /);
  ok(!err.includes("%"), "a progress bar in a pipe");
  for (const name of ["o.srt", "o.json", "o.csv", "o.vtt"]) {
    equal((await cli(["run", "p.yaml", "-i", recording, "-o", name], dir.path)).code, 0);
  }
  deepEqual(JSON.parse(await Deno.readTextFile(`${dir.path}/o.json`)), segments);
  const csv = (await Deno.readTextFile(`${dir.path}/o.csv`)).trim().split("\n");
  equal(csv.length, segments.length + 1);
  const srt = await Deno.readTextFile(`${dir.path}/o.srt`);
  equal(srt.match(/^\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}$/gm)?.length, segments.length);
});

Deno.test("run writes media, and sends to a server what it offers", async () => {
  await using server = await serve({ port: 0 });
  await using dir = await folder({
    "p.yaml": "version: 1\nnodes: [{ type: AudioTransform, options: { sampleRate: 8000 } }]",
  });
  const args = ["run", "p.yaml", "-i", recording, "--set", "AudioTransform.channels=1"];
  const here = await cli([...args, "-o", "here.wav"], dir.path);
  equal(here.code, 0, here.err);
  const there = await cli([...args, "-o", "there.wav", "--remote", server.address], dir.path);
  equal(there.code, 0, there.err);
  const [a, b] = await Promise.all(
    ["here", "there"].map((name) => Deno.readFile(`${dir.path}/${name}.wav`)),
  );
  ok(a!.length > 300_000);
  deepEqual(b, a);
});

Deno.test("run over 50 files with two jobs gives what one by one gives, and tells of those that fail", async () => {
  await using dir = await folder({ "p.yaml": upper });
  for (const name of ["in", "one", "two"]) await Deno.mkdir(`${dir.path}/${name}`);
  for (let file = 0; file < 50; file++) {
    const text = file === 17 ? "{ no json\n" : `"text ${file}"\n"more"\n`;
    await Deno.writeTextFile(`${dir.path}/in/${file}.jsonl`, text);
  }
  for (const [name, jobs] of [["one", "1"], ["two", "2"]] as const) {
    const args = ["run", "p.yaml", "-i", "in", "-o", `${name}/{name}.txt`, "--jobs", jobs];
    const { code, err } = await cli(args, dir.path);
    equal(code, 3);
    match(
      err,
      /^remotemedia: in\/17\.jsonl: .*line 1 of in\/17\.jsonl.*\nremotemedia: 1 of 50 inputs failed\n$/,
    );
  }
  const texts = async (name: string) => {
    const entries = await Array.fromAsync(Deno.readDir(`${dir.path}/${name}`));
    const names = entries.map((entry) => entry.name).toSorted();
    return await Promise.all(
      names.map(async (each) => [each, await Deno.readTextFile(`${dir.path}/${name}/${each}`)]),
    );
  };
  const one = await texts("one");
  equal(one.length, 49);
  deepEqual(await texts("two"), one);
  equal(one.find(([name]) => name === "3.txt")![1], "TEXT 3\nMORE\n");
});

Deno.test("run --resume after a kill does only what is left", async () => {
  await using dir = await folder({ "p.yaml": slow });
  for (const name of ["in", "out"]) await Deno.mkdir(`${dir.path}/${name}`);
  for (let file = 0; file < 12; file++) {
    await Deno.writeTextFile(`${dir.path}/in/${file}.txt`, "a\n".repeat(10));
  }
  const args = ["run", "p.yaml", "-i", "in/*.txt", "-o", "out/{name}.txt", "--resume"];
  const done = async () => {
    const entries = await Array.fromAsync(Deno.readDir(`${dir.path}/out`));
    return entries.map(({ name }) => name).filter((name) => !name.endsWith(".part"));
  };
  const first = start(args, { cwd: dir.path });
  while ((await done()).length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  first.kill("SIGKILL");
  await first.output();
  const before = await done();
  ok(before.length < 12, "it was over before it was killed");
  const times = await Promise.all(
    before.map(async (name) => (await Deno.stat(`${dir.path}/out/${name}`)).mtime!.getTime()),
  );
  equal((await cli(args, dir.path)).code, 0);
  const entries = await Array.fromAsync(Deno.readDir(`${dir.path}/out`));
  equal(entries.length, 12);
  for (const { name } of entries) {
    equal(await Deno.readTextFile(`${dir.path}/out/${name}`), "A\n".repeat(10));
  }
  const after = await Promise.all(
    before.map(async (name) => (await Deno.stat(`${dir.path}/out/${name}`)).mtime!.getTime()),
  );
  deepEqual(after, times);
});

Deno.test("run ends well at Ctrl-C: what is written is valid", async () => {
  await using dir = await folder({ "p.yaml": slow, "in.txt": "line\n".repeat(10_000) });
  const child = start(["run", "p.yaml", "-i", "in.txt", "-o", "out.json"], { cwd: dir.path });
  const part = `${dir.path}/out.json.part`;
  while ((await Deno.stat(part).then(({ size }) => size, () => 0)) < 50) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  equal(code, 130, new TextDecoder().decode(stderr));
  const written = JSON.parse(await Deno.readTextFile(`${dir.path}/out.json`));
  ok(written.length > 3 && written.length < 10_000);
  ok(written.every((text: string) => text === "LINE"));
});

Deno.test("run is quiet when nobody reads its output any more", async () => {
  await using dir = await folder({ "p.yaml": upper, "in.txt": "a line of text\n".repeat(50_000) });
  const command =
    `"${Deno.execPath()}" run -A --no-check ${root}cli.ts run p.yaml -i in.txt | head -2; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", command],
    cwd: dir.path,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  equal(text(stderr), "");
  equal(text(stdout), '"A LINE OF TEXT"\n"A LINE OF TEXT"\n141\n');
});

Deno.test("run reads the standard input", async () => {
  await using dir = await folder({ "p.yaml": upper });
  const child = start(["run", "p.yaml"], { cwd: dir.path, stdin: "piped" });
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode('"a"\nplain'));
  await writer.close();
  const { code, stdout } = await child.output();
  equal(code, 0);
  equal(new TextDecoder().decode(stdout), '"A"\n"PLAIN"\n');
});
