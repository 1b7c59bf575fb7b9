import { AudioBuffer, type AudioFrame, AudioTransform, Command } from "@remotemedia/sdk";

/** Speaks text as 20 ms of audio at a time, 16 kHz: three nodes, for the front of a pipeline. */
export function voice(name: string): [Command<AudioFrame>, AudioTransform, AudioBuffer] {
  return [
    new Command<AudioFrame>({
      command: "espeak-ng",
      args: ["-v", name, "-s", "150", "--stdin", "--stdout"],
      lifetime: "chunk",
      input: "text",
      output: "wav",
    }),
    new AudioTransform({ sampleRate: 16_000, channels: 1 }),
    new AudioBuffer({ frameMs: 20 }),
  ];
}

/** What the agent says to what it heard. */
export function answerTo(words: string): string {
  switch (words) {
    case "please stop":
      return "All right. What do you want to know?";
    case "what time is it":
      return "It is ten past nine.";
    case "what is the weather":
      return "It will be sunny.";
    case "thank you":
      return "You are welcome.";
    default:
      return "I did not understand that.";
  }
}

/** Something the user says, and when. */
interface Line {
  /** What of the agent's it answers, from 0. */
  turn: number;
  /** So long after the agent began, or ended, to say that; in µs. */
  after: number;
  /** Which of the two. */
  of: "began" | "ended";
  /** What is said. */
  text: string;
}

/** What the agent says, and when; in µs. */
export interface Turn {
  /** Counts what it says, from 0. */
  turn: number;
  /** When it began. */
  began: number;
  /** When it ended; `undefined` while it goes on. */
  ended: number | undefined;
}

/** The one who talks to the agent, with a headset on: speaks by a script, and gives a microphone's frames. */
export class User {
  readonly #lines: { line: Line; frames: AudioFrame[] }[] = [];
  #speaking: AudioFrame[] = [];

  /** Learns what to say. */
  async learn(script: readonly Line[]): Promise<void> {
    for (const line of script) {
      const [speak, resample, cut] = voice("en-us+f3");
      const frames = ReadableStream.from([line.text])
        .pipeThrough(speak).pipeThrough(resample).pipeThrough(cut);
      this.#lines.push({ line, frames: await Array.fromAsync(frames) });
    }
  }

  /** What to say now, if something: at `now`, in µs. */
  begins(now: number, agent: Turn): string | undefined {
    const next = this.#lines[0];
    if (next === undefined || next.line.turn !== agent.turn) return undefined;
    if (!(now >= agent[next.line.of]! + next.line.after)) return undefined; // nor if it has not ended
    this.#lines.shift();
    this.#speaking = next.frames;
    return next.line.text;
  }

  /** The next 20 ms of the microphone, at `now`. */
  frame(silence: AudioFrame, now: number): AudioFrame {
    return (this.#speaking.shift() ?? silence).with({ timestamp: now });
  }
}
