import { agreedLength, type HeardWord, overlapEnd } from "./_hypotheses.ts";

/** Words that are remembered to find the border: more than any window repeats. */
const REMEMBERED = 64;

/** How far a word's time may differ from one hypothesis to the next, in µs. */
const TIME_SLACK = 100_000;

/**
 * Makes one transcript of the hypotheses for a window that grows and moves on. A word is final once two hypotheses
 * in a row agree on it and on all before it: LocalAgreement-2 (Macháček, Dabre, Bojar: Turning Whisper into
 * Real-Time Transcription System, 2023). Words of a new window that were final already are found by their times, where
 * the model tells them, else as the longest common run of words, and are not said again.
 *
 * It remembers the last 64 final words and one hypothesis, which the window bounds.
 */
export class TranscriptStitcher {
  #said: HeardWord[] = [];
  #pending: HeardWord[] = [];
  /** Final words that the window still has at its start; an estimate after the window was moved by force. */
  #inWindow = 0;
  #isEstimate = false;

  /** What the last hypothesis has beyond the final words. */
  get pending(): readonly HeardWord[] {
    return this.#pending;
  }

  /** The last final word. */
  get last(): HeardWord | undefined {
    return this.#said.at(-1);
  }

  /** Takes a hypothesis for the whole window. @returns the words that it makes final */
  push(hypothesis: readonly HeardWord[]): HeardWord[] {
    const fresh = this.#fresh(hypothesis);
    const agreed = fresh.slice(0, agreedLength(this.#pending, fresh));
    this.#pending = fresh.slice(agreed.length);
    this.#say(agreed);
    return agreed;
  }

  /** Takes the last hypothesis for a window: all of it is final. */
  finish(hypothesis: readonly HeardWord[]): HeardWord[] {
    const fresh = this.#fresh(hypothesis);
    this.#pending = [];
    this.#say(fresh);
    return [...fresh];
  }

  /** The window goes on behind the last final word. */
  moveToLast(): void {
    this.#inWindow = 0;
    this.#isEstimate = false;
  }

  /**
   * The window is full, and goes on with its last part: words before the middle of that are final, for a word at
   * either border may be cut in half. Where a word is goes by the letters before it.
   *
   * @param share of the window that stays, 0 to 1
   */
  advance(hypothesis: readonly HeardWord[], share: number): HeardWord[] {
    const fresh = this.#fresh(hypothesis);
    const known = hypothesis.length - fresh.length;
    const words = fresh.slice(0, Math.max(0, wordsBefore(hypothesis, 1 - share / 2) - known));
    this.#say(words);
    this.#pending = fresh.slice(words.length);
    this.#inWindow = Math.max(0, known + words.length - wordsBefore(hypothesis, 1 - share));
    this.#isEstimate = true;
    return words;
  }

  #say(words: readonly HeardWord[]): void {
    this.#said = [...this.#said, ...words].slice(-REMEMBERED);
    this.#inWindow += words.length;
  }

  /** The words of a hypothesis that are not final yet. */
  #fresh(hypothesis: readonly HeardWord[]): readonly HeardWord[] {
    const { end: lastEnd } = this.last ?? {};
    if (this.last === undefined) return hypothesis;
    if (lastEnd !== undefined && hypothesis.every(({ start }) => start !== undefined)) {
      const later = hypothesis.filter(({ start }) => start! >= lastEnd - TIME_SLACK);
      return later.slice(overlapEnd(this.#said, later, { expected: 1, slack: 4, longest: 5 }));
    }
    if (this.#inWindow === 0 && !this.#isEstimate) return hypothesis;
    const slack = this.#isEstimate ? 5 : 3;
    const end = overlapEnd(this.#said, hypothesis, { expected: this.#inWindow, slack });
    return hypothesis.slice(end > 0 ? end : this.#inWindow);
  }
}

/** How many words end within the first share of the letters. */
function wordsBefore(words: readonly HeardWord[], share: number): number {
  const letters = words.reduce((all, { text }) => all + text.trim().length + 1, 0);
  let [count, end] = [0, 0];
  for (const { text } of words) {
    end += text.trim().length + 1;
    if (end - 1 > share * letters) break;
    count++;
  }
  return count;
}
