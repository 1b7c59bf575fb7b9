import { deepEqual, equal, match, ok } from "node:assert/strict";
import { probeMedia, readMedia } from "../../mod.ts";
import { knownCuts } from "../../examples/video/video_with_cuts.ts";
import { exampleTest, near, root } from "./_example.ts";

const recording = JSON.parse(await Deno.readTextFile(`${root}tests/testdata/conversation.json`));
const sentences: [start: number, end: number][] = recording.sileroSegmentsSeconds.v6;

/** The entries of a subtitle file, times in seconds. */
function entriesOf(text: string): { start: number; end: number; text: string }[] {
  const time = (clock: string) => {
    const [hours, minutes, seconds] = clock.replace(",", ".").split(":").map(Number);
    return hours! * 3600 + minutes! * 60 + seconds!;
  };
  const form = /^\d+\n([\d:.,]+) --> ([\d:.,]+)\n(.+)$/gm;
  return [...text.matchAll(form)].map(([, start, end, words]) => ({
    start: time(start!),
    end: time(end!),
    text: words!,
  }));
}

exampleTest(
  "writes subtitles whose times are those of the speech",
  { example: "06_subtitles.ts", needs: ["pocketsphinx_continuous"] },
  async ({ read }) => {
    const srt = await read("out/06_subtitles/subtitles.srt");
    const vtt = await read("out/06_subtitles/subtitles.vtt");
    const entries = entriesOf(srt);
    deepEqual(entriesOf(vtt), entries);
    match(vtt, /^WEBVTT\n\n1\n/);
    for (const { start, end, text } of entries) {
      const isInSpeech = sentences.some(([from, to]) => from - 0.25 < start && end < to + 0.25);
      ok(isInSpeech && start < end && text.length <= 42, `${start} to ${end}: ${text}`);
    }
    for (const [from, to] of sentences) {
      ok(entries.some(({ start }) => near(start, from, 0.25)), `none begins at ${from}`);
      ok(entries.some(({ end }) => near(end, to, 0.25)), `none ends at ${to}`);
    }
    const said: string[] = recording.transcripts.flatMap((line: string) => line.split(" "));
    const heard = new Set(entries.flatMap(({ text }) => text.split(" ")));
    const found = said.filter((word) => heard.has(word)).length;
    ok(found > said.length * 0.6, `${found} of ${said.length} words were heard`);
    match(await read("out/06_subtitles/subtitles.svg"), /young/);
  },
);

exampleTest(
  "finds the cuts that are known, and makes a thumbnail of each and a contact sheet",
  { example: "07_scenes.ts", needs: ["ffmpeg"] },
  async ({ folder, read }) => {
    const scenes = JSON.parse(await read("out/07_scenes/scenes.json")) as {
      start: number;
      end: number;
      thumbnail: string;
    }[];
    deepEqual(scenes.map(({ start }) => start), knownCuts);
    deepEqual(scenes.map(({ end }) => end), [...knownCuts.slice(1), 9]);
    for (const { thumbnail } of scenes) {
      const { video } = await probeMedia(`${folder}/out/07_scenes/${thumbnail}`);
      deepEqual([video?.codedWidth, video?.codedHeight], [320, 180]);
    }
    const sheet = `${folder}/out/07_scenes/contact_sheet.jpeg`;
    const [frame] = await Array.fromAsync(
      readMedia(sheet, { audio: false, video: { format: "RGBA" } }),
    );
    deepEqual([frame!.codedWidth, frame!.codedHeight], [664, 384]);
    const pixel = (
      x: number,
      y: number,
    ) => [...frame!.data.subarray(4 * (664 * y + x), 4 * (664 * y + x) + 3)];
    const [red, , blue] = pixel(650, 368); // the last scene's corner is orange
    ok(red! > 200 && blue! < 120, `${pixel(650, 368)}`);
    ok(pixel(2, 2).every((value) => value < 50), "a dark margin is around them");
  },
);

exampleTest(
  "hears a broadcast of ffmpeg while it is sent",
  { example: "08_live_speech.ts", args: ["broadcast", "5"], needs: ["ffmpeg"] },
  async ({ out, read }) => {
    const told = [...out.matchAll(/^([\d.]+) s {2}speech (\w+), told (\d+) ms later$/gm)];
    deepEqual(told.map(([, , what]) => what), ["begins", "ends"]);
    const [start, end] = sentences[0]!;
    ok(near(Number(told[0]![1]), start, 0.15), out);
    ok(near(Number(told[1]![1]), end, 0.15), out);
    // 0.3 s and 0.6 s where nothing else runs; at its end the recording would be told 3.7 s late
    for (const [line, , , late] of told) ok(Number(late) > 50 && Number(late) < 3000, line);
    match(await read("out/08_live_speech/live.svg"), /told/);
  },
);

exampleTest(
  "has two servers work on one stream, and joins by time what they find",
  { example: "09_two_executors.ts" },
  async ({ out, read }) => {
    const [, speech, pauses] = out.match(/speech (\S+) dBFS, pauses (\S+) dBFS/)!.map(Number);
    ok(near(speech!, -24.7, 1) && near(pauses!, -56.2, 3), out);
    const ports = [...out.matchAll(/^port (\d+): 209 frames/gm)].map(([, port]) => port);
    equal(new Set(ports).size, 2, out);
    const picture = await read("out/09_two_executors/moments.svg");
    equal(picture.match(/>speech</g)?.length, 3);
  },
);

exampleTest(
  "gives from code what the command line gives, and is drawn by it",
  { example: "10_manifest.ts" },
  async ({ out, folder, read }) => {
    const cli = async (...args: string[]) => {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", `--config=${root}deno.json`, `${root}cli.ts`, ...args],
        cwd: folder,
        stderr: "piped",
      }).output();
      equal(code, 0, new TextDecoder().decode(stderr));
    };
    const manifest = `${root}examples/10_manifest.yaml`;
    await Promise.all([
      cli("run", manifest, "-i", `${root}tests/testdata/conversation.wav`, "-o", "all.jsonl"),
      cli("graph", manifest, "-o", "graph.svg"),
    ]);
    const lines = out.trim().split("\n");
    deepEqual((await read("all.jsonl")).trim().split("\n").sort(), lines.toSorted());
    const results = lines.map((line) => JSON.parse(line) as Record<string, number>);
    equal(results.filter(({ db }) => db !== undefined).length, 21); // one a second
    const found = results.filter(({ segment }) => segment !== undefined);
    deepEqual(found.map(({ start, end }) => [start! / 1e6, end! / 1e6]), sentences);
    const picture = await read("graph.svg");
    for (const id of ["mono", "speech", "level", "readable"]) match(picture, new RegExp(`>${id}<`));
  },
);
