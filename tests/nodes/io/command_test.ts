import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { AudioFrame, Pipeline } from "../../../core/mod.ts";
import { Command, type CommandOptions } from "../../../nodes/io/command.ts";
import {
  cut,
  endlessSource,
  joinSamples,
  nodeContract,
  sine,
  speech,
} from "../../../testing/mod.ts";

type Options = Partial<CommandOptions> & Pick<CommandOptions, "command">;

function run(options: Options, chunks: Iterable<unknown>): Promise<unknown[]> {
  return Array.fromAsync(ReadableStream.from(chunks).pipeThrough(new Command(options)));
}

/** A program in one line of shell. */
function shell(script: string, options: Partial<CommandOptions> = {}): Options {
  return { command: "sh", args: ["-c", script], ...options };
}

const contracts = {
  "Command for all chunks": { command: "cat" },
  "Command for each chunk": { command: "tr", args: ["a-z", "A-Z"], lifetime: "chunk" as const },
};
for (const [title, options] of Object.entries(contracts)) {
  const cases = nodeContract({
    create: (config) => new Command(options, config),
    inputs: () => ["one", "two", "three"] as unknown[],
    refused: [
      [() => new Command({} as never), /"command"/],
      [() => new Command({ command: "x", input: "xml" as never }), /"input"/],
    ],
  });
  for (const { name, run } of cases) Deno.test(`${title} ${name}`, run);
}

Deno.test("Command gives what a program says by itself, while no chunk comes", async () => {
  const script = "read a; echo got $a; sleep 0.1; echo one; sleep 0.1; echo two; cat";
  const command = new Command(shell(script));
  const reader = command.readable.getReader();
  const writer = command.writable.getWriter();
  void writer.write("it");
  for (const output of ["got it", "one", "two"]) equal((await reader.read()).value, output);
  void writer.write("last");
  void writer.close();
  equal((await reader.read()).value, "last");
  equal((await reader.read()).done, true);
});

Deno.test("Command writes and reads lines, text, bytes and messages with their length", async () => {
  const texts = ["é one", "two"];
  deepEqual(await run({ command: "cat" }, texts), texts);
  deepEqual(await run({ command: "cat", output: "text", input: "text" }, texts), ["é onetwo"]);
  const messages = [new Uint8Array([1, 2]), new Uint8Array(0), new Uint8Array(100_000).fill(7)];
  const prefixed = { input: "length-prefixed", output: "length-prefixed" } as const;
  deepEqual(await run({ command: "cat", ...prefixed }, messages), messages);
  const pieces = await run(
    { command: "cat", input: "bytes", output: "bytes" },
    messages,
  ) as Uint8Array[];
  equal(pieces.reduce((sum, { length }) => sum + length, 0), 100_002);
});

Deno.test("Command waits for the replies to each chunk", async () => {
  const pipeline = new Pipeline([
    new Command(shell(`while read line; do echo "$line 1"; echo "$line 2"; done`, { replies: 2 })),
  ]);
  const reader = pipeline.readable.getReader();
  const writer = pipeline.writable.getWriter();
  for (const name of ["a", "b"]) {
    const replies = (async () => [await reader.read(), await reader.read()])();
    await writer.write(name);
    deepEqual((await replies).map(({ value }) => value), [`${name} 1`, `${name} 2`]);
  }
  const end = reader.read();
  await writer.close();
  equal((await end).done, true);
});

Deno.test("Command passes more through than pipes and its queue hold, in order", async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `${index} ${"x".repeat(100)}`);
  deepEqual(await run({ command: "cat" }, lines), lines);
});

