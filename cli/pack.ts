import { Command } from "commander";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createBundle } from "../packaging/mod.ts";
import { print } from "./output.ts";
import { writeFile } from "./files.ts";

interface PackOptions {
  output?: string;
  include?: string[];
  config?: string;
  check: boolean;
}

/** `remotemedia pack`. */
export function packCommand(): Command {
  return new Command("pack")
    .description("Package a module with all that it imports, as one file that runs on servers")
    .argument("<module>", "A TypeScript or JavaScript file")
    .option("-o, --output <file>", "Write it there; by default its digest and .rmb")
    .option(
      "-i, --include <file...>",
      "Data files, folders and patterns beside the module to take along",
    )
    .option("--config <file>", "A deno.json to take instead of the one beside the module")
    .option("--no-check", "Leave types unchecked")
    .action(async (module: string, { output, ...options }: PackOptions) => {
      const bundle = await createBundle(pathToFileURL(resolve(module)).href, options);
      const path = output ?? `${bundle.digest}.rmb`;
      await writeFile(path, bundle.bytes);
      print(`${path}: ${bundle.bytes.length} bytes, exports ${bundle.manifest.exports.join(", ")}`);
    });
}
