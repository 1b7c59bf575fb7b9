import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { layOut, toSvg } from "../../cli/draw/svg.ts";
import { isInstalled } from "../../tasks/system_packages.ts";
import { serve } from "../../remote/server/mod.ts";
import { builtinNodes } from "../../nodes/mod.ts";
import { cli, folder, recording, root, upper } from "./_cli.ts";

Deno.test("validate says what is wrong, where, and with exit code 2", async () => {
  await using dir = await folder({
    "good.yaml": upper,
    "bad.yaml": upper.replace("case: upper", "caze: upper").replace(
      "TextTransform",
      "TextTransfrom",
    ),
  });
  const good = await cli(["validate", "good.yaml"], dir.path);
  deepEqual([good.code, good.out], [0, "good.yaml: upper, 1 node, right\n"]);
  const bad = await cli(["validate", "good.yaml", "bad.yaml"], dir.path);
  equal(bad.code, 2);
  equal(
    bad.err,
    "bad.yaml:4:21: Cannot find node type TextTransfrom: did you mean TextTransform?\n",
  );
  const json = await cli(["validate", "bad.yaml", "--json"], dir.path);
  equal(JSON.parse(json.out).issues[0].line, 4);
});

for (
  const [args, code, message] of [
    [["rnu"], 2, /unknown command 'rnu'/],
    [
      ["run", "nope.yaml", "-i", "x"],
      2,
      /^remotemedia: Cannot read nope\.yaml: there is no such file$/m,
    ],
    [["run", "p.yaml", "-i", "no.txt"], 1, /^remotemedia: .*no\.txt/],
    [["run", "p.yaml", "-i", "*.none"], 2, /Cannot find any file for \*\.none/],
    [["run", "p.yaml", "-i", "p.yaml", "--set", "upp.case=x"], 2, /did you mean up\?/],
    [
      ["run", "p.yaml", "-i", "p.yaml", "-o", "none/o.txt"],
      1,
      /^remotemedia: Cannot write none\/o\.txt as its folder is not there$/m,
    ],
    [["run", "p.yaml", "-i", "p.yaml", "--jobs", "0"], 2, /whole number of at least 1/],
    [["nodes", "show", "TextTransfrom"], 2, /did you mean TextTransform\?/],
    [["remote", "status", "127.0.0.1:1"], 1, /^$/],
    [["remote", "nodes", "nowhere"], 2, /must be host:port/],
    [["serve", "--prot", "1"], 2, /unknown option '--prot'\n\(Did you mean --port\?\)/],
  ] as const
) {
  Deno.test(`${args.join(" ")} is refused in a sentence`, async () => {
    await using dir = await folder({ "p.yaml": upper });
    const result = await cli(args, dir.path);
    equal(result.code, code, result.err);
    match(result.err, message);
  });
}

Deno.test("nodes lists every built-in type and shows each", async () => {
  const { out } = await cli(["nodes"]);
  deepEqual(
    out.trim().split("\n").map((line) => line.split(/ /)[0]),
    builtinNodes.map(({ type, name }) => type ?? name).toSorted(),
  );
  const show = await cli(["nodes", "show", "Throttle"]);
  match(show.out, /^limit +a whole number from 1 to 100000 +1 +The most chunks within perMs$/m);
});

