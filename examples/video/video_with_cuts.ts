/** The scenes of the test video: an ffmpeg source each, and how long it is shown, in seconds. */
const scenes: readonly (readonly [source: string, seconds: number])[] = [
  ["testsrc2", 2],
  ["mandelbrot", 3],
  ["smptehdbars", 1.6],
  ["gradients=c0=0x0b67c2:c1=0xfb923c:nb_colors=2:x0=0:y0=0:x1=319:y1=179:seed=1", 2.4],
];

/** Where its scenes begin, in seconds. */
export const knownCuts: readonly number[] = scenes.map((_, index) =>
  scenes.slice(0, index).reduce((sum, [, seconds]) => sum + seconds, 0)
);

/** Makes a video of 320 × 180 pixels, 9 s long, whose cuts are known; gives its path. */
export async function videoWithCuts(path: string): Promise<string> {
  const inputs = scenes.flatMap(([source, seconds]) => {
    const separator = source.includes("=") ? ":" : "=";
    return [
      "-f",
      "lavfi",
      "-t",
      String(seconds),
      "-i",
      `${source}${separator}size=320x180:rate=25`,
    ];
  });
  const joined = `${
    scenes.map((_, index) => `[${index}:v]format=yuv420p,setsar=1[v${index}];`).join("")
  }${scenes.map((_, index) => `[v${index}]`).join("")}concat=n=${scenes.length}:v=1[v]`;
  const { success, stderr } = await new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-y", ...inputs, "-filter_complex", joined, "-map", "[v]", path],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot make ${path}: ${new TextDecoder().decode(stderr).trim()}`);
  return path;
}
