import { deepEqual, equal, ok } from "node:assert/strict";
import { type MediaInput, readMedia, type ReadMediaOptions } from "../../../nodes/io/mod.ts";
import {
  ffmpeg,
  ffprobe,
  inFolder,
  inPieces,
  kindOf,
  samplesOf,
  shiftOf,
  snrDb,
  speech,
} from "./_media.ts";

type AudioOptions = ReadMediaOptions & { video?: undefined };

function read(input: MediaInput, options: AudioOptions = {}) {
  return Array.fromAsync(readMedia(input, options));
}

function readBoth(input: MediaInput, options: ReadMediaOptions = {}) {
  return Array.fromAsync(readMedia(input, { video: {}, ...options }));
}

/** Makes films of a test picture and the speech: for each its name and how it is encoded. */
async function films(
  folder: string,
  ...outputs: [name: string, ...args: string[]][]
): Promise<void> {
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=64x36:rate=25:duration=4"];
  const args = outputs.flatMap(([name, ...more]) => {
    const fast = name.endsWith("webm")
      ? ["-deadline", "realtime", "-c:v", "libvpx"]
      : ["-preset", "ultrafast", "-g", "10"];
    return [...fast, ...more, `${folder}/${name}`];
  });
  await ffmpeg(...picture, "-t", "4", "-i", speech, ...args);
}

/** The times of a stream's frames by ffprobe, in µs from the start of the media. */
async function timesByFfprobe(path: string, stream: "a" | "v"): Promise<number[]> {
  const [[start = "0"] = []] = await ffprobe("-show_entries", "format=start_time", path);
  const frames = await ffprobe("-select_streams", stream, "-show_entries", "frame=pts_time", path);
  const offset = Math.max(0, Number(start));
  return frames.map(([time]) => Math.round((Number(time) - offset) * 1e6));
}

Deno.test("readMedia gives the speech of every format at its time", async () => {
  const original = samplesOf(await read(speech, { duration: 5 }));
  await inFolder(async (folder) => {
    for (
      const name of ["a.mp3", "a.ogg", "a.opus", "a.m4a", "a.mp4", "a.flac", "a.webm", "a.mkv"]
    ) {
      const path = `${folder}/${name}`;
      await ffmpeg("-t", "5", "-i", speech, path);
      const frames = await read(path, { sampleRate: 16_000, channels: 1 });
      const [{ timestamp, numberOfFrames, sampleRate }] = frames as [typeof frames[number]];
      deepEqual([numberOfFrames, sampleRate], [320, 16_000]);
      const [byFfprobe] = await timesByFfprobe(path, "a");
      ok(
        Math.abs(timestamp - byFfprobe!) <= 1,
        `${name} starts at ${timestamp}, not ${byFfprobe} µs`,
      );
      // what is heard at a time is what is heard at that time of the original, to 2 samples
      const lead = Math.round(timestamp * 0.016);
      const shift = shiftOf(samplesOf(frames), original, 400);
      ok(
        Math.abs(shift - lead) <= 2 || name === "a.webm" || name === "a.mkv",
        `${name}: ${shift}, ${lead}`,
      );
      let count = 0;
      for (const frame of frames) {
        equal(frame.timestamp, Math.round(timestamp + count * 1e6 / 16_000));
        count += frame.numberOfFrames;
      }
      ok(count >= 5 * 16_000 - 1 && count < 5.2 * 16_000, `${name}: ${count} samples`);
    }
  });
});

