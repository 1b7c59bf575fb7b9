import { deepEqual, equal, match } from "node:assert/strict";
import { serve } from "../../remote/server/mod.ts";
import { cli, folder, recording, upper } from "./_cli.ts";

Deno.test("remote register, pipelines, show, run and remove: a manifest's way on a server", async () => {
  await using server = await serve({ port: 0, userCode: false, pipelines: ":memory:" });
  const { address } = server;
  await using dir = await folder({ "p.yaml": upper, "one.txt": "a\nb\n", "two.txt": "c\n" });
  const run = async (...args: string[]) => {
    const { code, out, err } = await cli(["remote", ...args], dir.path);
    equal(code, 0, err);
    return out;
  };
  const kept = await run("register", address, "p.yaml", "--public");
  match(kept, /^anonymous\/upper@[0-9a-f]{64}\n$/);
  equal(await run("register", address, "p.yaml", "--public"), kept);
  equal(await run("run", address, "upper", "-i", "one.txt"), '"A"\n"B"\n');
  await run("run", address, kept.trim(), "-i", "*.txt", "-o", "{name}.out.txt", "--jobs", "2");
  equal(await Deno.readTextFile(`${dir.path}/two.out.txt`), "C\n");
  match(
    await run("pipelines", address),
    /^anonymous\/upper +[0-9a-f]{12} +newest public +3 +0 +20\d\d-/m,
  );
  await Deno.writeTextFile(`${dir.path}/back.json`, await run("show", address, "upper"));
  equal((await cli(["validate", "back.json"], dir.path)).code, 0);
  equal(await run("remove", address, "upper"), "1 version removed\n");
  equal(await run("pipelines", address), "none\n");
  const gone = await cli(["remote", "run", address, "upper", "-i", "one.txt"], dir.path);
  deepEqual([gone.code, gone.out], [1, ""]);
  match(gone.err, /^remotemedia: Cannot find pipeline upper/);
});

Deno.test("bench tells speed and the time of each node, here and on a server", async () => {
  await using server = await serve({ port: 0, userCode: false });
  await using dir = await folder({
    "p.yaml": "version: 1\nnodes: [{ type: AudioTransform, options: { sampleRate: 8000 } }]",
  });
  const args = ["bench", "p.yaml", "-i", recording, "--remote", server.address, "--runs", "3"];
  const { code, out, err } = await cli([...args, "--json"], dir.path);
  equal(code, 0, err);
  const { input, places } = JSON.parse(out);
  equal(input.seconds.toFixed(2), "20.89");
  deepEqual(places.map(({ where }: { where: string }) => where), ["here", server.address]);
  for (const { runsMs, ms, xRealTime, nodes } of places) {
    equal(runsMs.length, 3);
    equal(runsMs.toSorted((a: number, b: number) => a - b)[1], ms);
    equal(xRealTime, input.seconds / (ms / 1000));
    equal(nodes[0].in, input.chunks);
  }
  const text = await cli(args, dir.path);
  match(text.out, /^here +[\d.]+ +\d+ +[\d.]+x/m);
  match(text.out, / takes [\d.]+ times as long as here\.$/m);
  match(text.out, /^AudioTransform +\d+ +\d+ +[\d.]+ +100% /m);
  equal((await cli(["bench", "p.yaml"], dir.path)).code, 2);
});
