import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { AudioFrame, Pipeline, SerializationError } from "../../../core/mod.ts";
import { type DataFormat, FormatConverter } from "../../../nodes/data/mod.ts";
import { sine } from "../../../testing/mod.ts";
import { through } from "./_through.ts";

async function convert(chunk: unknown, from: DataFormat, to: DataFormat): Promise<unknown> {
  const [result] = await through(new FormatConverter({ from, to }), [chunk]);
  return result;
}

Deno.test("FormatConverter brings values back from each format", async () => {
  const value = { name: 'Zoë "x"\n', list: [1, -2.5, true, null], nested: { "": "empty" } };
  for (const format of ["json", "yaml", "msgpack", "ndjson", "value"] as const) {
    deepEqual(await convert(await convert(value, "value", format), format, "value"), value, format);
  }
  const rows = [{ a: "1", b: 'x,"y"\nz' }, { a: "", b: " é " }];
  deepEqual(await convert(await convert(rows, "value", "csv"), "csv", "value"), rows);
  const bytes = new Uint8Array([0, 255, 10, 128]);
  deepEqual(await convert(await convert(bytes, "value", "base64"), "base64", "value"), bytes);
});

Deno.test("FormatConverter writes CSV with all that is in its rows", async () => {
  const tables: [rows: unknown, text: string, read?: unknown][] = [
    [[{ a: 1 }, { b: 2, a: 3 }], "a,b\n1,\n3,2\n", [{ a: "1", b: "" }, { a: "3", b: "2" }]],
    [[{ a: "" }, { a: "x" }], 'a\n""\nx\n'],
    [[{ a: "x" }, { a: null }], 'a\nx\n""\n', [{ a: "x" }, { a: "" }]],
    [[{ "a.b": "1", toString: "2" }, { a: { b: 3 } }], 'a.b,toString,a\n1,2,\n,,"{""b"":3}"\n', [
      { "a.b": "1", toString: "2", a: "" },
      { "a.b": "", toString: "", a: '{"b":3}' },
    ]],
    [[], ""],
  ];
  for (const [rows, text, read = rows] of tables) {
    equal(await convert(rows, "value", "csv"), text);
    deepEqual(await convert(text, "csv", "value"), read);
  }
  const sparse = Array.from({ length: 20_000 }, (_, index) => ({ [`column ${index}`]: 1 }));
  await rejects(convert(sparse, "value", "csv"), /20000 columns, nearly all empty/);
  const lists = new FormatConverter({ to: "csv", header: false });
  deepEqual(await through(lists, [[["a", "b"], ["", 1]]]), ["a,b\n,1\n"]);
});

Deno.test("FormatConverter reads CSV with line ends of any kind, and text behind a byte order mark", async () => {
  const rows = [{ a: "1", b: "x\r\ny" }, { a: "3", b: "4" }, { a: "5", b: "6" }];
  deepEqual(await convert('a,b\n1,"x\r\ny"\r\n3,4\r5,6\n', "csv", "value"), rows);
  deepEqual(await convert('\uFEFFa,b\r\n1,"x\r\ny"\n\r\n3,4\n5,6', "csv", "value"), rows);
  const ends = [{ a: "x\r", b: "\n" }, { a: "\r", b: "" }];
  deepEqual(await convert(await convert(ends, "value", "csv"), "csv", "value"), ends);
  for (const format of ["json", "ndjson"] as const) {
    for (const text of ["\uFEFF[1]", new TextEncoder().encode("\uFEFF[1]")]) {
      deepEqual(await convert(text, format, "value"), [1]);
    }
  }
});

Deno.test("FormatConverter takes no more memory for MessagePack than its bytes are worth", async () => {
  // arrays and maps within each other, each said to have 30 million entries
  for (const [head, depth] of [[0xdd, 20], [0xdf, 20], [0xdd, 1]] as const) {
    const bytes = new Uint8Array(5 * depth);
    for (let at = 0; at < bytes.length; at += 5) bytes.set([head, 0x01, 0xff, 0xff, 0xff], at);
    const before = Deno.memoryUsage().rss;
    await rejects(convert(bytes, "msgpack", "value"), /as msgpack as it says to have more entries/);
    ok(Deno.memoryUsage().rss - before < 100e6);
  }
  const values = [
    ["", "x".repeat(40), "x".repeat(300), "x".repeat(70_000)],
    [0, -1, 200, -100, 40_000, -30_000, 3e9, -2e9, 2 ** 50, -(2 ** 50), 1.5, true, null],
    [new Uint8Array(3), new Uint8Array(300), new Uint8Array(70_000), new Date(5), new Date(1.5e12)],
    Object.fromEntries(Array.from({ length: 70_000 }, (_, index) => [`k${index}`, [index]])),
    [Array.from({ length: 20 }, (_, index) => ({ index })), {}, []],
  ];
  for (const value of values) {
    deepEqual(await convert(await convert(value, "value", "msgpack"), "msgpack", "value"), value);
  }
});

