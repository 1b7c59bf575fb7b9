import type { AudioFrame, NodeConfig } from "@remotemedia/sdk";
import { Command, type CommandOptions } from "@remotemedia/sdk/nodes";

/** A word that was heard, and when. */
export interface Word {
  /** The word. */
  text: string;
  /** Where it starts, in µs. */
  start: number;
  /** Where it ends, in µs. */
  end: number;
}

/** Arguments with which the recognizer reads sound from its input and tells the time of each word. */
export function sphinxArgs(...more: string[]): string[] {
  return ["-infile", "/dev/stdin", "-time", "yes", "-logfn", "/dev/null", ...more];
}

/**
 * Hears words with `pocketsphinx_continuous`, a small recognizer of English: a node made of another one. Takes a
 * stretch of speech at 16 kHz, one channel, and gives a list of its words; an empty one if it understood none.
 */
export class Recognizer extends Command<Word[]> {
  /** The name of the type. */
  static override readonly type = "Recognizer" as "Command";

  constructor(options: Partial<CommandOptions> = {}, config: NodeConfig = {}) {
    super({
      command: "pocketsphinx_continuous",
      args: sphinxArgs(),
      lifetime: "chunk",
      input: "audio",
      output: "lines",
      ...options,
    }, config);
  }

  override async *process(speech: AudioFrame): AsyncGenerator<Word[]> {
    const words: Word[] = [];
    for await (const line of super.process(speech) as AsyncGenerator<unknown>) {
      // "hearted(2) 15.850 16.310 0.884074"; silence and noise stand in <…> and […]
      const parts = /^([a-z'.-]+)(?:\(\d+\))? ([\d.]+) ([\d.]+) [\d.]+$/.exec(String(line));
      if (parts === null) continue;
      const at = (seconds: string) => speech.timestamp + Math.round(1e6 * Number(seconds));
      words.push({ text: parts[1]!, start: at(parts[2]!), end: at(parts[3]!) });
    }
    yield words;
  }
}
