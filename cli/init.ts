import { Command, Option } from "commander";
import { basename, join, resolve } from "node:path";
import { ConfigurationError } from "../core/errors.ts";
import config from "../deno.json" with { type: "json" };
import { print } from "./output.ts";
import { reasonOf, writeFile } from "./files.ts";

/** `remotemedia init`. */
export function initCommand(): Command {
  return new Command("init")
    .description("Start a project: a node, its test, a manifest and a README that work at once")
    .argument("[folder]", "Where; made if it is not there", ".")
    .addOption(
      new Option("--sdk <folder>", "Use the SDK of a checkout instead of the published one")
        .env("REMOTEMEDIA_SDK"),
    )
    .action(async (folder: string, { sdk }: { sdk?: string }) => {
      const files = filesOf(basename(resolve(folder)), await linkTo(sdk));
      await makeFolder(folder);
      for (const name of Object.keys(files)) {
        const isThere = await Deno.stat(join(folder, name)).then(() => true, () => false);
        if (isThere) {
          throw new ConfigurationError(`Cannot write ${join(folder, name)} as it is there already`);
        }
      }
      for (const [name, text] of Object.entries(files)) {
        await writeFile(join(folder, name), text);
        print(join(folder, name));
      }
    });
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    const isFile = cause instanceof Deno.errors.AlreadyExists ||
      cause instanceof Deno.errors.NotADirectory;
    const reason = isFile ? "a file is in its place" : reasonOf(cause);
    throw new ConfigurationError(`Cannot make the folder ${folder} as ${reason}`, { cause });
  }
}

/** What makes Deno take the package from a folder. @throws {ConfigurationError} if it is not there */
async function linkTo(sdk: string | undefined): Promise<{ links?: string[] }> {
  if (sdk === undefined || sdk === "") return {};
  const folder = resolve(sdk);
  const { name } = await Deno.readTextFile(join(folder, "deno.json")).then(JSON.parse)
    .catch(() => ({}));
  if (name !== config.name) {
    throw new ConfigurationError(`Cannot use the SDK of ${folder} as it holds no ${config.name}`);
  }
  return { links: [folder] };
}

/** The files of a project. */
function filesOf(name: string, link: { links?: string[] }): Record<string, string> {
  const sdk = `jsr:${config.name}@${config.version}`;
  const modules = Object.keys(config.exports).map((path) => path.slice(1))
    .filter((path) => path !== "/cli");
  const project = {
    tasks: {
      remotemedia: `deno run -A ${sdk}/cli`,
      run: `deno run -A ${sdk}/cli run pipeline.yaml`,
      test: "deno test -A",
      check: "deno check",
    },
    imports: Object.fromEntries(modules.map((path) => [config.name + path, sdk + path])),
    ...link,
    unstable: config.unstable,
  };
  return {
    "deno.json": `${JSON.stringify(project, undefined, 2)}\n`,
    "loudness.ts": loudness,
    "loudness_test.ts": loudnessTest,
    "pipeline.yaml": pipeline,
    "README.md": readme(name),
  };
}

const loudness = `import { type AudioFrame, Node } from "@remotemedia/sdk";

/** How loud audio is. */
export interface Reading {
  /** When the frame starts, in µs. */
  timestamp: number;
  /** Root mean square, in dBFS. */
  db: number;
}

/** Measures each frame of audio. */
export class Loudness extends Node<AudioFrame, Reading> {
  static override readonly module = import.meta.url; // where the code lives, so that it can travel

  process(frame: AudioFrame): Reading {
    let sum = 0;
    for (const sample of frame.data) sum += sample * sample;
    return { timestamp: frame.timestamp, db: 10 * Math.log10(sum / frame.data.length + 1e-12) };
  }
}
`;

const loudnessTest = `import { ok } from "node:assert/strict";
import { AudioFrame } from "@remotemedia/sdk";
import { Loudness } from "./loudness.ts";

Deno.test("Loudness of a full square wave is 0 dBFS", async () => {
  const data = Float32Array.from({ length: 160 }, (_, index) => index % 2 === 0 ? 1 : -1);
  const frame = new AudioFrame({ data, sampleRate: 16_000, numberOfChannels: 1, timestamp: 0 });
  const [reading] = await Array.fromAsync(ReadableStream.from([frame]).pipeThrough(new Loudness()));
  ok(Math.abs(reading!.db) < 0.01);
});
`;

const pipeline = `version: 1
name: loudness
nodes:
  - type: AudioTransform
    options: { sampleRate: 16000, channels: 1 }
  - module: ./loudness.ts#Loudness
`;

function readme(name: string): string {
  return `# ${name}

- \`deno task test\` tests the node.
- \`deno task run -i speech.wav -o loudness.csv\` runs \`pipeline.yaml\` over a file.
- \`deno task remotemedia --help\` tells what else there is.
`;
}
