import { Command } from "commander";
import { Stop } from "./exit_codes.ts";
import { buildPipeline, gather, readManifest } from "./manifest_file.ts";
import { ConfigurationError } from "../core/errors.ts";
import { print, printError } from "./output.ts";
import { ManifestError } from "../core/manifest/manifest_error.ts";

/** `remotemedia validate`. */
export function validateCommand(): Command {
  return new Command("validate")
    .description("Check manifests: form, node types, options, connections; nothing runs")
    .argument("<manifests...>", "YAML or JSON files; - is the standard input")
    .option("--set <node.option=value>", "Replace an option; may be repeated", gather, [])
    .option("--modules", "Also load the modules that the manifests name: runs their code", false)
    .option("--json", "Print what is wrong as JSON", false)
    .action(async (paths: string[], options: ValidateOptions) => {
      let isWrong = false;
      for (const path of paths) isWrong = !await check(path, options) || isWrong;
      if (isWrong) throw new Stop(2);
    });
}

interface ValidateOptions {
  set: string[];
  modules: boolean;
  json: boolean;
}

async function check(path: string, { set, modules, json }: ValidateOptions): Promise<boolean> {
  try {
    const manifest = await readManifest(path, set);
    if (modules) await (await buildPipeline(manifest, path)).close();
    if (json) print(JSON.stringify({ file: path, issues: [] }));
    else {print(
        `${path}: ${manifest.name}, ${manifest.nodes.length} ${
          manifest.nodes.length === 1 ? "node" : "nodes"
        }, right`,
      );}
    return true;
  } catch (error) {
    if (!(error instanceof ManifestError)) {
      if (!(error instanceof ConfigurationError)) throw error;
      // a file that cannot be read does not keep the others from being checked
      if (json) print(JSON.stringify({ file: path, issues: [{ message: error.message }] }));
      else printError(error.message);
    } else if (json) print(JSON.stringify({ file: path, issues: error.issues }));
    else {
      for (const { line, column, message } of error.issues) {
        console.error(`${path}:${line}:${column}: ${message}`);
      }
    }
    return false;
  }
}
