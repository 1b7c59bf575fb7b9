import { deepEqual, equal, match, ok } from "node:assert/strict";
import { stringify } from "yaml";
import { Ajv2020 } from "ajv/dist/2020";
import {
  ManifestError,
  manifestJsonSchema,
  NodeRegistry,
  parseManifest,
} from "../../../core/mod.ts";
import { builtinNodes } from "../../../nodes/mod.ts";
import { Add } from "../_nodes.ts";

class Mic extends Add {
  static formats() {
    return { gives: { kinds: ["audio" as const], channels: 2 } };
  }
}
class Mono extends Add {
  static formats() {
    return { accepts: { kinds: ["audio" as const], channels: 1 }, passes: true };
  }
}
class Same extends Add {
  static formats() {
    return { passes: true };
  }
}
class Upper extends Add {
  static formats() {
    return { accepts: { kinds: ["text" as const] } };
  }
}

const registry = new NodeRegistry([...builtinNodes, Mic, Mono, Same, Upper]);

/** What is wrong with a text. */
function faultOf(text: string): ManifestError {
  try {
    parseManifest(text, { registry, file: "p.yaml" });
  } catch (error) {
    ok(error instanceof ManifestError, `${error instanceof Error ? error.stack : error}`);
    return error;
  }
  throw new Error(`It was not refused:\n${text}`);
}

const good = {
  version: 1,
  name: "speech",
  nodes: [
    { id: "mono", type: "AudioTransform", options: { channels: 1, sampleRate: 16_000 } },
    { id: "frames", type: "AudioBuffer", options: { frameMs: 20 }, executor: "gpu" },
    {
      id: "vad",
      type: "VoiceActivityDetector",
      options: { engine: "energy", threshold: 0.5, emit: "segments" },
      queue: { size: 8, overflow: "drop-oldest" },
    },
    { id: "log", type: "Tap", options: { level: "info", every: 10 }, concurrency: 1 },
  ],
  connections: [
    { from: "mono", to: "frames" },
    { from: "frames", to: "vad", policy: "drop-newest", size: 4 },
    { from: "vad", to: "log" },
  ],
  executors: { gpu: { host: "gpu.internal", port: 50_052, tls: false, token: "${TOKEN}" } },
  input: "mono",
  output: "log",
};

type Json = unknown[] | Record<string, unknown>;

