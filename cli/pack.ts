import { Command } from "commander";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createBundle } from "../packaging/mod.ts";
import { print } from "./output.ts";

/** `remotemedia pack`. */
export function packCommand(): Command {
  return new Command("pack")
    .description("Package a module with all that it imports, as one file that runs on servers")
    .argument("<module>", "A TypeScript or JavaScript file")
    .option("-o, --output <file>", "Write it there; by default its digest and .rmb")
    .action(async (module: string, { output }: { output?: string }) => {
      const bundle = await createBundle(pathToFileURL(resolve(module)).href);
      const path = output ?? `${bundle.digest}.rmb`;
      await Deno.writeFile(path, bundle.bytes);
      print(`${path}: ${bundle.bytes.length} bytes, exports ${bundle.manifest.exports.join(", ")}`);
    });
}
