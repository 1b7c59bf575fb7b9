import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { type NutPacket, NutReader } from "../../../nodes/io/ffmpeg/nut_reader.ts";
import { NutWriter } from "../../../nodes/io/ffmpeg/nut_writer.ts";
import { ffmpeg, ffprobe, inFolder, speech } from "./_media.ts";

/** All packets of a file that comes in pieces of one size. */
function packetsOf(file: Uint8Array, size: number): NutPacket[] {
  const reader = new NutReader();
  const packets: NutPacket[] = [];
  for (let at = 0; at < file.length; at += size) {
    packets.push(
      ...reader.push(file.subarray(at, at + size)).map((packet) => ({
        ...packet,
        data: packet.data.slice(),
      })),
    );
  }
  equal(reader.isInside, false);
  return packets;
}

Deno.test("NutReader reads what ffmpeg writes, whatever the pieces it comes in", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a.nut`;
    const picture = ["-f", "lavfi", "-i", "rgbtestsrc=size=33x17:rate=25:duration=1"];
    const codecs = ["-c:v", "rawvideo", "-pix_fmt", "rgba", "-c:a", "pcm_f32le"];
    await ffmpeg("-t", "1", "-i", speech, ...picture, "-map", "1", "-map", "0", ...codecs, path);
    const file = await Deno.readFile(path);
    const packets = packetsOf(file, file.length);
    const probed = await ffprobe("-show_entries", "packet=stream_index,pts_time,size", path);
    deepEqual(
      packets.map((
        { stream, timestampUs, data },
      ) => [stream.kind, Math.round(timestampUs), data.length]),
      probed.map(([index, time, size]) => [
        index === "0" ? "video" : "audio",
        Math.round(Number(time) * 1e6),
        Number(size),
      ]),
    );
    const [video, audio] = ["video", "audio"].map((kind) =>
      packets.find((p) => p.stream.kind === kind)!.stream
    );
    deepEqual([video!.width, video!.height], [33, 17]);
    deepEqual([audio!.sampleRate, audio!.numberOfChannels], [16_000, 1]);
    for (const size of [1, 2, 3, 61, 4096, 65_536]) deepEqual(packetsOf(file, size), packets);
  });
});

Deno.test("NutReader reads frames whose first bytes are left out", async () => {
  // ffmpeg leaves out what frames of some codecs begin with; these begin so
  const file = await ffmpeg(
    ..."-f lavfi -i testsrc2=size=64x36:rate=25:d=1 -c:v mpeg4 -f nut -".split(" "),
  );
  const [first, ...rest] = packetsOf(file, 1000);
  for (const { data } of [first!, ...rest]) deepEqual([...data.subarray(0, 3)], [0, 0, 1]);
});

Deno.test("NutReader refuses what is not NUT", () => {
  throws(() => new NutReader().push(new Uint8Array(100)), /does not begin as NUT/);
  const header = new NutWriter([audio]).header();
  throws(() => new NutReader().push(Uint8Array.of(...header, 5)), /a frame in it is not valid/);
});

const audio = {
  kind: "audio",
  fourcc: "PFD ",
  timeBase: { num: 1, den: 44_100 },
  shape: [44_100, 2],
} as const;

Deno.test("NutWriter writes what ffmpeg and NutReader read", async () => {
  const video = {
    kind: "video",
    fourcc: "RGBA",
    timeBase: { num: 1, den: 1_000_000 },
    shape: [4, 2],
  } as const;
  const writer = new NutWriter([video, audio]);
  const frames = [
    { id: 0, pts: 0, size: 32 },
    { id: 1, pts: 0, size: 8 * 1000 },
    { id: 0, pts: 33_367, size: 32 },
    { id: 1, pts: 2_000_000_000, size: 8 }, // half a day later
    { id: 0, pts: 45_351_473_923, size: 32 },
  ];
  const parts = [writer.header()];
  for (const { id, pts, size } of frames) {
    parts.push(writer.frameHeader(id, pts, size), new Uint8Array(size).fill(pts % 256));
  }
  const file = new Uint8Array(await new Blob(parts).arrayBuffer());
  const packets = packetsOf(file, 100);
  deepEqual(packets.map(({ data }) => data.length), frames.map(({ size }) => size));
  ok(packets.every(({ data }, index) => data.every((byte) => byte === frames[index]!.pts % 256)));
  const times = [0, 0, 33_367, 45_351_473_922.9, 45_351_473_923];
  for (const [index, { timestampUs }] of packets.entries()) {
    ok(Math.abs(timestampUs - times[index]!) < 0.1, `${timestampUs}`);
  }
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.nut`, file);
    const probed = await ffprobe(
      "-show_entries",
      "packet=stream_index,pts,size",
      `${folder}/a.nut`,
    );
    deepEqual(
      probed.map((line) => line.slice(0, 3).map(Number)),
      frames.map(({ id, pts, size }) => [id, pts, size]),
    );
  });
});