Deno.test("graph draws SVG, Mermaid and DOT", async () => {
  await using dir = await folder({
    "g.yaml": `version: 1
name: fan
nodes:
  - { id: a, type: PassThrough, executor: gpu }
  - { id: "b", type: Tap, options: { level: info } }
  - { id: c, type: PassThrough }
connections: [{ from: a, to: b, policy: drop-oldest, size: 4 }, { from: a, to: c }]
executors: { gpu: { host: gpu.internal } }
`,
  });
  const svg = await cli(["graph", "g.yaml", "--as", "svg"], dir.path);
  for (const text of ["fan", "drop-oldest 4", "level: &quot;info&quot;", ">gpu<", 'data-id="c"']) {
    ok(svg.out.includes(text), text);
  }
  equal((await cli(["graph", "g.yaml", "-o", "g.dot"], dir.path)).code, 0);
  match(
    await Deno.readTextFile(`${dir.path}/g.dot`),
    /^digraph "fan" \{[\s\S]*"a" -> "b" \[label="drop-oldest 4"\]/,
  );
  match(
    (await cli(["graph", "g.yaml"], dir.path)).out,
    /^flowchart LR\n {2}subgraph place0\["gpu"\]/,
  );
});

Deno.test("Pictures are as wide as their title and their legend", () => {
  const box = { id: "n", lines: [], place: "a_server_with_a_long_name", heat: undefined };
  for (const name of ["x", "a_name_of_a_pipeline_that_is_long"]) {
    const svg = toSvg({ name, boxes: [box], arrows: [], inputs: [], outputs: [] });
    const width = Number(/width="(\d+(?:\.\d+)?)"/.exec(svg)![1]);
    ok(width > 60 + 9.7 * name.length, `${width} for ${name.length} letters of 9.7 px`);
    ok(width > 78 + 7.3 * box.place.length, `${width} for the place`);
  }
});

Deno.test("Pictures have no boxes that overlap", () => {
  fc.assert(fc.property(
    fc.array(fc.array(fc.string({ maxLength: 40 }), { maxLength: 8 }), {
      minLength: 1,
      maxLength: 30,
    }),
    fc.array(fc.tuple(fc.nat(29), fc.nat(29)), { maxLength: 60 }),
    (texts, pairs) => {
      const boxes = texts.map((lines, index) => ({
        id: `n${index}`,
        lines,
        place: undefined,
        heat: undefined,
      }));
      const arrows = pairs.filter(([from, to]) => from < to && to < boxes.length)
        .map(([from, to]) => ({ from: `n${from}`, to: `n${to}`, label: "" }));
      const placed = layOut({ name: "x", boxes, arrows, inputs: [], outputs: [] });
      equal(placed.length, boxes.length);
      for (const [index, a] of placed.entries()) {
        for (const b of placed.slice(index + 1)) {
          const apart = a.x + a.width < b.x || b.x + b.width < a.x || a.y + a.height < b.y ||
            b.y + b.height < a.y;
          ok(apart, `${a.id} and ${b.id}`);
        }
      }
    },
  ));
});

Deno.test("remote asks a server", async () => {
  await using server = await serve({ port: 0 });
  const status = await cli(["remote", "status", server.address]);
  equal(status.code, 0, status.err);
  match(status.out, /up +version/);
  match((await cli(["remote", "nodes", server.address])).out, /^AudioTransform$/m);
});

Deno.test("doctor and inspect tell what they are asked", async () => {
  match((await cli(["doctor"])).out, /^found +deno +\d/);
  await using dir = await folder({ "ffmpeg.sh": "#!/bin/sh\necho my own ffmpeg\n" });
  await Deno.chmod(`${dir.path}/ffmpeg.sh`, 0o700);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${root}cli.ts`, "doctor", "--json"],
    env: {
      PATH: "/nowhere",
      FFMPEG_PATH: `${dir.path}/ffmpeg.sh`,
      FFPROBE_PATH: "/nowhere/ffprobe",
    },
  }).output();
  const found = JSON.parse(new TextDecoder().decode(stdout)).map(
    ({ name, found }: { name: string; found: string | null }) => [name, found !== null],
  );
  deepEqual(Object.fromEntries(found), {
    deno: true,
    ffmpeg: true,
    ffprobe: false,
    bwrap: false,
    "VAD model": true,
  });
  equal(JSON.parse((await cli(["inspect", recording])).out).duration, 20.89);
});

Deno.test("completions give scripts that their shells can parse, and bash and fish complete by", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { out } = await cli(["completions", shell]);
    match(out, /validate/);
    if (!isInstalled(shell)) {
      console.log(`skipped: ${shell} is not installed`);
      continue;
    }
    await using dir = await folder({ script: out });
    const args = ["-n", `${dir.path}/script`];
    const { success, stderr } = await new Deno.Command(shell, { args }).output();
    ok(success, new TextDecoder().decode(stderr));
    if (shell !== "fish") continue;
    const lines = ["remotemedia be", "remotemedia remote run --res", "remotemedia graph --as m"];
    const asked = `source script; ${lines.map((line) => `complete -C "${line}"`).join("; ")}`;
    const { stdout } = await new Deno.Command("fish", { args: ["-c", asked], cwd: dir.path })
      .output();
    const given = new TextDecoder().decode(stdout).trim().split("\n");
    deepEqual(given.map((line) => line.split("\t")[0]), ["bench", "--resume", "mermaid"]);
  }
  const script = (await cli(["completions", "bash"])).out;
  const complete = async (...words: string[]) => {
    const line = ["remotemedia", ...words];
    const quoted = line.map((word) => `"${word}"`).join(" ");
    const test = `${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _remotemedia
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await new Deno.Command("bash", { args: ["-c", test], cwd: "/" }).output();
    return new TextDecoder().decode(stdout).trim().split("\n");
  };
  deepEqual(await complete("be"), ["bench"]);
  deepEqual(await complete("run", "--res"), ["--resume"]);
  deepEqual(await complete("remote", "reg"), ["register"]);
  deepEqual(await complete("remote", "register", "--pu"), ["--public"]);
  deepEqual(await complete("stream", "--res"), ["--resume"]);
  deepEqual(await complete("graph", "--as", ""), ["svg", "mermaid", "dot"]);
  deepEqual(await complete("nodes", "show", "AudioG"), ["AudioGain"]);
  deepEqual(await complete("serve", "--print"), ["--print-config"]);
  deepEqual(await complete("run", ""), [""]); // files, which the shell itself completes
});

Deno.test("pack makes a bundle that inspect tells of, and both say what is wrong", async () => {
  await using dir = await folder({
    "good.ts": 'import { b } from "./b.ts"; export const a: number = b;',
    "b.ts": "export const b = 1;",
    "model.bin": "model",
    "bad.ts": 'import { wrong } from "./wrong.ts"; export const x: number = wrong;',
    "wrong.ts": 'export const wrong: number = "text";',
    "fake.rmb": "no bundle",
  });
  const pack = (...args: string[]) => cli(["pack", ...args], dir.path);
  const packed = await pack("good.ts", "-o", "good.rmb", "--include", "*.bin");
  equal(packed.code, 0, packed.err);
  match(packed.out, /^good\.rmb: \d+ bytes, exports a\n$/);
  const told = JSON.parse((await cli(["inspect", "good.rmb"], dir.path)).out);
  deepEqual([told.entry, told.exports], ["good.ts", ["a"]]);
  deepEqual(told.files.map(({ name }: { name: string }) => name), ["bundle.js", "data/model.bin"]);

  const wrong = await pack("bad.ts", "-o", "bad.rmb");
  equal(wrong.code, 1);
  match(
    wrong.err,
    /^remotemedia: Cannot package bad\.ts as it has a type error in bad\.ts -> wrong\.ts:/,
  );
  match(wrong.err, /TS2322 \[ERROR\]: Type 'string' is not assignable to type 'number'\./);
  match(wrong.err, /in file:\/\/.*wrong\.ts:1:14/);
  match((await pack("bad.ts", "--no-check")).out, /^[0-9a-f]{64}\.rmb: /);
  const cases: [string[], RegExp][] = [
    [
      ["pack", "good.ts", "-o", "nowhere/x.rmb"],
      /Cannot write nowhere\/x\.rmb as its folder is not there/,
    ],
    [["inspect", "fake.rmb"], /Cannot read bundle archive/],
  ];
  for (const [args, message] of cases) {
    const { code, err } = await cli(args, dir.path);
    equal(code, 1, args.join(" "));
    match(err, message);
  }
});

Deno.test("init writes a project on the published package, or on a checkout, and overwrites nothing", async () => {
  await using dir = await folder();
  const project = async (name: string) =>
    JSON.parse(await Deno.readTextFile(`${dir.path}/${name}/deno.json`));
  equal((await cli(["init", "mine"], dir.path)).code, 0);
  const mine = await project("mine");
  match(mine.imports["@remotemedia/sdk"], /^jsr:@remotemedia\/sdk@\d+\.\d+\.\d+$/);
  match(
    mine.tasks.run,
    /^deno run -A jsr:@remotemedia\/sdk@\d+\.\d+\.\d+\/cli run pipeline\.yaml$/,
  );
  equal(mine.links, undefined);
  equal((await cli(["init", "linked", "--sdk", root], dir.path)).code, 0); // run by tests/docs
  deepEqual((await project("linked")).links, [root.replace(/\/$/, "")]);
  const wrong = await cli(["init", "other", "--sdk", "mine"], dir.path);
  equal(wrong.code, 2);
  match(wrong.err, /Cannot use the SDK of .*mine as it holds no @remotemedia\/sdk/);
  const again = await cli(["init", "mine"], dir.path);
  equal(again.code, 2);
  match(again.err, /is there already/);
});
