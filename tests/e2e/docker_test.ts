import assert from "node:assert/strict";
import { requiredDeno } from "../../core/runtime.ts";
import { commandOf, copiesOf, parseDockerfile, valuesOf } from "./_dockerfile.ts";
import { type Image, inContainer, makeImage, token, tracked } from "./_image.ts";

const stages = parseDockerfile(await Deno.readTextFile("Dockerfile"));
const [deps, image] = stages as [typeof stages[0], typeof stages[0]];
const entry = commandOf(valuesOf(image, "ENTRYPOINT")[0]!);
const command = [...entry, ...commandOf(valuesOf(image, "CMD")[0]!)];
const health = commandOf(valuesOf(image, "HEALTHCHECK")[0]!);

interface Told {
  /** What each step of the client came to: `ok`, or what went wrong. */
  results: Record<string, string>;
  /** The server's exit code. */
  code: number;
  stdout: string;
  stderr: string;
}

async function run(files: Image, command: readonly string[], only?: string): Promise<Told> {
  const setup = JSON.stringify({ command, health, port: 50_052, token, type: "Double", only });
  const client = ["deno", "run", "-A", "--no-check", "--cached-only", "_client.ts", setup];
  const [program, ...args] = inContainer(files, client);
  const { stdout, stderr } = await new Deno.Command(program!, { args }).output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(text.startsWith("{"), new TextDecoder().decode(stderr));
  return JSON.parse(text);
}

/** Whether `bwrap` can do here what stands for a container. */
async function whyNoContainer(): Promise<string | undefined> {
  try {
    const args = ["--unshare-net", "--unshare-pid", "--ro-bind", "/", "/", "--", "true"];
    const { success, stderr } = await new Deno.Command("bwrap", { args }).output();
    return success ? undefined : new TextDecoder().decode(stderr);
  } catch (error) {
    return String(error);
  }
}

Deno.test("Dockerfile copies what git has, pins Deno, and runs as nobody special", async () => {
  assert.equal(stages.length, 2);
  for (const { source } of copiesOf(deps)) {
    assert.notDeepEqual(await tracked(source), [], `git has no ${source}`);
  }
  const ignored = (await Deno.readTextFile(".dockerignore")).split("\n");
  const wanted = ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  assert.deepEqual(wanted.sort(), copiesOf(deps).map(({ source }) => source).sort());
  assert.ok(valuesOf(deps, "RUN").includes(`npm install --global deno@${requiredDeno}`));
  assert.deepEqual(valuesOf(image, "USER"), ["10001:10001"]);
  assert.deepEqual(valuesOf(image, "EXPOSE"), ["50052 8080"]);
  // each permission has its reason in a comment
  const text = await Deno.readTextFile("Dockerfile");
  for (const flag of entry.filter((word) => word.startsWith("--allow-"))) {
    assert.match(text, new RegExp(`^# ${flag.split("=")[0]} +\\w`, "m"));
  }
});

Deno.test("Dockerfile's commands work in a clean copy, on a read-only root, with no more permissions than needed", async () => {
  const reason = await whyNoContainer();
  if (reason !== undefined) {
    console.log(`skipped: no namespaces here: ${reason}`);
    return;
  }
  await using files = await makeImage(deps);
  const all = await run(files, command);
  const ok = { start: "ok", execute: "ok", streamFfmpeg: "ok", streamModel: "ok", sandbox: "ok" };
  assert.deepEqual(all.results, ok, all.stderr);
  assert.equal(all.code, 0, "SIGTERM ends it well");
  assert.equal(all.stderr, "");
  const workers = await run(files, [...command, "--workers", "2", "--pipelines", "/data/p.db"]);
  assert.deepEqual(workers.results, ok, workers.stderr);
  assert.equal(workers.code, 0);

  /** What each permission is there for. */
  const needs: Record<string, keyof typeof ok> = {
    "--allow-net": "start",
    "--allow-read": "start",
    "--allow-write": "start",
    "--allow-env": "start",
    "--allow-run": "sandbox",
    "--allow-ffi": "streamModel",
    "--allow-sys": "start",
  };
  const flags = entry.filter((word) => word.startsWith("--allow-"));
  assert.deepEqual(flags.map((flag) => flag.split("=")[0]), Object.keys(needs));
  await Promise.all(flags.map(async (flag) => {
    const step = needs[flag.split("=")[0]!]!;
    const { results } = await run(files, command.filter((word) => word !== flag), step);
    assert.notEqual(results[step], "ok", `${flag} is not needed to ${step}`);
  }));
});
