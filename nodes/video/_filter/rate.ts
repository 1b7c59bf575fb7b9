import { variableRateArgs } from "../../io/ffmpeg/version.ts";

/** How this ffmpeg is told to give every picture at its own time. */
export async function everyPictureArgs(): Promise<readonly string[]> {
  return (await variableRateArgs()).map((arg) => arg === "vfr" ? "passthrough" : arg);
}
