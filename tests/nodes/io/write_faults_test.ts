import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { AudioFrame, Tensor, VideoFrame } from "../../../core/mod.ts";
import {
  type MediaOutput,
  readMedia,
  writeMedia,
  type WriteMediaOptions,
} from "../../../nodes/io/mod.ts";
import { childProcesses, ffprobe, inFolder, samplesOf, speech, tone, until } from "./_media.ts";

const onLinux = { ignore: Deno.build.os !== "linux" };

function sound({ timestamp = 0, sampleRate = 16_000, numberOfChannels = 1 } = {}): AudioFrame {
  const data = tone({ frames: 1600 * numberOfChannels });
  return new AudioFrame({ data, sampleRate, numberOfChannels, timestamp });
}

function picture({ timestamp = 0, codedWidth = 64 } = {}): VideoFrame {
  const data = new Uint8Array(codedWidth * 36 * 3 / 2);
  return new VideoFrame({ data, format: "I420", codedWidth, codedHeight: 36, timestamp });
}

/** A second of sound. */
const second = Array.from({ length: 10 }, (_, index) => sound({ timestamp: 1e5 * index }));

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("writeMedia says in one sentence why it cannot write, and leaves nothing behind", async () => {
  await inFolder(async (folder) => {
    const at = (name: string) => `${folder}/${name}`;
    type Chunk = AudioFrame | VideoFrame;
    const pictures = [0, 40_000, 80_000].map((timestamp) => picture({ timestamp }));
    const cases: [string, Chunk[], WriteMediaOptions, RegExp][] = [
      [
        at("odd.mp4"),
        [
          new VideoFrame({
            ...{ data: new Uint8Array(7 * 6 * 4), format: "RGBA", codedWidth: 7, codedHeight: 6 },
          }),
        ],
        {},
        /width not divisible by 2/,
      ],
      [at("no/where.wav"), second, {}, /where\.wav" as there is no directory ".+\/no"$/],
      [at("no/where.mp3"), second, {}, /as there is no directory/],
      [folder, second, { format: "wav" }, /as it is a directory$/],
      [folder, second, { format: "mp3" }, /as it is a directory$/],
      [
        at("a.xyz"),
        second,
        {},
        /as ffmpeg failed: .*(suitable output format|choose an output format)/,
      ],
      [at("a.mp3"), second, { audio: { codec: "nonesuch" } }, /as ffmpeg failed: .*nonesuch/],
      [
        at("a.mp3"),
        second,
        { ffmpeg: "/nowhere/ffmpeg" },
        /\/nowhere\/ffmpeg was not found: install it/,
      ],
      [at("a.wav"), pictures, {}, /as WAV holds no video/],
      [at("a.mp3"), pictures, {}, /as mp3 holds no video: give video false/],
      [
        at("a.wav"),
        [...second, sound({ sampleRate: 8000 })],
        {},
        /as audio of 8000 Hz and 1 channels came after 16000 Hz and 1 channels/,
      ],
      [
        at("a.mp3"),
        [...second, sound({ numberOfChannels: 2 })],
        {},
        /as audio of 16000 Hz and 2 channels/,
      ],
      [
        at("a.wav"),
        [sound(), sound({ timestamp: 1e14 })],
        {},
        /a gap of 100000000 s would have to be filled/,
      ],
      [
        at("a.mkv"),
        [picture(), picture({ timestamp: 1e6, codedWidth: 32 })],
        {},
        /as a picture of 32 × 36 I420 came after 64 × 36 I420$/,
      ],
      [
        at("a.mkv"),
        [...pictures, picture()],
        { audio: false },
        /timestamps of video must rise: 0 µs came after 80000 µs$/,
      ],
      [
        at("a.mkv"),
        second,
        { video: {} },
        /as no video came with the audio, though it was asked for$/,
      ],
      [
        at("a.mkv"),
        [...second, sound({ timestamp: 1e6 }), picture({ timestamp: 2e6 })],
        {},
        /as video came more than a second after the start/,
      ],
    ];
    for (const [output, chunks, options, message] of cases) {
      const writing = ReadableStream.from(chunks).pipeTo(writeMedia(output, options));
      await rejects(writing, (error: Error) => {
        match(error.message, message);
        equal(error.message.split("\n").length, 1);
        return error.name === "MediaError";
      });
      deepEqual(namesIn(folder), [], `left by ${message}`);
    }
    const wrong = writeMedia(at("a.wav")).getWriter();
    const tensor = new Tensor({ data: new Float32Array(1), dims: [1] });
    await rejects(wrong.write(tensor as never), /its chunks must be audio or video frames/);
    await wrong.closed.catch(() => {});
  });
});

Deno.test("writeMedia names the option that breaks its rule, the rule and the value", () => {
  const cases: [MediaOutput, WriteMediaOptions, RegExp][] = [
    [
      "a.wav",
      { sampleFormat: "s12" as "s16" },
      /"sampleFormat" breaks its rule \(.+\): current value is "s12"$/,
    ],
    [
      "a.mp4",
      { video: { fps: -1 } },
      /"video\.fps" breaks its rule \(.+>0\): current value is -1$/,
    ],
    [
      "a.mp3",
      { audio: { codec: "-f null" } },
      /"audio\.codec" .+it must be the name of an encoder/,
    ],
    ["a.mp3", { audio: false, video: false }, /there must be audio or video to write/],
    ["a.mp4", { video: {}, gaps: "skip" }, /"gaps" .+out of step/],
    ["a", {}, /the format must be given where the file has no ending/],
    ["http://there/a.mp3", {}, /the output must be a path, a file URL or a stream/],
  ];
  for (const [output, options, message] of cases) {
    throws(() => writeMedia(output, options), (error: Error) => {
      match(error.message, message);
      return error instanceof TypeError || error instanceof RangeError;
    });
  }
});

Deno.test({
  ...onLinux,
  name: "writeMedia leaves nothing behind when it is aborted: no file, no process",
  async fn() {
    await inFolder(async (folder) => {
      const before = await childProcesses();
      const others = async () => (await childProcesses()).filter((pid) => !before.includes(pid));
      for (const name of ["a.wav", "a.mp3", "a.mp4"]) {
        const writer = writeMedia(`${folder}/${name}`).getWriter();
        for (const frame of second) await writer.write(frame);
        for (const frame of second) {
          await writer.write(frame.with({ timestamp: 1e6 + frame.timestamp }));
        }
        equal(namesIn(folder).length, 1);
        await writer.abort(new Error("enough"));
        await writer.closed.catch(() => {});
        deepEqual(namesIn(folder), [], name);
        deepEqual(await others(), [], name);

        const controller = new AbortController();
        const fault = new Error("abandoned");
        const signalled = writeMedia(`${folder}/${name}`, { signal: controller.signal })
          .getWriter();
        for (const frame of second) await signalled.write(frame);
        controller.abort(fault);
        await rejects(signalled.closed, (error) => error === fault);
        await until(async () => namesIn(folder).length === 0 && (await others()).length === 0);
      }
      const source = readMedia(speech, { sampleRate: 48_000 });
      let count = 0;
      const failing = source.pipeThrough(
        new TransformStream({
          transform(frame, controller) {
            if (count++ === 300) throw new Error("in between");
            controller.enqueue(frame);
          },
        }),
      );
      await rejects(failing.pipeTo(writeMedia(`${folder}/b.wav`)), /in between/);
      deepEqual(namesIn(folder), []);
    });
  },
});

Deno.test("writeMedia leaves an existing file as it is until the new one is complete", async () => {
  await inFolder(async (folder) => {
    for (const name of ["a.wav", "a.mp3"]) {
      const path = `${folder}/${name}`;
      await Deno.writeTextFile(path, "precious");
      const writer = writeMedia(path).getWriter();
      for (const frame of second) await writer.write(frame);
      equal(await Deno.readTextFile(path), "precious");
      await writer.abort();
      await writer.closed.catch(() => {});
      equal(await Deno.readTextFile(path), "precious");
      await ReadableStream.from(second).pipeTo(writeMedia(path));
      ok(samplesOf(await Array.fromAsync(readMedia(path))).length >= 16_000);
    }
    deepEqual(namesIn(folder), ["a.mp3", "a.wav"]);
  });
});

Deno.test("writeMedia makes no file of no frames, and says so", async () => {
  await inFolder(async (folder) => {
    for (const name of ["a.wav", "a.mp3"]) {
      const warnings: string[] = [];
      const onWarning = (message: string) => warnings.push(message);
      await ReadableStream.from([]).pipeTo(writeMedia(`${folder}/${name}`, { onWarning }));
      deepEqual(warnings, [`Nothing was written to "${folder}/${name}" as no frame came`]);
    }
    deepEqual(namesIn(folder), []);
  });
});

Deno.test({
  ...onLinux,
  name: "writeMedia fails with the last words of an ffmpeg that is killed midway",
  async fn() {
    await inFolder(async (folder) => {
      const before = await childProcesses();
      const writer = writeMedia(`${folder}/a.mp3`).getWriter();
      writer.closed.catch(() => {});
      for (const frame of second) await writer.write(frame);
      const [pid] = (await childProcesses()).filter((child) => !before.includes(child));
      Deno.kill(pid!, "SIGKILL");
      const writing = (async () => {
        while (true) for (const frame of second) await writer.write(frame);
      })();
      await rejects(
        writing,
        /^MediaError: Cannot write media to ".+a\.mp3" as ffmpeg was ended by SIGKILL/,
      );
      deepEqual(namesIn(folder), []);
    });
  },
});

Deno.test("writeMedia fails when the stream that it writes to does", async () => {
  for (const format of ["wav", "mp3"]) {
    const fault = new Error("the disk is gone");
    const broken = new WritableStream<Uint8Array>({
      write() {
        throw fault;
      },
    });
    const source = readMedia(speech, { sampleRate: 48_000 });
    await rejects(source.pipeTo(writeMedia(broken, { format })), (error: Error) => {
      ok(error === fault || error.cause === fault, String(error));
      return true;
    });
  }
});

Deno.test({
  ...onLinux,
  name: "writeMedia holds up whoever writes while its output does not take more",
  async fn() {
    for (const format of ["wav", "flac"]) {
      const stuck = new WritableStream<Uint8Array>({ write: () => new Promise(() => {}) });
      const writer = writeMedia(stuck, { format }).getWriter();
      let written = 0;
      const writing = (async () => {
        while (true) {
          await writer.ready;
          await writer.write(sound({ timestamp: 1e5 * written }));
          written++;
        }
      })();
      await new Promise((resolve) => setTimeout(resolve, 700));
      const taken = written;
      ok(taken < 1000, `${format}: ${taken} frames were taken`);
      await new Promise((resolve) => setTimeout(resolve, 300));
      equal(written, taken, format);
      await Promise.all([writer.abort(new Error("enough")), rejects(writing, /enough/)]);
      await writer.closed.catch(() => {});
    }
  },
});

Deno.test({
  ...onLinux,
  name: "writeMedia leaves a valid WAV when its process is killed",
  async fn() {
    await inFolder(async (folder) => {
      const path = `${folder}/cut.wav`;
      const code = `
        import { readMedia, writeMedia } from ${
        JSON.stringify(new URL("../../../nodes/io/mod.ts", import.meta.url).href)
      };
        await readMedia(${JSON.stringify(speech)}, { realtime: true }).pipeTo(writeMedia(${
        JSON.stringify(path)
      }));`;
      const config = new URL("../../../deno.json", import.meta.url).pathname;
      const child = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-check", "--config", config, code],
      }).spawn();
      const isLong = async () => (await Deno.stat(path).catch(() => ({ size: 0 }))).size > 10_000;
      await until(isLong, 30_000);
      child.kill("SIGKILL");
      await child.status;
      const { size } = await Deno.stat(path);
      const warnings: string[] = [];
      const onWarning = (message: string) => warnings.push(message);
      const cut = samplesOf(await Array.fromAsync(readMedia(path, { onWarning })));
      equal(cut.length, (size - 44) / 2);
      deepEqual(warnings, []);
      const whole = samplesOf(await Array.fromAsync(readMedia(speech)));
      deepEqual(cut, whole.subarray(0, cut.length));
      const [[seconds] = []] = await ffprobe("-show_entries", "format=duration", path);
      equal(Number(seconds), cut.length / 16_000);
    });
  },
});

