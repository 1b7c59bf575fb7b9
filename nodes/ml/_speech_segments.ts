/** When a run of windows counts as speech; lengths in samples. */
export interface SegmentRules {
  /** Samples of each window. */
  windowSize: number;
  /** From this probability on a window is speech. */
  threshold: number;
  /** Below it a window is silence; between the two nothing changes. */
  negativeThreshold: number;
  /** Speech that is not longer is dropped. */
  minSpeech: number;
  /** Silence that is shorter does not end speech. */
  minSilence: number;
  /** Added at both ends. */
  pad: number;
  /** Speech that gets longer is cut; `Infinity` for never. */
  maxSpeech: number;
  /** How long after `minSilence` windows between the thresholds may leave open whether speech has ended. */
  doubt: number;
  /** Of speech that is too long, the last pause longer than this is where it is cut. */
  cutPause: number;
}

/** The next stretch of which it is known whether it is speech. Stretches follow each other without a gap. */
export interface Span {
  /** First sample. */
  start: number;
  /** Sample after the last; a segment's last stretch may be empty. */
  end: number;
  /** The number of its segment, if it is speech; of the next otherwise. */
  segment: number;
  /** Whether it is speech. */
  speech: boolean;
  /** At the end of a segment: the mean probability of its windows, without the padding. */
  ended?: number;
}

/** The start of a window, and the sum of all probabilities before it. */
interface Mark {
  window: number;
  sum: number;
}

/** State of {@linkcode SpeechSegments}: a structured-clonable value. */
export interface SegmentsState {
  /** All windows so far. */
  now: Mark;
  /** Speech that goes on. */
  open?: Mark;
  /** Where it starts with its padding, once that is sure. */
  from?: number;
  /** The silence that it may end with. */
  pause?: Mark;
  /** The last pause in it at which it could be cut. */
  cut?: Mark;
  /** Where speech came back after that pause. */
  resumed?: Mark;
  /** The segment before, whose end is not padded yet as the next may be near. */
  waiting?: { from: number; end: number; mean: number };
  /** Up to where stretches were told. */
  told: number;
  /** Segments that were told in full. */
  segments: number;
}

/**
 * Finds segments of speech in a stream of probabilities, one a window: what Silero's `get_speech_timestamps`
 * (github.com/snakers4/silero-vad, `utils_vad.py`) finds in a whole file, found as soon as it is sure.
 *
 * A window of at least `threshold` starts speech, `minSilence` of windows that begins with one below
 * `negativeThreshold` ends it. Neighbours nearer than twice `pad` share the silence between them.
 *
 * Nothing is kept but a few marks. What a push does not tell yet is at most
 * `2 × pad + minSpeech + minSilence + doubt` and three windows back, or `maxSpeech` where that is given.
 * For the sake of that bound it differs from Silero's in one thing: after silence, windows between the
 * thresholds leave it open for no longer than `doubt` whether speech goes on; then it has ended.
 */
export class SpeechSegments {
  readonly #rules: SegmentRules;
  readonly #state: SegmentsState;

  /** @param rules when a run of windows counts as speech; @param segments the number of the first segment */
  constructor(rules: SegmentRules, segments = 0) {
    this.#rules = rules;
    this.#state = { now: { window: 0, sum: 0 }, told: 0, segments };
  }

  /** Segments that were told in full. */
  get segments(): number {
    return this.#state.segments;
  }

  /** Takes the probability of the next window, all of which was heard; gives what is known by it. */
  push(probability: number): Span[] {
    const spans: Span[] = [];
    this.#count(probability, spans);
    this.#settle(spans);
    this.#tell(spans, this.#known());
    return spans;
  }

  /**
   * Ends the stream; gives the rest.
   *
   * @param total its samples; @param partial the probability of its last window, if that was not whole
   */
  finish(total: number, partial?: number): Span[] {
    const spans: Span[] = [];
    if (partial !== undefined) this.#count(partial, spans);
    const state = this.#state;
    if (state.open !== undefined && total - this.#at(state.open) > this.#rules.minSpeech) {
      this.#join(spans);
      this.#end(spans, Math.min(state.from!, total), total, mean(state.open, state.now));
    } else if (state.waiting !== undefined) {
      const { from, end, mean } = state.waiting;
      this.#end(spans, from, Math.min(total, end + this.#rules.pad), mean);
    }
    this.#tellSilence(spans, total);
    return spans;
  }