Deno.test("readMedia gives pictures at the times that ffprobe tells, constant or not", async () => {
  const uneven = "select=not(mod(n\\,3))+gt(random(1)\\,0.6)";
  await inFolder(async (folder) => {
    await films(
      folder,
      ["a.mp4"],
      ["b.mp4", "-vf", uneven, "-fps_mode", "vfr"],
      ["c.mkv", "-vf", uneven, "-fps_mode", "vfr"],
      ["d.ts"],
      ["e.webm"],
      ["f.mp4", "-r", "30000/1001"],
    );
    for (const name of ["a.mp4", "b.mp4", "c.mkv", "d.ts", "e.webm", "f.mp4"]) {
      const path = `${folder}/${name}`;
      const frames = await readBoth(path);
      const times = kindOf(frames, "video").map(({ timestamp }) => timestamp);
      const wanted = await timesByFfprobe(path, "v");
      equal(times.length, wanted.length, name);
      for (const [index, time] of times.entries()) {
        ok(Math.abs(time - wanted[index]!) <= 1, `${name}: ${time}, not ${wanted[index]} µs`);
      }
      const [firstAudio] = kindOf(frames, "audio");
      const [wantedAudio] = await timesByFfprobe(path, "a");
      const halfSample = 0.5e6 / firstAudio!.sampleRate + 1;
      ok(
        Math.abs(firstAudio!.timestamp - wantedAudio!) <= halfSample,
        `${name}: ${firstAudio!.timestamp}`,
      );
      // both kinds come ordered by time, as far as the file has them so
      let latest = 0;
      for (const { timestamp } of frames) {
        ok(timestamp > latest - 1e6, `${name}: ${timestamp} came after ${latest}`);
        latest = Math.max(latest, timestamp);
      }
    }
  });
});

Deno.test("readMedia keeps audio where it is beside video: late by an edit list, or early", async () => {
  await inFolder(async (folder) => {
    const picture = ["-f", "lavfi", "-i", "testsrc2=size=64x36:rate=25:duration=3"];
    const late = ["-itsoffset", "1.5", "-t", "1", "-i", speech];
    const names = ["a.mp4", "a.mkv", "a.ts"];
    const outputs = names.flatMap((name) => ["-c:v", "mpeg4", `${folder}/${name}`]);
    await ffmpeg(...picture, ...late, ...outputs);
    for (const name of names) {
      const path = `${folder}/${name}`;
      const frames = await readBoth(path);
      const [audio] = kindOf(frames, "audio");
      const [video] = kindOf(frames, "video");
      const [wantedAudio] = await timesByFfprobe(path, "a");
      const [wantedVideo] = await timesByFfprobe(path, "v");
      const halfSample = 0.5e6 / audio!.sampleRate + 1;
      ok(Math.abs(audio!.timestamp - wantedAudio!) <= halfSample, `${name}: ${audio!.timestamp}`);
      ok(Math.abs(video!.timestamp - wantedVideo!) <= 1, `${name}: ${video!.timestamp}`);
      ok(audio!.timestamp > 1_400_000);
      const [alone] = await read(path);
      ok(
        Math.abs(alone!.timestamp - audio!.timestamp) <= 1,
        `${name}: alone at ${alone!.timestamp}`,
      );
    }
  });
});