/** Every place in the manifest. */
function* placesOf(value: unknown, path: (string | number)[] = []): Generator<(string | number)[]> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    yield* placesOf(item, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

/** A copy, broken at one place. */
function brokenAt(path: readonly (string | number)[], change: (holder: Json, key: never) => void) {
  const copy = structuredClone(good);
  const holder = path.slice(0, -1).reduce<Json>((at, key) => at[key as never] as Json, copy);
  change(holder, path.at(-1) as never);
  return stringify(copy);
}

/** Changes each of which breaks any place where it is made, but for those that are let out. */
const changes: Record<string, (holder: Json, key: never) => boolean | void> = {
  "becomes a list in a list": (holder, key) => void ((holder as never[])[key] = [[]] as never),
  "becomes a number that nothing allows": (holder, key) =>
    void ((holder as never[])[key] = -12.5 as never),
  "becomes an empty text": (holder, key) => void ((holder as never[])[key] = "" as never),
  "has its key misspelt": (holder, key) => {
    if (Array.isArray(holder)) return false;
    holder[`${key}x`] = holder[key];
    delete holder[key];
  },
  "gets a letter more": (holder, key) => {
    const value = (holder as unknown[])[key];
    if (typeof value !== "string") return false;
    (holder as unknown[])[key] = `${value}x`;
  },
};

/** Where another text is as good. */
const free = /^(name|executors\.gpu\.host|executors\.gpu\.hostx)$/;

Deno.test("200 broken manifests are refused, each with a position and a sentence", () => {
  equal(parseManifest(stringify(good), { registry }).nodes.length, 4);
  let count = 0;
  for (const path of placesOf(good)) {
    for (const [what, change] of Object.entries(changes)) {
      if (what === "gets a letter more" && free.test(path.join("."))) continue;
      let isApplied = true;
      const text = brokenAt(
        path,
        (holder, key) => void (isApplied = change(holder, key) !== false),
      );
      if (!isApplied) continue;
      const { message, issues } = faultOf(text);
      match(message, /^p\.yaml:\d+:\d+: Cannot /, `${path.join(".")} ${what}`);
      ok(
        !/\n|undefined|\bat .*\.ts:|\[object/.test(message),
        `${path.join(".")} ${what}: ${message}`,
      );
      const lines = text.split("\n");
      for (const { line, column } of issues) {
        ok(line >= 1 && line <= lines.length && column <= lines[line - 1]!.length + 1, message);
      }
      count++;
    }
  }
  ok(count >= 200, `only ${count}`);
});

Deno.test("Manifests cut off or damaged anywhere are refused in a sentence or still right", () => {
  const text = stringify(good);
  for (let at = 0; at < text.length; at += 7) {
    for (const damaged of [text.slice(0, at), `${text.slice(0, at)}\t%{${text.slice(at)}`]) {
      try {
        parseManifest(damaged, { registry, file: "p.yaml" });
      } catch (error) {
        ok(error instanceof ManifestError, `${error}`);
        match(error.message, /^p\.yaml:\d+:\d+: Cannot [^\n]+$/);
      }
    }
  }
});

const cases: [name: string, text: string, message: string | RegExp][] = [
  [
    "a type misspelt",
    "version: 1\nnodes:\n  - { type: AudioTransfrom }",
    "p.yaml:3:13: Cannot find node type AudioTransfrom: did you mean AudioTransform?",
  ],
  [
    "an option misspelt",
    "version: 1\nnodes:\n  - type: VoiceActivityDetector\n    options: { treshold: 1 }",
    "p.yaml:4:16: Cannot create VoiceActivityDetector as there is no option treshold: did you mean threshold?",
  ],
  [
    "an option out of range",
    "version: 1\nnodes:\n  - { id: vad, type: VoiceActivityDetector, options: { threshold: 2 } }",
    "p.yaml:3:67: Cannot create vad as option threshold must be a number from 0 to 1: current value is 2",
  ],
  [
    "an option that is none of those allowed",
    "version: 1\nnodes:\n  - { type: VoiceActivityDetector, options: { engine: silro } }",
    'p.yaml:3:55: Cannot create VoiceActivityDetector as option engine must be one of silero, energy: current value is "silro": did you mean silero?',
  ],
  ["no nodes", "version: 1\n", /^p\.yaml:1:1: Cannot read manifest as nodes is missing/],
  [
    "another version",
    "version: 2\nnodes: [{ type: Tap }]",
    /^p\.yaml:1:10: .* version must be 1: current value is 2/,
  ],
  ["nothing", "", /^p\.yaml:1:1: Cannot read manifest/],
  [
    "two of one id",
    "version: 1\nnodes: [{ id: a, type: Tap }, { id: a, type: Tap }]",
    /a is there twice/,
  ],
  [
    "a cycle",
    "version: 1\nnodes: [{ id: a, type: Tap }, { id: b, type: Tap }]\nconnections:\n- { from: a, to: b }\n- { from: b, to: a }",
    "p.yaml:5:3: Cannot build graph with a cycle: a -> b -> a",
  ],
  [
    "neighbours that do not fit",
    "version: 1\nnodes:\n- { id: mic, type: Mic }\n- { id: same, type: Same }\n- { id: vad, type: Mono }",
    "p.yaml:5:3: Cannot connect same to vad as vad needs 1 channel, same gives 2: insert AudioTransform with channels 1",
  ],
  [
    "text for audio",
    "version: 1\nnodes:\n- { id: mic, type: Mic }\n- { id: up, type: Upper }",
    /^p\.yaml:4:3: Cannot connect mic to up as up needs text, mic gives audio/,
  ],
  [
    "built-in neighbours that do not fit",
    "version: 1\nnodes:\n- { id: vad, type: VoiceActivityDetector }\n- { type: PassThrough }\n- { id: mono, type: AudioTransform, options: { channels: 1 } }\n- { id: up, type: TextTransform }",
    /^p\.yaml:6:3: Cannot connect mono to up as up needs text, mono gives audio/,
  ],
  [
    "a secret",
    "version: 1\nnodes: [{ type: Tap }]\nexecutors: { a: { token: abc } }",
    /^p\.yaml:3:26: .*a secret does not belong into a manifest/,
  ],
  ["a key twice", "version: 1\nversion: 1\nnodes: [{ type: Tap }]", /^p\.yaml:2:1: .*[Uu]nique/],
  ["an unknown tag", "version: 1\nnodes: !!js/function x", /^p\.yaml:2:8: /],
  ["deep nesting", `version: 1\nnodes: ${"[".repeat(20_000)}`, /^p\.yaml:1:1: .*64 deep/],
  [
    "a nest of aliases",
    "a: &a [x,x,x,x,x,x,x,x,x]\n" +
    [..."bcdefgh"].map((name, index) =>
      `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[index]}`)}]\n`
    ).join(""),
    /^p\.yaml:1:1: .*alias/i,
  ],
  ["a huge text", `version: 1 # ${"x".repeat(2 ** 20)}`, /at most 1048576 characters/],
];

for (const [name, text, expected] of cases) {
  Deno.test(`Manifest with ${name} is refused`, () => {
    const { message } = faultOf(text);
    if (typeof expected === "string") equal(message, expected);
    else match(message, expected);
  });
}

Deno.test("Manifest tells all that is wrong, in the order of the text", () => {
  const { issues, message } = faultOf(
    "version: 1\nnodes:\n- { type: Tapp }\n- { type: Tap, options: { evry: 1 } }\n- { type: Tap, executor: x }",
  );
  deepEqual(issues.map(({ line }) => line), [3, 4, 5]);
  match(message, /\(and 2 more\)$/);
});

Deno.test("manifestJsonSchema takes what parseManifest takes, and refuses what it refuses", () => {
  const validate = new Ajv2020({ strict: false }).compile(manifestJsonSchema(registry));
  ok(validate(good), JSON.stringify(validate.errors));
  const bad = structuredClone(good);
  bad.nodes[2]!.options.threshold = 2;
  ok(!validate(bad));
  ok(!validate({ ...good, version: 2 }));
  ok(!validate({ ...good, nodes: [{ type: "Nope" }] }));
});

Deno.test("Manifest with a node that does not say what it gives may fit", () => {
  const text =
    "version: 1\nnodes:\n- { id: mic, type: Mic }\n- { id: same, type: PassThrough }\n- { id: vad, type: Mono }";
  parseManifest(text, { registry }); // PassThrough does not say what it gives, so it may fit
});

Deno.test("What is special in YAML is refused in plain words where it stands", () => {
  const cases: [text: string, place: string, message: RegExp][] = [
    ["version: 1\nnodes: []\n---\nversion: 1\n", "3:1", /it holds several documents/],
    ["version: 1\nnodes: [*x, &x { type: Tap }]\n", "2:9", /Alias \*x has no anchor &x before it/],
    [
      "version: 1\nnodes:\n  - &a { type: Tap }\n  - { <<: *a, id: b }\n",
      "4:7",
      /no field << in nodes\[1\]: YAML 1\.2 merges nothing/,
    ],
  ];
  for (const [text, place, message] of cases) {
    const { issues: [issue] } = faultOf(text);
    equal(`${issue!.line}:${issue!.column}`, place, text);
    match(issue!.message, message);
  }
});
