import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { openOutput } from "../../cli/media/outputs.ts";
import { subtitle } from "../../cli/media/subtitles.ts";
import { planOutputs } from "../../cli/run_outputs.ts";
import { cli, folder, recording, root, slow, start, upper } from "./_cli.ts";

/** What chunks give as text in a file of that ending. */
async function written(ending: string, chunks: unknown[]): Promise<string> {
  await using dir = await folder();
  const path = `${dir.path}/out.${ending}`;
  await ReadableStream.from(chunks).pipeTo(openOutput(path));
  return await Deno.readTextFile(path);
}

/** Waits until a file has so many bytes. */
async function grown(path: string, bytes: number): Promise<void> {
  while ((await Deno.stat(path).then(({ size }) => size, () => 0)) < bytes) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("planOutputs takes names as they are, and refuses what would overwrite", () => {
  const names = ["in/cost $& $1.txt", "in/a.b.wav"];
  deepEqual(planOutputs(names, "out/{name}.json").map(({ output }) => output), [
    "out/cost $& $1.json",
    "out/a.b.json",
  ]);
  throws(() => planOutputs(["a/x.wav", "b/x.mp3"], "{name}.txt"), /both a\/x\.wav and b\/x\.mp3/);
  throws(() => planOutputs(["a.wav", "b.wav"], "./{name}.wav"), /\.\/a\.wav as it is an input/);
  throws(() => planOutputs(["a", "b"], "o.json"), /must have \{name\}/);
  equal(planOutputs(["a/x.wav", "b/x.wav"], "-").length, 2);
});

Deno.test("A text file that fails leaves nothing", async () => {
  await using dir = await folder({ "p.yaml": upper, "in.txt": "no times" });
  const { code, err } = await cli(["run", "p.yaml", "-i", "in.txt", "-o", "o.srt"], dir.path);
  equal(code, 1);
  match(err, /Cannot write subtitle 1 as it must have start and end in µs: it is "NO TIMES"/);
  deepEqual([...Deno.readDirSync(dir.path)].map(({ name }) => name).sort(), ["in.txt", "p.yaml"]);
});

Deno.test("A text file in whose place is a folder leaves nothing", async () => {
  await using dir = await folder({ "p.yaml": upper, "in.txt": "a" });
  await Deno.mkdir(`${dir.path}/o.txt`);
  const args = ["run", "p.yaml", "-i", "in.txt", "--set", "up.suffix=", "-o"];
  const { code, err } = await cli([...args, "o.txt"], dir.path);
  deepEqual([code, err], [1, "remotemedia: Cannot write o.txt as it is a folder\n"]);
  match((await cli([...args, "o"], dir.path)).err, /its ending must tell the format: \.jsonl, /);
  equal([...Deno.readDirSync(dir.path)].length, 3);
});

Deno.test("A table tells true from false, and dates and bytes as JSON does", async () => {
  const row = { yes: true, no: false, none: null, at: new Date(0), big: 2n ** 70n, text: 'a,"b' };
  equal(
    await written("csv", [row, { yes: 1, no: [1, "x"] }]),
    'yes,no,none,at,big,text\ntrue,false,,1970-01-01T00:00:00.000Z,1180591620717411303424,"a,""b"\n' +
      '1,"[1,""x""]",,,,\n',
  );
});

Deno.test("Subtitles keep their text whatever is in it", () => {
  const cue = { start: 0, end: 1_500_000, text: "\n\na < b & c --> d\r\n \r\nend\n" };
  const times = "00:00:00.000 --> 00:00:01.500";
  equal(subtitle(cue, 0, "vtt"), `1\n${times}\na &lt; b &amp; c --&gt; d\nend\n\n`);
  equal(subtitle(cue, 0, "srt"), `1\n${times.replaceAll(".", ",")}\na < b & c → d\nend\n\n`);
  throws(() => subtitle({ start: NaN, end: 1 }, 0, "srt"), /must have start and end/);
});

Deno.test("run reads what links lead to, JSON whatever its ending's case, and refuses other encodings", async () => {
  await using dir = await folder({ "p.yaml": upper, "A.JSON": '["a", "b"]' });
  await Deno.mkdir(`${dir.path}/in`);
  await Deno.mkdir(`${dir.path}/in/folder`);
  await Deno.symlink("../A.JSON", `${dir.path}/in/link.JSON`);
  for (const input of ["in", "in/*"]) {
    const { out, err } = await cli(["run", "p.yaml", "-i", input], dir.path);
    deepEqual([out, err], ['"A"\n"B"\n', ""]);
  }
  await Deno.writeFile(`${dir.path}/latin.txt`, new Uint8Array([99, 97, 102, 0xe9, 10]));
  const { code, err } = await cli(["run", "p.yaml", "-i", "latin.txt"], dir.path);
  deepEqual([code, err], [1, "remotemedia: Cannot read latin.txt as it is not in UTF-8\n"]);
});

Deno.test("run finds modules from any folder, and tells once of one that is not there", async () => {
  await using dir = await folder({ "a.txt": "a", "b.txt": "b" });
  const odd = `${dir.path}/föl #1 %20 ?`;
  await Deno.mkdir(odd);
  const manifest = "version: 1\nnodes: [{ module: ./own.js#Own }]\n";
  await Deno.writeTextFile(`${odd}/p.yaml`, manifest);
  const args = ["-i", "../*.txt", "-o", "../{name}.json", "--jobs", "2"];
  const missing = await cli(["run", "p.yaml", ...args], odd);
  equal(missing.code, 2);
  match(missing.err, /^remotemedia: p\.yaml:2:19: Cannot load \.\/own\.js: .*\n$/);
  const node = new URL("../../core/node.ts", import.meta.url).href;
  const own = `import { Node } from "${node}";
    export class Own extends Node { process(text) { return text + "!"; } }`;
  await Deno.writeTextFile(`${odd}/own.js`, own);
  for (const [path, cwd] of [["p.yaml", odd], [`${odd}/p.yaml`, root], ["-", odd]] as const) {
    const child = start(["run", path, "-i", `${dir.path}/a.txt`], { cwd, stdin: "piped" });
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(manifest));
    await writer.close();
    const { stdout, stderr } = await child.output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    deepEqual([out, err], ['"a!"\n', ""]);
  }
});