Deno.test("readMedia keeps a gap in the audio, and time goes on after it", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/gap.mkv`;
    const gap = "aselect=not(between(t\\,1\\,1.4))";
    await ffmpeg(
      "-t",
      "3",
      "-i",
      speech,
      "-af",
      `asetnsamples=160,${gap}`,
      "-c:a",
      "pcm_s16le",
      path,
    );
    const frames = await read(path, { frameMs: 50 });
    const after = frames.findIndex((frame, index) =>
      index > 0 &&
      frame.timestamp > frames[index - 1]!.timestamp + frames[index - 1]!.duration + 100
    );
    const [last, first] = [frames[after - 1]!, frames[after]!];
    equal(last.timestamp + last.duration, 1_000_000);
    equal(first.timestamp, 1_400_000);
    equal(frames.at(-1)!.timestamp + frames.at(-1)!.duration, 3_000_000);
    const original = samplesOf(await read(speech, { start: 1.4, duration: 1.6 }));
    deepEqual(samplesOf(frames.slice(after)), original);
  });
});

Deno.test("readMedia takes start and duration to the sample and to the picture", async () => {
  await inFolder(async (folder) => {
    await films(folder, ["a.mp4"], ["a.ts"], ["a.webm"]);
    await ffmpeg("-t", "4", "-i", speech, `${folder}/a.mp3`);
    for (const name of ["a.mp4", "a.ts", "a.webm", "a.mp3"]) {
      const path = `${folder}/${name}`;
      const isFilm = name !== "a.mp3";
      const range = { start: 2.3333, duration: 1.1 };
      const options = isFilm ? { video: {} } : {};
      const whole = await Array.fromAsync(readMedia(path, options));
      const part = await Array.fromAsync(readMedia(path, { ...options, ...range }));
      const [from, to] = [2_333_300, 3_433_300];
      const times = kindOf(part, "video").map(({ timestamp }) => timestamp);
      const wanted = kindOf(whole, "video").map(({ timestamp }) => timestamp);
      deepEqual(times, wanted.filter((time) => time >= from && time < to), name);
      const [all, some] = [kindOf(whole, "audio"), kindOf(part, "audio")];
      const rate = all[0]!.sampleRate;
      const half = 0.5e6 / rate + 1;
      ok(Math.abs(some[0]!.timestamp - from) <= half, `${name} starts at ${some[0]!.timestamp}`);
      const samples = samplesOf(some);
      ok(Math.abs(samples.length - 1.1 * rate) <= 1, `${name} has ${samples.length} samples`);
      const at = Math.round((some[0]!.timestamp - all[0]!.timestamp) * rate / 1e6);
      const wantedSamples = samplesOf(all).subarray(at, at + samples.length);
      const shift = shiftOf(samples, wantedSamples, 100);
      // WebM's timestamps are whole milliseconds
      ok(
        Math.abs(shift) <= (name === "a.webm" ? rate / 1000 : 0),
        `${name} is ${shift} samples off`,
      );
      const snr = snrDb(samples, samplesOf(all).subarray(at + shift));
      ok(snr > 40, `${name}: ${snr} dB`);
    }
  });
});

Deno.test("readMedia gives pictures of the size, rate and format that were asked for", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/red.mp4`;
    const red = ["-f", "lavfi", "-i", "color=red:size=64x36:rate=25:duration=1"];
    await ffmpeg(...red, "-pix_fmt", "yuv444p", path);
    const video = { width: 32, height: 18, fps: 10 };
    const colours = { RGBA: [254, 0, 0, 255], BGRA: [0, 0, 254, 255], RGBX: [254, 0, 0] };
    for (const [format, colour] of Object.entries(colours)) {
      const options = { audio: false, video: { ...video, format: format as "RGBA" } } as const;
      const frames = await Array.fromAsync(readMedia(path, options));
      deepEqual(
        frames.map(({ timestamp }) => timestamp),
        Array.from({ length: 10 }, (_, n) => n * 1e5),
      );
      const [{ codedWidth, codedHeight, data, duration }] = frames as [typeof frames[number]];
      deepEqual([codedWidth, codedHeight, duration], [32, 18, 100_000]);
      for (const [index, value] of colour.entries()) {
        ok(Math.abs(data[index]! - value) <= 3, `${format}: ${data.subarray(0, 4)}`);
      }
    }
    const [half] = await Array.fromAsync(readMedia(path, { audio: false, video: { width: 32 } }));
    deepEqual([half!.codedWidth, half!.codedHeight, half!.format], [32, 18, "I420"]);
    ok(Math.abs(half!.data[0]! - 81) <= 2, `the luma of red is ${half!.data[0]}`);
  });
});

Deno.test("readMedia mixes channels alike, natively and through ffmpeg", async () => {
  await inFolder(async (folder) => {
    const gains = "c0=c0|c1=0.5*c0|c2=-0.25*c0|c3=c0|c4=0.1*c0|c5=-0.3*c0";
    for (const from of [1, 2, 6]) {
      const layout = ["", "mono", "stereo", "", "", "", "5.1"][from];
      const pan = `pan=${layout}|${gains.split("|").slice(0, from).join("|")}`;
      const outputs = ["a.wav", "a.flac"].flatMap((name) => ["-af", pan, `${folder}/${name}`]);
      await ffmpeg("-t", "0.5", "-i", speech, ...outputs);
      for (const channels of [1, 2, 3]) {
        const wav = await read(`${folder}/a.wav`, { channels });
        const flac = await read(`${folder}/a.flac`, { channels });
        for (let channel = 0; channel < channels; channel++) {
          const [one, other] = [samplesOf(wav, channel), samplesOf(flac, channel)];
          equal(one.length, other.length);
          const worst = one.reduce(
            (most, sample, n) => Math.max(most, Math.abs(sample - other[n]!)),
            0,
          );
          ok(worst < 1e-4, `${from} to ${channels}: ${worst}`); // ffmpeg's WAV and FLAC are 16 bits
        }
      }
    }
  });
});