Deno.test("FormatConverter writes what other programs read", async () => {
  equal(await convert({ a: [1, "x"] }, "value", "json"), '{"a":[1,"x"]}');
  equal(await convert({ a: 1 }, "value", "ndjson"), '{"a":1}\n');
  equal(await convert([{ a: true, b: "x,y" }], "value", "csv"), 'a,b\ntrue,"x,y"\n');
  deepEqual(await convert({ a: 1 }, "value", "msgpack"), new Uint8Array([0x81, 0xa1, 0x61, 1]));
  equal(await convert("Zoë", "text", "base64"), "Wm/Dqw==");
  equal(await convert(new TextEncoder().encode("a: 1\n"), "yaml", "json"), '{"a":1}');
  const arrays = new FormatConverter({ from: "csv", to: "value", header: false, delimiter: ";" });
  deepEqual(await through(arrays, ["a;b\n1;2\n"]), [[["a", "b"], ["1", "2"]]]);
});

Deno.test("FormatConverter reads ndjson however its bytes are cut", async () => {
  const bytes = new TextEncoder().encode('{"a":"é👩"}\r\n\n[1]\n"last"');
  for (let size = 1; size <= bytes.length; size++) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    const node = new FormatConverter({ from: "ndjson", to: "value" });
    deepEqual(await through(node, pieces), [{ a: "é👩" }, [1], "last"], `pieces of ${size}`);
  }
});

Deno.test("FormatConverter writes WAV that ffmpeg reads, and reads what ffmpeg writes", async () => {
  const [frame] = sine({
    seconds: 0.1,
    frequency: 440,
    sampleRate: 8000,
    numberOfChannels: 2,
    frameSize: 800,
  });
  const node = new FormatConverter({ to: "wav", sampleFormat: "f32" });
  const [file] = await through(node, [frame]);
  const ffmpeg = await run(file as Uint8Array, ["-f", "f32le", "-"]);
  const samples = new Float32Array(ffmpeg.slice().buffer);
  equal(samples.length, 1600);
  deepEqual(samples[2 * 123], frame!.channel(0)[123]);
  const wav = await run(file as Uint8Array, ["-c:a", "pcm_s24le", "-f", "wav", "-"]);
  const back = await convert(wav, "wav", "value") as AudioFrame;
  equal(back.sampleRate, 8000);
  equal(back.numberOfChannels, 2);
  equal(back.numberOfFrames, 800);
  ok(back.data.every((sample, index) => Math.abs(sample - frame!.data[index]!) < 2 ** -22));
});

async function run(input: Uint8Array, args: string[]): Promise<Uint8Array> {
  const child = new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-i", "pipe:0", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(input);
  await writer.close();
  return (await child.output()).stdout;
}

Deno.test("FormatConverter says in one sentence what it cannot read or write", async () => {
  const frame = new AudioFrame({ data: new Float32Array(8), sampleRate: 8000 });
  for (
    const [chunk, from, to, message] of [
      ["{", "json", "value", /Cannot read the chunk as json as Expected property name/],
      [5, "json", "value", /as json as it must be text or bytes: it is a number/],
      ["a: [", "yaml", "value", /Cannot read the chunk as yaml as Flow sequence/],
      ["a: &x [*x, *x", "yaml", "value", /as yaml as/],
      ["a,b\n1", "csv", "value", /as csv as Invalid Record Length/],
      [new Uint8Array([0xc1]), "msgpack", "value", /as msgpack as Unrecognized type byte/],
      ["%%", "base64", "value", /as base64 as/],
      [new Uint8Array([0xff]), "text", "value", /as text as/],
      [new Uint8Array(100), "wav", "value", /as wav as it does not start as a WAV file/],
      [undefined, "value", "json", /takes|undefined cannot be written/],
      [
        frame,
        "value",
        "json",
        /Cannot write the chunk as json as an audio frame is no plain value/,
      ],
      [frame, "value", "msgpack", /an audio frame is no plain value/],
      [1, "value", "csv", /as csv as it must be a list of rows/],
      [{}, "value", "wav", /as wav as it must be an audio frame: it is an object/],
      [10n, "value", "json", /as json as/],
      ['{"a":1}\n{', "ndjson", "value", /as ndjson as/],
    ] as const
  ) {
    await rejects(convert(chunk, from, to), (error: Error) => {
      ok(error.cause instanceof SerializationError, `${error}`);
      ok(message.test(error.message) && !error.message.includes("\n"), error.message);
      return true;
    });
  }
});

Deno.test("FormatConverter bounds what it reads", async () => {
  const bounded = (from: DataFormat) => new FormatConverter({ from, to: "value", maxBytes: 10 });
  await rejects(
    through(bounded("json"), ["[1,2,3,4,5,6,7]"]),
    /longer than maxBytes allows: 15 > 10/,
  );
  await rejects(
    through(bounded("ndjson"), ["[1]\n[1,2", ",3,4,5,6]"]),
    /more than the 10 characters/,
  );
  const bomb = `a: &a [x,x]\n` +
    Array.from({ length: 25 }, (_, i) => `${b(i + 1)}: &${b(i + 1)} [*${b(i)},*${b(i)}]\n`).join(
      "",
    );
  await rejects(convert(bomb, "yaml", "value"), /as yaml as Excessive alias count/);
});

function b(index: number): string {
  return String.fromCharCode(97 + index);
}

Deno.test("FormatConverter forgets the line that an interrupt cuts", async () => {
  const pipeline = new Pipeline([new FormatConverter({ from: "ndjson", to: "value" })]);
  const output = Array.fromAsync(pipeline.readable);
  const writer = pipeline.writable.getWriter();
  await writer.write('{"half":');
  await pipeline.interrupt();
  await writer.write("[2]\n");
  await writer.close();
  deepEqual(await output, [[2]]);
});
