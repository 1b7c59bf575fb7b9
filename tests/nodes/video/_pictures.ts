import { pixelBytes, type PixelFormat, VideoFrame } from "../../../core/mod.ts";

/** Moving pictures: I420 gradients, 40 ms apart, each a little brighter. */
export function pictures(
  { count = 6, width = 32, height = 16, format = "I420" as PixelFormat, stepUs = 40_000 } = {},
): VideoFrame[] {
  return Array.from({ length: count }, (_, frame) =>
    new VideoFrame({
      data: Uint8Array.from(
        { length: pixelBytes(format, width, height) },
        (_, index) => 40 + (index * 7 + frame * 10) % 160,
      ),
      format,
      codedWidth: width,
      codedHeight: height,
      timestamp: 1_000_000 + frame * stepUs,
      duration: stepUs,
      metadata: { number: frame },
    }));
}

/** Plain grey pictures. */
export function greys(levels: readonly number[], { width = 32, height = 32 } = {}): VideoFrame[] {
  return levels.map((level, index) =>
    new VideoFrame({
      data: new Uint8Array(width * height * 4).fill(level),
      format: "RGBA",
      codedWidth: width,
      codedHeight: height,
      timestamp: index * 40_000,
    })
  );
}

/** Runs ffmpeg on its own over pictures, and gives the bytes that it writes. */
export async function reference(
  frames: readonly VideoFrame[],
  args: readonly string[],
): Promise<Uint8Array> {
  const { codedWidth, codedHeight, format } = frames[0]!;
  const names = { I420: "yuv420p", NV12: "nv12", RGBA: "rgba", BGRA: "bgra", RGBX: "rgb0" };
  const child = new Deno.Command("ffmpeg", {
    args: [
      ...["-nostdin", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", names[format]],
      ...["-s", `${codedWidth}x${codedHeight}`, "-r", "25", "-i", "pipe:0", ...args, "pipe:1"],
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const bytes = new Blob(frames.map(({ data }) => data as Uint8Array<ArrayBuffer>));
  const [{ stdout }] = await Promise.all([child.output(), bytes.stream().pipeTo(child.stdin)]);
  return stdout;
}