Deno.test("run ended by SIGTERM leaves valid files, and --resume does again what was cut short or has changed", async () => {
  await using dir = await folder({ "p.yaml": slow, "in.txt": "line\n".repeat(2_000) });
  const args = ["run", "p.yaml", "-i", "in.txt", "-o", "{name}.json"];
  const child = start(args, { cwd: dir.path });
  await grown(`${dir.path}/in.json.part`, 50);
  child.kill("SIGTERM");
  equal((await child.status).code, 143);
  const read = async () => JSON.parse(await Deno.readTextFile(`${dir.path}/in.json`)) as string[];
  const cut = await read();
  ok(cut.length > 3 && cut.length < 2_000);
  const again = [...args, "--resume", "--set", "wait.perMs=0.01"];
  equal((await cli(again, dir.path)).code, 0);
  equal((await read()).length, 2_000);
  const before = (await Deno.stat(`${dir.path}/in.json`)).mtime;
  equal((await cli(again, dir.path)).code, 0);
  deepEqual((await Deno.stat(`${dir.path}/in.json`)).mtime, before);
  await Deno.writeTextFile(`${dir.path}/in.txt`, "other\n");
  const later = new Date(before!.getTime() + 2000);
  await Deno.utime(`${dir.path}/in.txt`, later, later);
  equal((await cli(again, dir.path)).code, 0);
  deepEqual(await read(), ["OTHER"]);
});

Deno.test("run on a terminal leaves a valid file at Ctrl-C, also where ffmpeg writes it", async () => {
  const paced = `version: 1
nodes: [{ type: AudioTransform, options: { channels: 1 } }, { type: Throttle, options: { perMs: 100 } }]
`;
  await using dir = await folder({ "p.yaml": paced });
  const cli = new URL("../../cli.ts", import.meta.url).pathname;
  // a terminal's Ctrl-C goes to all processes of the group
  const group = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", cli, "run", "p.yaml", "-i", recording, "-o", "o.flac"],
    cwd: dir.path,
    detached: true,
    stdin: "null",
    stderr: "piped",
  }).spawn();
  const part = () => [...Deno.readDirSync(dir.path)].find(({ name }) => name.includes(".part"));
  while (part() === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  Deno.kill(-group.pid, "SIGINT");
  const { code, stderr } = await group.output();
  deepEqual([code, new TextDecoder().decode(stderr)], [130, ""]);
  const { stdout } = await new Deno.Command("ffprobe", {
    args: ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", "o.flac"],
    cwd: dir.path,
  }).output();
  const seconds = Number(new TextDecoder().decode(stdout));
  ok(seconds > 0 && seconds < 20.89, `${seconds} s`);
});