Deno.test("Command is held up, and holds up, when nobody reads", async () => {
  const source = endlessSource(() => "x".repeat(10_000));
  const node = new Command({ command: "cat" });
  const reader = source.stream.pipeThrough(node).getReader();
  await reader.read();
  let before = -1;
  for (let turn = 0; turn < 50 && before !== source.produced; turn++) {
    before = source.produced;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  equal(source.produced, before);
  ok(source.produced < 100, `${source.produced}`);
  await reader.cancel();
});

Deno.test("Command holds up a program whose output nobody reads", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const script = `head -c 100000000 /dev/zero; touch ${folder}/done`;
    const node = new Command(shell(script, { input: "none", output: "bytes" }));
    const reader = ReadableStream.from(["go", "on"]).pipeThrough(node).getReader();
    const first = reader.read();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await rejects(Deno.stat(`${folder}/done`), Deno.errors.NotFound);
    let length = ((await first).value as Uint8Array).length;
    for await (const bytes of all(reader)) length += bytes.length;
    equal(length, 100_000_000);
    await Deno.stat(`${folder}/done`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function* all(reader: ReadableStreamDefaultReader<unknown>): AsyncGenerator<Uint8Array> {
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    yield step.value as Uint8Array;
  }
}

Deno.test("Command gives sox raw samples and WAV, and takes them back", async () => {
  const frames = sine({
    seconds: 1,
    sampleRate: 16_000,
    frequency: 440,
    amplitude: 0.5,
    timestamp: 7_000_000,
  });
  const raw = ["-t", "raw", "-r", "16000", "-e", "signed", "-b", "16", "-c", "1", "-"];
  const [there, back] = [
    await run({
      command: "sox",
      args: ["-D", "-V1", ...raw, ...raw, "vol", "0.5"],
      input: "audio",
      output: "audio",
    }, frames),
    await run({
      command: "sox",
      args: ["-D", "-V1", "-t", "wav", "-", "-t", "wav", "-", "rate", "8000"],
      input: "wav",
      output: "wav",
    }, frames),
  ] as AudioFrame[][];
  const quiet = joinSamples(there!);
  const loud = joinSamples(frames);
  equal(quiet.length, loud.length);
  ok(quiet.every((sample, index) => Math.abs(sample - loud[index]! / 2) < 2 / 32_768));
  deepEqual(there!.map(({ timestamp }) => timestamp), frames.map(({ timestamp }) => timestamp));
  equal(joinSamples(back!).length, 8000);
  equal(back![0]!.sampleRate, 8000);
});

Deno.test("Command lets espeak-ng say each text and pocketsphinx hear it", async () => {
  const texts = ["hello world", "good morning"];
  const voice: Options = {
    command: "espeak-ng",
    args: ["--stdin", "--stdout"],
    lifetime: "chunk",
    input: "text",
    output: "wav",
  };
  const spoken = await run(voice, texts) as AudioFrame[];
  equal(spoken[0]!.sampleRate, 22_050);
  equal(spoken.filter(({ timestamp }) => timestamp === 0).length, 2);
  const frames = (await speech({ frameSize: 320 })).slice(0, 250);
  const [heard] = await run({
    command: "pocketsphinx_continuous",
    args: ["-infile", "/dev/stdin", "-logfn", "/dev/null"],
    input: "wav",
    output: "text",
    lifetime: "chunk",
  }, cut(joinSamples(frames), { sampleRate: 16_000, frameSize: 80_000 }));
  ok(/[a-z]+ [a-z]+/.test(String(heard)), String(heard));
});

Deno.test("Command goes on from the time and metadata of each chunk", async () => {
  const metadata = { speaker: "Ada" };
  const frames = sine({
    seconds: 0.2,
    sampleRate: 16_000,
    frameSize: 1600,
    timestamp: 500_000,
    metadata,
  });
  const options = {
    command: "cat",
    lifetime: "chunk",
    input: "wav",
    output: "wav",
    frameMs: 50,
  } as const;
  const copies = await run(options, frames) as AudioFrame[];
  deepEqual(copies.map(({ timestamp }) => timestamp), [500_000, 550_000, 600_000, 650_000]);
  deepEqual(copies[3]!.metadata, metadata);
});

Deno.test("Command tells how a program failed, with its last words", async () => {
  await rejects(
    run(shell("cat > /dev/null; echo one >&2; echo 'it broke' >&2; exit 3"), ["a"]),
    /^NodeError: Node "Command" failed in flush: "sh" ended with exit code 3: it broke$/,
  );
  await rejects(
    run(shell("kill -9 $$", { lifetime: "chunk" }), ["a"]),
    /on chunk 0: "sh" ended with SIGKILL/,
  );
  await rejects(
    run({ command: "no-such-program" }, ["a"]),
    /Cannot start "no-such-program" as it cannot be found/,
  );
  await rejects(
    run(shell("head -c 1 >/dev/null", { replies: 1 }), ["a"]),
    /"sh" ended before its input did/,
  );
  await rejects(
    run(shell("exec sleep 30", { replies: 1, timeoutMs: 50 }), ["a"]),
    /"sh" gave nothing for 50 ms/,
  );
  await rejects(
    run(shell("exec sleep 30", { timeoutMs: 50 }), ["a"]),
    /in flush: "sh" gave nothing for 50 ms/,
  );
});

Deno.test("Command tells of output that is not what it should be", async () => {
  const chunk = { lifetime: "chunk" } as const;
  await rejects(
    run(shell("cat", { ...chunk, output: "wav" }), ["a"]),
    /Cannot read from "sh" as its output is not WAV/,
  );
  const long = shell("yes | tr -d '\\n'", { ...chunk, maxMessageBytes: 1000 });
  await rejects(
    run(long, ["a"]),
    /Cannot read from "sh" as a line has more than the 1000 characters/,
  );
  const cutOff = shell("printf '\\000\\000\\000\\005abc'", { ...chunk, output: "length-prefixed" });
  await rejects(run(cutOff, ["a"]), /its output ended inside a message/);
  const huge = shell("printf '\\377\\000\\000\\005abc'", { ...chunk, output: "length-prefixed" });
  await rejects(
    run(huge, ["a"]),
    /a message of 4278190085 bytes is longer than the 16777216 it may have/,
  );
});

Deno.test("Command refuses chunks that its input cannot take", async () => {
  const frame = new AudioFrame({ data: new Float32Array(10), sampleRate: 8000 });
  await rejects(
    run({ command: "cat" }, [frame]),
    /The program is given text: it was given an audio frame/,
  );
  await rejects(
    run({ command: "cat", input: "wav" }, ["a"]),
    /is given audio frames: it was given text/,
  );
  await rejects(
    run({ command: "cat", input: "bytes" }, [1]),
    /is given bytes or text: it was given a number/,
  );
  const other = new AudioFrame({ data: new Float32Array(10), sampleRate: 16_000 });
  await rejects(
    run({ command: "cat", input: "audio", output: "bytes" }, [frame, other]),
    /The audio changed from 8000 Hz with 1 to 16000 Hz with 1 channels/,
  );
});

Deno.test("Command is started again as often as it may be", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // fails at its first two starts
    const script =
      `echo x >> ${folder}/starts; [ $(wc -l < ${folder}/starts) -gt 2 ] || exit 1; exec cat`;
    for (const lifetime of ["stream", "chunk"] as const) {
      const options = { lifetime, replies: 1 };
      await rejects(run(shell(script, { ...options, restarts: 1 }), ["a"]), /exit code 1/);
      await Deno.remove(`${folder}/starts`);
      deepEqual(await run(shell(script, { ...options, restarts: 2 }), ["a", "b"]), ["a", "b"]);
      await Deno.remove(`${folder}/starts`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Command ends its program at an interrupt, and starts it again for the next chunk", async () => {
  const script = `while read line; do [ "$line" = stop ] && exec sleep 60; echo $$; done`;
  const pipeline = new Pipeline([new Command(shell(script, { replies: 1 }))]);
  const reader = pipeline.readable.getReader();
  const writer = pipeline.writable.getWriter();
  const first = reader.read();
  await writer.write("a");
  const pid = Number((await first).value);
  const second = reader.read();
  writer.write("stop").catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  await pipeline.interrupt();
  writer.write("b").catch(() => {});
  const next = Number((await second).value);
  ok(next > 0 && next !== pid);
  await reader.cancel();
  throws(() => Deno.kill(pid, "SIGCONT"));
});

Deno.test("Command ends a program that does not want to, and leaves none behind", async () => {
  const node = new Command(shell(`trap '' TERM; echo $$; while :; do sleep 0.1; done`));
  const reader = ReadableStream.from(["a", "b"]).pipeThrough(node).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  throws(() => Deno.kill(Number(value), "SIGCONT"));
});

Deno.test("Command does not wait for programs that its program left behind", async () => {
  const start = performance.now();
  deepEqual(await run(shell("cat; sleep 60 >/dev/null &"), ["a"]), ["a"]);
  ok(performance.now() - start < 30_000);
});

Deno.test("Command tells what is wrong with the output of a program that does not let itself be ended", async () => {
  const script = "trap '' TERM; printf xxxxxxxxxx; while :; do sleep 0.2; done";
  const options = { maxMessageBytes: 5, output: "text", input: "none" } as const;
  await rejects(run(shell(script, options), ["a"]), /a text of 10 bytes is longer than the 5/);
});