Deno.test({
  name: "writeMedia tells that a device is full, whatever the format and however little is written",
  ...onLinux,
  async fn() {
    for (const format of ["wav", "mp3", "mp4"]) {
      const written = ReadableStream.from(second).pipeTo(writeMedia("/dev/full", { format }));
      await rejects(written, /No space left on device/, format);
    }
  },
});

Deno.test("writeMedia that is aborted while it ends fails with the reason", async () => {
  await inFolder(async (folder) => {
    for (const format of ["mp3", "mp4"]) {
      const abort = new AbortController();
      const path = `${folder}/a.${format}`;
      const writer = writeMedia(path, { signal: abort.signal }).getWriter();
      writer.closed.catch(() => {}); // close() tells
      for (const frame of second) await writer.write(frame);
      const closed = writer.close();
      abort.abort("enough");
      await rejects(closed, (error) => error === "enough");
    }
    await until(() => namesIn(folder).length === 0);
  });
});

Deno.test("writeMedia does not mix its samples into a WAV that another began meanwhile", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a.wav`;
    const [first, other] = [writeMedia(path).getWriter(), writeMedia(path).getWriter()];
    other.closed.catch(() => {}); // write() tells
    await first.write(sound());
    await rejects(
      other.write(sound({ sampleRate: 8000, numberOfChannels: 2 })),
      /Cannot write media to .*a\.wav" as File exists/,
    );
    await first.close();
    equal((await Deno.stat(path)).size, 44 + 2 * 1600);
  });
});