Deno.test("readMedia reads bytes as they come, whatever the format", async () => {
  await inFolder(async (folder) => {
    const first = ["-movflags", "+faststart"];
    const large = ["-vf", "noise=alls=100:allf=t", "-crf", "5"]; // a small one has room in ffmpeg's buffer
    await films(folder, ["index_last.mp4", ...large], ["index_first.mp4", ...first], ["a.webm"], [
      "a.ts",
    ]);
    const before = await temporaryFiles();
    for (const name of ["index_last.mp4", "index_first.mp4", "a.webm", "a.ts"]) {
      const path = `${folder}/${name}`;
      const options = { start: 1.5, duration: 2 };
      const wanted = await readBoth(path, options);
      const bytes = await Deno.readFile(path);
      const got = await readBoth(inPieces(bytes, 1000), options);
      for (const kind of ["audio", "video"] as const) {
        const times = kindOf(got, kind).map(({ timestamp }) => timestamp);
        deepEqual(
          times,
          kindOf(wanted, kind).map(({ timestamp }) => timestamp),
          `${name}, ${kind}`,
        );
      }
      const [some, all] = [samplesOf(kindOf(got, "audio")), samplesOf(kindOf(wanted, "audio"))];
      ok(snrDb(all, some) > 40, `${name}: ${snrDb(all, some)} dB`);
    }
    deepEqual(await temporaryFiles(), before);
  });
});

/** What readMedia has put into the system's directory for temporary files. */
async function temporaryFiles(): Promise<string[]> {
  const folder = Deno.env.get("TMPDIR") ?? "/tmp";
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith("remotemedia-") && name.endsWith(".mp4")) names.push(name);
  }
  return names.sort();
}

Deno.test("readMedia reads WAV with compressed samples through ffmpeg", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/adpcm.wav`;
    await ffmpeg("-t", "1", "-i", speech, "-c:a", "adpcm_ms", path);
    for (const input of [path, inPieces(await Deno.readFile(path), 500)]) {
      const samples = samplesOf(await read(input));
      ok(Math.abs(samples.length - 16_000) < 1000, `${samples.length} samples`);
    }
  });
});

Deno.test("readMedia fetches URLs", async () => {
  await inFolder(async (folder) => {
    await ffmpeg("-t", "1", "-i", speech, `${folder}/a.mp3`);
    await films(folder, ["a.mp4"]);
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        if (pathname === "/speech.wav") return new Response((await Deno.open(speech)).readable);
        if (pathname === "/gone.mp3") return new Response("not here", { status: 404 });
        return new Response((await Deno.open(`${folder}${pathname}`)).readable);
      },
    );
    const at = (name: string) => `http://127.0.0.1:${server.addr.port}/${name}`;
    const native = { ffmpeg: "/nowhere/ffmpeg", start: 1, duration: 1 };
    equal(samplesOf(await read(at("speech.wav"), native)).length, 16_000);
    const { length } = samplesOf(await read(new URL(at("a.mp3"))));
    ok(length >= 16_000 && length < 16_000 + 1152, `${length} samples`);
    equal(kindOf(await readBoth(at("a.mp4")), "video").length, 100);
    const fault = await read(at("gone.mp3")).catch(String);
    equal(
      fault,
      `MediaError: Cannot read media from ${at("gone.mp3")} as the server answered 404 Not Found`,
    );
  });
});

Deno.test("readMedia with realtime gives frames no faster than they play", async () => {
  const start = performance.now();
  const late: number[] = [];
  const frames = readMedia(speech, { realtime: true, duration: 0.6, frameMs: 100 });
  for await (const { timestamp } of frames) {
    late.push(performance.now() - start - timestamp / 1000);
  }
  equal(late.length, 6);
  ok(late.every((ms) => ms > -15), `frames came early: ${late}`);
  const reader = readMedia(speech, { realtime: true, frameMs: 5000 }).getReader();
  await reader.read();
  const pending = reader.read();
  await reader.cancel(); // ends the wait for the next frame
  equal((await pending).done, true);
});
