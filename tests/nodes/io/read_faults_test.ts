import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import { type MediaInput, readMedia, type ReadMediaOptions } from "../../../nodes/io/mod.ts";
import {
  childProcesses,
  ffmpeg,
  inFolder,
  inPieces,
  kindOf,
  samplesOf,
  speech,
  until,
} from "./_media.ts";

const onLinux = { ignore: Deno.build.os !== "linux" };

/** Reads to the end; gives what came, and the sentence with which it ended. */
async function readToFault(input: MediaInput, options: ReadMediaOptions = {}) {
  const frames = [];
  try {
    for await (const frame of readMedia(input, options)) frames.push(frame);
  } catch (error) {
    ok(error instanceof Error && error.name === "MediaError", String(error));
    equal(error.message.split("\n").length, 1, "the message is one line");
    return { frames, message: error.message, error };
  }
  return { frames, message: "", error: undefined };
}

Deno.test("readMedia says in one sentence why it cannot read", async () => {
  await inFolder(async (folder) => {
    const at = (name: string) => `${folder}/${name}`;
    await Deno.writeFile(at("empty.wav"), new Uint8Array(0));
    await Deno.writeTextFile(at("text.wav"), "This is no sound at all.\n".repeat(100));
    const picture = ["-f", "lavfi", "-i", "color=red:size=64x36:rate=25:duration=1"];
    await ffmpeg(...picture, "-preset", "ultrafast", at("silent.mp4"));
    await ffmpeg("-t", "1", "-i", speech, at("a.mp3"));
    const forty = "-f s16le -ar 8000 -ac 40 -t 0.1 -i /dev/zero -c:a pcm_s16le".split(" ");
    await ffmpeg(...forty, at("40.mkv"));
    const cases: [MediaInput, ReadMediaOptions, RegExp][] = [
      [at("none.wav"), {}, /as there is no such file$/],
      [new URL(`file://${at("none.mp3")}`), {}, /none\.mp3" as there is no such file$/],
      [folder, {}, /as it is a directory$/],
      [at("empty.wav"), {}, /empty\.wav" as it is empty$/],
      [new Uint8Array(0), {}, /^Cannot read media from bytes as it is empty$/],
      [at("text.wav"), {}, /as it is no audio or video that ffmpeg knows: Invalid data found/],
      [
        inPieces(await Deno.readFile(at("text.wav")), 100),
        {},
        /a stream as it is no audio or video/,
      ],
      [at("silent.mp4"), {}, /as it has no audio$/],
      [at("silent.mp4"), { audio: true, video: {} }, /as it has no audio$/],
      [at("a.mp3"), { video: {} }, /as it has no video$/],
      [speech, { video: {} }, /conversation\.wav" as it has no video$/],
      [at("40.mkv"), {}, /as it has 40 channels where at most 32 can be$/],
      [
        at("a.mp3"),
        { ffmpeg: "/nowhere/ffmpeg" },
        /\/nowhere\/ffmpeg was not found: install it with .+FFMPEG_PATH/,
      ],
      [
        "http://127.0.0.1:1/a.mp3",
        {},
        /http:\/\/127\.0\.0\.1:1\/a\.mp3 as it could not be fetched: /,
      ],
    ];
    for (const [input, options, message] of cases) {
      const fault = await readToFault(input, options);
      match(fault.message, message);
      deepEqual(fault.frames, []);
    }
    const { frames } = await readToFault(at("silent.mp4"), { video: {} });
    equal(kindOf(frames, "video").length, 25); // nobody asked for audio
  });
});

Deno.test("readMedia runs the ffmpeg that the environment names", async () => {
  await inFolder(async (folder) => {
    await ffmpeg("-t", "1", "-i", speech, `${folder}/a.mp3`);
    Deno.env.set("FFMPEG_PATH", "/nowhere/by-environment");
    try {
      match(
        (await readToFault(`${folder}/a.mp3`)).message,
        /\/nowhere\/by-environment was not found/,
      );
      equal((await readToFault(`${folder}/a.mp3`, { ffmpeg: "ffmpeg" })).message, "");
    } finally {
      Deno.env.delete("FFMPEG_PATH");
    }
  });
});

Deno.test("readMedia reads an MP4 that is cut off as far as it can, and says that it is", async () => {
  await inFolder(async (folder) => {
    const source = ["-t", "10", "-i", speech];
    await ffmpeg(...source, `${folder}/last.m4a`, "-movflags", "+faststart", `${folder}/first.m4a`);
    for (const name of ["last.m4a", "first.m4a"]) {
      const bytes = (await Deno.readFile(`${folder}/${name}`)).slice(0, 50_000);
      const path = `${folder}/cut_${name}`;
      await Deno.writeFile(path, bytes);
      for (const input of [path, inPieces(bytes, 10_000)]) {
        const { frames, message } = await readToFault(input, { sampleRate: 16_000 });
        match(message, /^Cannot read media from .+ as it is cut off/);
        const seconds = samplesOf(kindOf(frames, "audio")).length / 16_000;
        if (name === "last.m4a") equal(seconds, 0);
        else ok(seconds > 4 && seconds < 8, `${seconds} s`);
      }
    }
  });
});

Deno.test("readMedia goes on over damage and early ends, and warns", async () => {
  await inFolder(async (folder) => {
    const source = ["-t", "5", "-i", speech];
    await ffmpeg(...source, `${folder}/a.mp3`, "-c:a", "libopus", `${folder}/a.mkv`);
    const damaged = await Deno.readFile(`${folder}/a.mp3`);
    crypto.getRandomValues(damaged.subarray(10_000, 12_000));
    const cut = (await Deno.readFile(`${folder}/a.mkv`)).slice(0, 30_000);
    for (const bytes of [damaged, cut]) {
      const warnings: string[] = [];
      const onWarning = (message: string) => warnings.push(message);
      const frames = await Array.fromAsync(readMedia(bytes, { onWarning }));
      const [{ sampleRate }] = frames as [typeof frames[number]];
      ok(samplesOf(frames).length > 2 * sampleRate);
      equal(warnings.length, 1);
      match(warnings[0]!, /^bytes is damaged: ffmpeg met .+ and went on: /);
    }
  });
});

Deno.test("readMedia names the option that breaks its rule, the rule and the value", () => {
  const cases: [ReadMediaOptions, RegExp][] = [
    [{ frameMs: 0 }, /"frameMs" breaks its rule \(.+>0\): current value is 0$/],
    [{ sampleRate: 16_000.5 }, /"sampleRate" .+ current value is 16000\.5$/],
    [{ channels: 33 }, /"channels" breaks its rule \(.+<=32\): current value is 33$/],
    [{ video: { format: "YUV" as "I420" } }, /"video\.format" .+"I420".+ current value is "YUV"$/],
    [{ audio: false }, /"audio" .+there must be audio or video to read/],
    [{ start: -1 }, /"start" breaks its rule .+ current value is -1$/],
    [{ volume: 3 } as ReadMediaOptions, /has no option "volume"$/],
  ];
  for (const [options, message] of cases) {
    throws(() => readMedia(speech, options), (error: Error) => {
      match(error.message, message);
      return error instanceof TypeError || error instanceof RangeError;
    });
  }
  throws(() => readMedia("gopher://old/a.mp3"), /the URL must be file, http, https or rtsp/);
  throws(() => readMedia(7 as unknown as string), TypeError);
});

Deno.test("readMedia fails with the error of the stream that it reads from", async () => {
  await inFolder(async (folder) => {
    await ffmpeg("-t", "2", "-i", speech, `${folder}/a.mp3`, `${folder}/a.wav`);
    for (const name of ["a.mp3", "a.wav"]) {
      const fault = new Error("the line broke");
      const bytes = await Deno.readFile(`${folder}/${name}`);
      let isGiven = false;
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (isGiven) return controller.error(fault);
          controller.enqueue(bytes.slice(0, bytes.length / 2));
          isGiven = true;
        },
      });
      await rejects(Array.fromAsync(readMedia(stream)), (error) => error === fault);
    }
  });
});

