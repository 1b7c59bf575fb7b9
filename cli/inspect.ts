import { Command } from "commander";
import { reasonOf } from "./files.ts";
import { openBundle } from "../packaging/mod.ts";
import { probeMedia } from "../nodes/mod.ts";
import { print } from "./output.ts";

/** `remotemedia inspect`. */
export function inspectCommand(): Command {
  return new Command("inspect")
    .description("Tell what a media file or a bundle (.rmb) is, as JSON")
    .argument("<file>", "Media, or what pack made")
    .action(async (file: string) => {
      const what = file.endsWith(".rmb")
        ? (await openBundle(await read(file))).manifest
        : await probeMedia(file);
      print(JSON.stringify(what, undefined, 2));
    });
}

async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    throw new Error(`Cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}