  /** Its state, for {@linkcode SpeechSegments.restore}. */
  snapshot(): SegmentsState {
    return structuredClone(this.#state);
  }

  /** Goes on from a snapshot. */
  restore(state: SegmentsState): void {
    Object.assign(this.#state, structuredClone(state));
  }

  #count(probability: number, spans: Span[]): void {
    this.#follow(probability, spans);
    const state = this.#state;
    state.now = { window: state.now.window + 1, sum: state.now.sum + probability };
  }

  /** Starts, goes on with, cuts or ends speech, by the window that begins at `now`. */
  #follow(probability: number, spans: Span[]): void {
    const { threshold, negativeThreshold, minSpeech, minSilence, maxSpeech, cutPause, doubt } =
      this.#rules;
    const state = this.#state;
    const { now } = state;
    if (probability >= threshold) {
      if (state.pause !== undefined) {
        state.pause = undefined;
        if (state.cut !== undefined && (state.resumed?.window ?? -1) < state.cut.window) {
          state.resumed = now;
        }
      }
      if (state.open === undefined) {
        state.open = now;
        return;
      }
    }
    if (state.open === undefined) return;
    if (this.#since(state.open) > maxSpeech && this.#cutOpen(spans)) return;
    if (state.open === undefined) return;
    if (probability >= negativeThreshold) {
      if (state.pause === undefined || this.#since(state.pause) < minSilence + doubt) return;
    }
    state.pause ??= now;
    const pause = this.#since(state.pause);
    if (maxSpeech < Infinity && pause > cutPause) state.cut = state.pause;
    if (pause < minSilence) return;
    if (this.#at(state.pause) - this.#at(state.open) > minSpeech) this.#close(state.pause, spans);
    else this.#forgetOpen();
  }

  /** Ends speech that is too long. Gives whether the window is done with. */
  #cutOpen(spans: Span[]): boolean {
    const { cut, resumed, now } = this.#state;
    this.#close(cut ?? now, spans);
    if (cut === undefined) return true;
    if (resumed !== undefined && resumed.window >= cut.window) this.#state.open = resumed;
    return false;
  }

  /** Ends the open segment at a mark; its end is padded once it is known what follows. */
  #close(end: Mark, spans: Span[]): void {
    const state = this.#state;
    this.#join(spans);
    state.waiting = { from: state.from!, end: this.#at(end), mean: mean(state.open!, end) };
    this.#forgetOpen();
  }

  #forgetOpen(): void {
    const state = this.#state;
    state.open =
      state.from =
      state.pause =
      state.cut =
      state.resumed =
        undefined;
  }

  /** Ends the segment before where the open one, which stays, cannot take of its padding any more. */
  #settle(spans: Span[]): void {
    const { open, waiting, now } = this.#state;
    if (open !== undefined) {
      if (this.#isSure()) this.#join(spans);
      else if (waiting !== undefined && this.#at(open) - waiting.end >= 2 * this.#rules.pad) {
        this.#endWaiting(spans, this.#rules.pad);
      }
    } else if (waiting !== undefined && this.#at(now) - waiting.end >= 2 * this.#rules.pad) {
      this.#endWaiting(spans, this.#rules.pad);
    }
  }

  /** Whether the open segment is long enough by now, however it ends. */
  #isSure(): boolean {
    const { open, pause, now } = this.#state;
    return this.#at(pause ?? now) - this.#at(open!) > this.#rules.minSpeech;
  }

  /** Pads the start of the open segment, and shares the silence before it with the segment before. */
  #join(spans: Span[]): void {
    const state = this.#state;
    if (state.from !== undefined) return;
    const start = this.#at(state.open!);
    let { pad } = this.#rules;
    if (state.waiting !== undefined) {
      pad = Math.min(pad, Math.floor((start - state.waiting.end) / 2));
      this.#endWaiting(spans, pad);
    }
    state.from = Math.max(0, start - pad);
  }

  #endWaiting(spans: Span[], pad: number): void {
    const { from, end, mean } = this.#state.waiting!;
    this.#state.waiting = undefined;
    this.#end(spans, from, end + pad, mean);
  }

  #end(spans: Span[], from: number, end: number, ended: number): void {
    this.#tellSilence(spans, from);
    const state = this.#state;
    spans.push({ start: state.told, end, segment: state.segments++, speech: true, ended });
    state.told = end;
  }

  /** Up to where it is known what is speech. */
  #known(): number {
    const { now, open, from, pause, cut, waiting } = this.#state;
    if (waiting !== undefined) return waiting.end;
    if (open === undefined) return this.#at(now) - this.#rules.pad;
    if (from === undefined) return this.#at(open) - this.#rules.pad;
    return this.#at(cut ?? pause ?? now);
  }

  #tell(spans: Span[], until: number): void {
    const state = this.#state;
    const from = state.waiting?.from ?? state.from ?? Infinity;
    this.#tellSilence(spans, Math.min(from, until));
    if (until <= state.told) return;
    spans.push({ start: state.told, end: until, segment: state.segments, speech: true });
    state.told = until;
  }

  #tellSilence(spans: Span[], until: number): void {
    const state = this.#state;
    if (until <= state.told) return;
    spans.push({ start: state.told, end: until, segment: state.segments, speech: false });
    state.told = until;
  }

  #at({ window }: Mark): number {
    return window * this.#rules.windowSize;
  }

  #since(mark: Mark): number {
    return this.#at(this.#state.now) - this.#at(mark);
  }
}

/** The mean probability of the windows between two marks. */
function mean(start: Mark, end: Mark): number {
  return end.window === start.window ? 0 : (end.sum - start.sum) / (end.window - start.window);
}