Deno.test({
  ...onLinux,
  name:
    "readMedia ends ffmpeg when its reader cancels, its signal is aborted, or its input never ends",
  async fn() {
    await inFolder(async (folder) => {
      const path = `${folder}/long.mka`;
      await ffmpeg("-stream_loop", "20", "-i", speech, "-c:a", "pcm_alaw", path);
      const before = await childProcesses();
      const others = async () => (await childProcesses()).filter((pid) => !before.includes(pid));

      const cancelled = readMedia(path).getReader();
      await cancelled.read();
      equal((await others()).length, 1);
      await cancelled.cancel("enough");
      deepEqual(await others(), [], "after cancel()");

      const controller = new AbortController();
      const aborted = readMedia(path, { signal: controller.signal }).getReader();
      await aborted.read();
      const fault = new Error("abandoned");
      controller.abort(fault);
      await rejects(aborted.read(), (error) => error === fault);
      await until(async () => (await others()).length === 0);

      await ffmpeg("-t", "5", "-i", speech, `${folder}/a.mp3`);
      const endless = endlessly(await Deno.readFile(`${folder}/a.mp3`));
      const part = await Array.fromAsync(readMedia(endless.stream, { duration: 1 }));
      ok(Math.abs(samplesOf(part).length - 16_000) <= 1);
      ok(endless.cancelled, "the input goes on");
      deepEqual(await others(), [], "after its duration");

      const unread = endlessly(await Deno.readFile(`${folder}/a.mp3`));
      const idle = readMedia(unread.stream).getReader();
      await idle.read();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const taken = unread.given;
      await new Promise((resolve) => setTimeout(resolve, 500));
      equal(unread.given, taken, "it goes on taking bytes though nobody reads");
      ok(taken < 5e6, `${taken} bytes were taken for one frame`);
      await idle.cancel();

      // all of it has room in ffmpeg's pipe, so that nothing but its input is left to wait for
      const front = (await Deno.readFile(path)).slice(0, 88_000);
      const enough = readMedia(stuckAfter(front), { duration: 1 });
      ok(Math.abs(samplesOf(await Array.fromAsync(enough)).length - 16_000) <= 1);
      deepEqual(await others(), [], "after its duration, while its input waits");

      const stuck = readMedia(stuckAfter(await Deno.readFile(path))).getReader();
      await stuck.read();
      const waiting = (async () => {
        while (!(await stuck.read()).done);
      })();
      await new Promise((resolve) => setTimeout(resolve, 300));
      await stuck.cancel();
      await waiting;
      deepEqual(await others(), [], "after cancel() while it waits for its input");

      throws(() => AbortSignal.abort(fault).throwIfAborted());
      const early = readMedia(path, { signal: AbortSignal.abort(fault) });
      await rejects(Array.fromAsync(early), (error) => error === fault);
      deepEqual(await others(), []);
    });
  },
});

