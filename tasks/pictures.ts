/** Runs the examples that make a picture or a sound, and copies what they made to `docs/images/`. */
import { ensurePrograms } from "./system_packages.ts";

/** What each command leaves, and what it is called in the documentation. */
const made: readonly (readonly [command: string, left: string, image: string])[] = [
  ["examples/demo/main.ts", "out/demo/timeline.svg", "01_speech.svg"],
  ["examples/05_voice_loop.ts", "out/05_voice_loop/conversation.svg", "05_conversation.svg"],
  ["examples/06_subtitles.ts", "out/06_subtitles/subtitles.svg", "06_subtitles.svg"],
  ["examples/07_scenes.ts", "out/07_scenes/contact_sheet.jpeg", "07_contact_sheet.jpeg"],
  ["examples/08_live_speech.ts broadcast 9", "out/08_live_speech/live.svg", "08_live.svg"],
  ["examples/09_two_executors.ts", "out/09_two_executors/moments.svg", "09_moments.svg"],
  [
    "cli.ts graph examples/10_manifest.yaml -o out/10_graph.svg",
    "out/10_graph.svg",
    "10_graph.svg",
  ],
];

/** Pipelines of examples that print only text, to be drawn. */
const drawn: Record<string, string> = {
  "02_remote_node.svg": `version: 1
name: remote_node
nodes:
  - { id: VoiceActivityDetector, type: VoiceActivityDetector, executor: server }
executors: { server: { host: 127.0.0.1, port: 50052 } }`,
  "03_own_node.svg": `version: 1
name: own_node
nodes:
  - { id: Loudness, module: "./nodes/loudness.ts#Loudness", executor: server }
executors: { server: { host: 127.0.0.1, port: 50052 } }`,
};

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success } = await new Deno.Command(program, {
    args: [...args],
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
}

if (import.meta.main) {
  await ensurePrograms(["ffmpeg", "espeak-ng", "pocketsphinx_continuous"]);
  await Deno.mkdir("docs/images", { recursive: true });
  for (const [command, left, image] of made) {
    await run(Deno.execPath(), ["run", "-A", ...command.split(" ")]);
    await Deno.copyFile(left, `docs/images/${image}`);
    console.log(`docs/images/${image}`);
  }
  for (const [image, manifest] of Object.entries(drawn)) {
    const path = `out/${image}.yaml`;
    await Deno.writeTextFile(path, manifest);
    const args = ["graph", path, "-o", `docs/images/${image}`];
    await run(Deno.execPath(), ["run", "-A", "cli.ts", ...args]);
    console.log(`docs/images/${image}`);
  }
  const sound = "docs/images/05_conversation.mp3";
  const wav = "out/05_voice_loop/conversation.wav";
  await run("ffmpeg", [
    "-v",
    "error",
    "-y",
    "-i",
    wav,
    "-b:a",
    "32k",
    "-map_metadata",
    "-1",
    sound,
  ]);
  console.log(sound);
}
