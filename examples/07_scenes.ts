/**
 * 07: the scenes of a video: where they begin, a thumbnail of each, and all of them on one contact sheet.
 * Needs ffmpeg. Without a file it makes a video with cuts that are known.
 */
import { Pipeline, probeMedia, readMedia } from "@remotemedia/sdk";
import { SceneDetector, type SceneNote, Thumbnailer, VideoFilter } from "@remotemedia/sdk/nodes";
import { videoWithCuts } from "./video/video_with_cuts.ts";

const out = "out/07_scenes";
await Deno.mkdir(out, { recursive: true });
const file = Deno.args[0] ?? await videoWithCuts(`${out}/video.mp4`);

const cuts = () =>
  // the first picture of each scene
  readMedia(file, { audio: false, video: { height: 180 } })
    .pipeThrough(new SceneDetector({ emit: "changes", threshold: 0.2, minSceneMs: 500 }));

interface Scene {
  scene: number;
  start: number;
  end: number;
  score: number;
  thumbnail: string;
}

const { duration = 0 } = await probeMedia(file);
const scenes: Scene[] = [];
for await (const { data, timestamp, metadata } of cuts().pipeThrough(new Thumbnailer())) {
  const { index, score } = metadata.scene as SceneNote;
  const thumbnail = `scene_${index + 1}.jpeg`;
  await Deno.writeFile(`${out}/${thumbnail}`, data);
  const start = Math.round(timestamp / 1000) / 1000;
  const last = scenes.at(-1);
  if (last !== undefined) last.end = start;
  scenes.push({ scene: index + 1, start, end: duration, score, thumbnail });
}
await Deno.writeTextFile(`${out}/scenes.json`, `${JSON.stringify(scenes, undefined, 2)}\n`);
console.table(scenes);

const columns = Math.ceil(Math.sqrt(scenes.length));
const rows = Math.ceil(scenes.length / columns);
const sheet = new Pipeline([
  new VideoFilter({
    graph:
      "drawtext=text='%{pts\\:hms}':x=8:y=h-30:fontsize=20:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=5," +
      `tile=${columns}x${rows}:nb_frames=${scenes.length}:padding=8:margin=8:color=0x12171d`,
  }),
  new Thumbnailer(),
]);
for await (const { data } of sheet.run(cuts())) {
  await Deno.writeFile(`${out}/contact_sheet.jpeg`, data);
}
console.log(`Wrote ${out}/scenes.json, ${scenes.length} thumbnails and contact_sheet.jpeg`);