/** A file over and over, and what became of it. */
function endlessly(bytes: Uint8Array) {
  const source = {
    given: 0,
    cancelled: false,
    stream: new ReadableStream<Uint8Array>({
      pull(controller) {
        source.given += bytes.length;
        controller.enqueue(bytes.slice());
      },
      cancel() {
        source.cancelled = true;
      },
    }),
  };
  return source;
}

/** Bytes, and then nothing, but no end. */
function stuckAfter(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let isGiven = false;
  return new ReadableStream({
    pull(controller) {
      if (isGiven) return new Promise(() => {});
      controller.enqueue(bytes);
      isGiven = true;
    },
  });
}

Deno.test({
  ...onLinux,
  name: "readMedia fails with the last words of an ffmpeg that is killed midway",
  async fn() {
    await inFolder(async (folder) => {
      const path = `${folder}/long.mka`;
      await ffmpeg("-stream_loop", "20", "-i", speech, "-c:a", "pcm_alaw", path);
      const before = await childProcesses();
      const reader = readMedia(path, { sampleRate: 48_000 }).getReader();
      await reader.read();
      const [pid] = (await childProcesses()).filter((child) => !before.includes(child));
      Deno.kill(pid!, "SIGKILL");
      const rest = (async () => {
        while (!(await reader.read()).done);
      })();
      await rejects(rest, (error: Error) => {
        match(
          error.message,
          /^Cannot read media from ".+long\.mka" as ffmpeg was ended by SIGKILL; it said last: \S/,
        );
        return error.name === "MediaError";
      });
    });
  },
});

