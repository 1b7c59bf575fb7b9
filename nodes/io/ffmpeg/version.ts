import { programOf } from "./tool.ts";

const known = new Map<string, Promise<readonly string[]>>();

/**
 * How an ffmpeg is told to keep the times of pictures: the option has another name before version 5.1. Each
 * program is asked once.
 */
export function variableRateArgs(
  program: string = programOf("ffmpeg"),
): Promise<readonly string[]> {
  let args = known.get(program);
  if (args === undefined) known.set(program, args = ask(program));
  return args;
}

async function ask(program: string): Promise<readonly string[]> {
  try {
    const { stdout } = await new Deno.Command(program, { args: ["-version"], stdin: "null" })
      .output();
    const match = /^ffmpeg version n?(\d+)\.(\d+)/.exec(new TextDecoder().decode(stdout));
    const isOld = match !== null && 100 * Number(match[1]) + Number(match[2]) < 501;
    return isOld ? ["-vsync", "vfr"] : ["-fps_mode", "vfr"];
  } catch {
    known.delete(program);
    return ["-fps_mode", "vfr"]; // starting it to encode tells why it does not start
  }
}
