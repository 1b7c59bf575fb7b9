import { equal, match, ok } from "node:assert/strict";
import { serve } from "../../remote/server/mod.ts";
import { type Block, blocksOf, pages, root } from "./_markdown.ts";

const path = "docs/getting_started.md";

/** A shell that stays, as a reader's does; commands are run one block after the other. */
class Shell implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #seen = "";

  constructor(cwd: string) {
    this.#child = new Deno.Command("bash", {
      args: ["--norc", "-s"],
      cwd,
      env: { SDK: root.replace(/\/$/, ""), NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async send(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** What it prints until a pattern comes. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#seen)) {
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`The shell ended: ${this.#seen}`);
      this.#seen += value;
    }
    const text = this.#seen;
    this.#seen = "";
    return text;
  }

  /** Runs a block; the first command that fails ends it. */
  async run({ at, text }: Block): Promise<string> {
    const lines = text.split("\n").join(" &&\n");
    await this.send(`${lines}\necho "[exit $?]"\n`);
    const out = await this.until(/\[exit \d+\]\n/);
    ok(out.endsWith("[exit 0]\n"), `${at}: ${out}`);
    return out;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#child.status;
  }
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  await using server = await serve({ port: 0, userCode: false });
  return server.port;
}

Deno.test("A newcomer's path from an empty folder works as docs/getting_started.md says", async () => {
  const page = (await pages()).find((each) => each.path === path)!;
  const port = await freePort(); // that of the page may be taken here
  const blocks = blocksOf(page).map((block) => ({
    ...block,
    text: block.text.replaceAll("50052", String(port)),
  }));
  const folder = await Deno.makeTempDir({ prefix: "newcomer_" });
  const started = performance.now();
  let [commands, files] = [0, 0];
  try {
    await using shell = new Shell(folder);
    await using second = new Shell(folder);
    for (const block of blocks) {
      if (block.language === "sh" && / serve /.test(block.text)) {
        await second.send(`cd loudness && exec ${block.text}\n`);
        await second.until(/Listening on/);
        commands++;
      } else if (block.language === "sh") {
        await shell.run(block);
        commands += block.text.split("\n").length;
      } else {
        const [, name] = /^(?:\/\/|#) ([\w.]+)\n/.exec(block.text) ?? [];
        ok(name !== undefined, `${block.at} does not say which file it is`);
        await Deno.writeTextFile(`${folder}/loudness/${name}`, block.text);
        files++;
      }
    }
    const seconds = (performance.now() - started) / 1000;
    console.log(`newcomer's path: ${commands} commands, ${files} files, ${seconds.toFixed(1)} s`);
    const lines = (await Deno.readTextFile(`${folder}/loudness/here.jsonl`)).trim().split("\n");
    equal(lines.length, 4);
    match(await Deno.readTextFile(`${folder}/loudness/pipeline.svg`), /^<svg/);
    await endServer(folder, port);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Ends the server as Ctrl-C does: by the process that has its port among its arguments. */
async function endServer(folder: string, port: number): Promise<void> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const isIt = await Deno.readTextFile(`/proc/${name}/cmdline`).then(
      (line) => line.includes(`serve\0--port\0${port}\0`) && line.includes("/cli"),
      () => false,
    );
    if (!isIt || !(await Deno.readLink(`/proc/${name}/cwd`)).startsWith(folder)) continue;
    Deno.kill(Number(name), "SIGINT");
  }
}