Deno.test({
  ...onLinux,
  name: "readMedia holds little of an hour of audio and video, and so does its ffmpeg",
  async fn() {
    await inFolder(async (folder) => {
      // raw, so that ffmpeg has no work: an hour of audio beside small pictures, 1.3 GB in all
      const path = `${folder}/hour.nut`;
      const pipe = new Deno.Command("mkfifo", { args: [path] });
      equal((await pipe.output()).code, 0);
      const hour =
        "-f lavfi -i sine=r=16000:d=3600 -f lavfi -i color=size=32x32:rate=5:duration=3600";
      const writer = new Deno.Command("ffmpeg", {
        args: [
          "-loglevel",
          "error",
          "-y",
          ...hour.split(" "),
          "-c:v",
          "rawvideo",
          "-c:a",
          "pcm_s16le",
          path,
        ],
        stdin: "null",
      }).spawn();
      const reader = readMedia(path, { video: {}, frameMs: 100 }).getReader();
      const before = await childProcesses();
      await reader.read();
      const [reading] = (await childProcesses()).filter((child) => !before.includes(child));
      await new Promise((resolve) => setTimeout(resolve, 500));
      const warm = Deno.memoryUsage().rss;
      let [most, end, peakKb] = [0, 0, 0];
      while (true) {
        const { done, value } = await reader.read();
        if (done) break;
        end = value.timestamp;
        if (end % 100e6 !== 0) continue;
        most = Math.max(most, Deno.memoryUsage().rss);
        const status = await Deno.readTextFile(`/proc/${reading}/status`).catch(() => "");
        peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
      }
      equal((await writer.status).code, 0);
      ok(end > 3599e6, `it ended at ${end}`);
      ok(most - warm < 80e6, `this process grew by ${Math.round((most - warm) / 1e6)} MB`);
      ok(peakKb > 0 && peakKb < 150_000, `ffmpeg had ${peakKb} kB`);
    });
  },
});

Deno.test("readMedia cancels the stream that it reads from, however early it ends", async () => {
  for (const way of ["cancel", "abort"] as const) {
    for (let turns = -1; turns < 6; turns++) {
      let reason: unknown;
      const bytes = new ReadableStream<Uint8Array>({ cancel: (why) => void (reason = why) });
      const abort = new AbortController();
      const reader = readMedia(bytes, { signal: abort.signal }).getReader();
      const read = turns < 0 ? Promise.resolve() : reader.read();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      if (way === "cancel") {
        await Promise.all([reader.cancel("enough"), read]);
      } else {
        abort.abort("enough");
        await read.catch((error) => equal(error, "enough"));
        await until(() => reason !== undefined);
      }
      equal(reason, "enough", `${way} after ${turns} turns`);
    }
  }
  let reason: unknown;
  const bytes = new ReadableStream<Uint8Array>({ cancel: (why) => void (reason = why) });
  await rejects(
    async () => await readMedia(bytes, { signal: AbortSignal.abort("no") }).getReader().read(),
    (error) => error === "no",
  );
  await until(() => reason !== undefined);
  equal(reason, "no");
});
