/**
 * 05: a voice agent that can be interrupted. The agent speaks here by espeak-ng; its ears, a speech detector and a
 * recognizer, are on a server. When the user speaks, `interrupt()` drops what the agent still had to say, and
 * AudioFader lets it end without a click.
 *
 * The user is a second voice of espeak-ng, with a headset on. The clock is the sound itself, 20 ms at a time, so the
 * conversation is the same on every machine; `--realtime` lets it take its time.
 *
 * Needs espeak-ng and pocketsphinx (Debian: espeak-ng, pocketsphinx, pocketsphinx-en-us).
 */
import {
  AudioFader,
  AudioFrame,
  map,
  Marker,
  Pipeline,
  Recorder,
  RemoteExecutor,
  SpeechSegmenter,
  VoiceActivityDetector,
  writeMedia,
} from "@remotemedia/sdk";
import { builtinNodes } from "@remotemedia/sdk/nodes";
import { serve } from "@remotemedia/sdk/server";
import { Envelope } from "./demo/envelope.ts";
import { Recognizer, sphinxArgs, type Word } from "./nodes/recognizer.ts";
import { lanesSvg, type Span } from "./pictures/lanes_svg.ts";
import { answerTo, type Turn, User, voice } from "./voice/voices.ts";

const out = "out/05_voice_loop";
const isRealtime = Deno.args.includes("--realtime");
const TICK = 20_000; // µs

// The ears: on a server that offers the recognizer, which runs a program, to whom its policy allows it.
await using server = await serve({
  port: 0,
  nodes: [...builtinNodes, Recognizer],
  policy: { nodes: ["VoiceActivityDetector", "Recognizer"] },
});
await using executor = new RemoteExecutor({ host: "127.0.0.1", port: server.port });
const grammar = new URL("./voice/commands.gram", import.meta.url).pathname;
let hearsSpeech = false;
const ears = new Pipeline([
  new VoiceActivityDetector({ emit: "annotate", minSpeechMs: 100 }, { executor }), // there
  map((frame: AudioFrame) => {
    hearsSpeech ||= frame.metadata.speech === true; // here
    return frame;
  }),
  new SpeechSegmenter({ hangOverMs: 400 }), // here
  new Recognizer({ args: sphinxArgs("-jsgf", grammar) }, { executor }), // there
]);
const microphone = ears.writable.getWriter();
const heard = ears.readable.getReader();

// The mouth: here. The fader is last, right before the loudspeaker.
const mouth = new Pipeline([...voice("en-gb"), new AudioFader({ fadeMs: 20 })]);
const words = mouth.writable.getWriter();
const loudspeaker = mouth.readable.getReader();

// The recording: one channel for each.
await Deno.mkdir(out, { recursive: true });
const recorder = new Recorder({ tracks: ["user", "agent"] });
const written = recorder.readable.pipeTo(writeMedia(`${out}/conversation.wav`));
const tape = recorder.writable.getWriter();

const script = [
  { turn: 0, of: "began", after: 2_200_000, text: "please stop" },
  { turn: 1, of: "ended", after: 600_000, text: "what time is it" },
  { turn: 2, of: "ended", after: 600_000, text: "thank you" },
] as const;
const user = new User();
await user.learn(script);
const silence = new AudioFrame({ data: new Float32Array(320), sampleRate: 16_000 });
const lanes = {
  user: { sound: new Envelope(), spans: [] as Span[] },
  agent: { sound: new Envelope(), spans: [] as Span[] },
};
const marks: { at: number; label: string }[] = [];
const agent: Turn = { turn: -1, began: 0, ended: undefined };
let now = 0;

function tell(what: string): void {
  console.log(`${(now / 1e6).toFixed(2).padStart(5)} s  ${what}`);
}

/** Gives the mouth something to say, and a marker that comes out behind it. */
function say(text: string): void {
  tell(`agent: ${text}`);
  agent.turn++;
  [agent.began, agent.ended] = [now, undefined];
  void words.write(text);
  void words.write(new Marker({ name: "said" }));
  lanes.agent.spans.push({ start: now / 1e6, end: now / 1e6, label: text });
}

/** 20 ms of the loudspeaker; silence once the marker has come. */
async function speak(): Promise<AudioFrame> {
  if (agent.ended !== undefined) return silence;
  const { value } = await loudspeaker.read();
  if (value instanceof AudioFrame) return value;
  agent.ended = now;
  lanes.agent.spans.at(-1)!.end = now / 1e6;
  return silence;
}

/** Lets the ears have 20 ms of the microphone, and gives the words that they made sure of by that. */
async function listen(frame: AudioFrame): Promise<Word[][]> {
  const said: Word[][] = [];
  void microphone.write(frame);
  void microphone.write(new Marker({ name: "tick" })); // all that the frame brings about is before it
  while (true) {
    const { value } = await heard.read();
    if (!Array.isArray(value)) return said;
    said.push(value);
  }
}

const started = performance.now();
say(
  "Good morning. I can tell you the time, and I can tell you the weather of today, of tomorrow, " +
    "and of the whole week, for every town in the country.",
);
const isOver = () => agent.turn === script.length && now > agent.ended! + 500_000;
for (; !isOver(); now += TICK) {
  const text = user.begins(now, agent);
  if (text !== undefined) {
    tell(`user:  ${text}`);
    lanes.user.spans.push({ start: now / 1e6, end: now / 1e6, label: text });
  }
  const [sound, spoken] = [user.frame(silence, now), await speak()];
  const wasQuiet = !hearsSpeech;
  for (const sentence of await listen(sound)) {
    lanes.user.spans.at(-1)!.end = now / 1e6 - 0.4;
    hearsSpeech = false;
    say(answerTo(sentence.map((word) => word.text).join(" ")));
  }
  if (hearsSpeech && wasQuiet && agent.ended === undefined) {
    await mouth.interrupt();
    tell("       the user speaks: interrupt()");
    marks.push({ at: now / 1e6, label: "interrupt()" });
  }
  const tracks = { user: sound, agent: spoken.with({ timestamp: now }) };
  for (const [track, frame] of Object.entries(tracks)) {
    lanes[track as keyof typeof lanes].sound.process(frame);
    await tape.write(frame.with({ metadata: { track } }));
  }
  if (isRealtime) await sleepUntil(started + (now + TICK) / 1000);
}
await Promise.all([
  microphone.close(),
  words.close(),
  tape.close(),
  drain(heard),
  drain(loudspeaker),
]);
await written;

await Deno.writeTextFile(
  `${out}/conversation.svg`,
  lanesSvg({
    title: "A conversation with an interruption",
    note: "ears on a server, mouth here",
    seconds: now / 1e6,
    lanes: Object.entries(lanes).map(([name, { sound, spans }]) => ({
      name,
      peaks: sound.peaks,
      spans,
    })),
    marks,
  }),
);
console.log(`Wrote ${out}/conversation.wav (left: user, right: agent) and conversation.svg`);

async function drain(reader: ReadableStreamDefaultReader<unknown>): Promise<void> {
  while (!(await reader.read()).done);
}

function sleepUntil(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - performance.now())));
}
