import type { AudioFrame } from "../../core/frames/audio_frame.ts";
import { KWeighting } from "./_k_weighting.ts";
import { type LoudnessGate, loudnessOf } from "./_loudness_gate.ts";
import type { Run } from "./_run.ts";
import { Timeline, type TimelineState } from "./_timeline.ts";
import { TruePeak } from "./_true_peak.ts";

/** What an `AudioLevelMeter` reads. */
export interface LevelReading {
  /** When the interval starts, in µs. */
  timestamp: number;
  /** How long it is, in µs. */
  duration: number;
  /** RMS of each channel in the interval, in dBFS. */
  rms: number[];
  /** Highest sample of each channel in the interval, in dBFS. */
  peak: number[];
  /** Highest value of each channel, between samples as well, in dBTP; `peak` if that is not looked for. */
  truePeak: number[];
  /** Loudness of the last 400 ms, in LUFS; before that as if it had been silent. */
  momentary: number;
  /** Loudness of the last 3 s, in LUFS; before that as if it had been silent. */
  shortTerm: number;
  /** Gated loudness of the whole stream so far, in LUFS. */
  integrated: number;
}

/** What a {@linkcode LevelRun} measures. */
export interface LevelFormat {
  /** In Hz. */
  sampleRate: number;
  /** 1 to 32. */
  channels: number;
  /** Hops of 100 ms that a reading is of. */
  hops: number;
  /** Whether peaks between samples are looked for. */
  truePeak: boolean;
}

/** State of a {@linkcode LevelRun}, structured-clonable. */
export interface LevelRunState {
  format: LevelFormat;
  timeline: TimelineState;
  filter: Float64Array;
  peaks: Float32Array;
  levels: ChannelLevel[];
  start: number;
  hop: number;
  energy: number;
  powers: number[];
}

/** What one channel had since the last reading. */
interface ChannelLevel {
  squares: number;
  peak: number;
  truePeak: number;
}

/** Hops of 100 ms in the two windows. */
const MOMENTARY = 4;
const SHORT_TERM = 30;

/** Measures audio of one format without a jump in time, hop by hop of 100 ms. */
export class LevelRun implements Run {
  readonly sampleRate: number;
  readonly channels: number;
  readonly timeline: Timeline;
  readonly #format: LevelFormat;
  readonly #gate: LoudnessGate;
  readonly #filter: KWeighting;
  readonly #truePeak: TruePeak;
  #levels: ChannelLevel[];
  /** Where the interval starts, in samples of the run. */
  #start = 0;
  /** Hops that are full. */
  #hop = 0;
  /** Weighted energy of the hop that is not. */
  #energy = 0;
  /** Weighted mean power of the last hops, the newest last. Bounded: 30. */
  #powers: number[] = [];

  constructor(format: LevelFormat, gate: LoudnessGate) {
    const { sampleRate, channels } = format;
    this.sampleRate = sampleRate;
    this.channels = channels;
    this.timeline = new Timeline(sampleRate);
    this.#format = format;
    this.#gate = gate;
    this.#filter = new KWeighting(sampleRate, channels);
    this.#truePeak = new TruePeak(channels);
    this.#levels = noLevels(channels);
  }

  /** Measures a frame; gives the readings that are due. */
  add(frame: AudioFrame): LevelReading[] {
    const readings: LevelReading[] = [];
    let position = this.timeline.position;
    this.timeline.add(frame.timestamp, frame.numberOfFrames);
    for (let from = 0; from < frame.numberOfFrames;) {
      const due = this.#hopEnd(this.#hop) - position;
      const to = Math.min(frame.numberOfFrames, from + due);
      this.#measure(frame, from, to);
      position += to - from;
      from = to;
      if (position < this.#hopEnd(this.#hop)) break;
      this.#closeHop();
      if (this.#hop % this.#format.hops === 0) readings.push(this.#read(position));
    }
    this.timeline.forget(this.#start);
    return readings;
  }

  /** The reading of what is left, if anything is. */
  finish(): LevelReading | undefined {
    const { position } = this.timeline;
    return position > this.#start ? this.#read(position) : undefined;
  }

  /** What it holds. */
  snapshot(): LevelRunState {
    return {
      format: this.#format,
      timeline: this.timeline.snapshot(),
      filter: this.#filter.memory.slice(),
      peaks: this.#truePeak.memory.slice(),
      levels: this.#levels.map((level) => ({ ...level })),
      start: this.#start,
      hop: this.#hop,
      energy: this.#energy,
      powers: [...this.#powers],
    };
  }

  /** Goes on from a snapshot. */
  restore(state: LevelRunState): void {
    this.timeline.restore(state.timeline);
    this.#filter.memory.set(state.filter);
    this.#truePeak.memory.set(state.peaks);
    this.#levels = state.levels.map((level) => ({ ...level }));
    this.#start = state.start;
    this.#hop = state.hop;
    this.#energy = state.energy;
    this.#powers = [...state.powers];
  }

  /** Where a hop ends, in samples of the run: hops differ by one where 100 ms are no whole number. */
  #hopEnd(hop: number): number {
    return Math.round((hop + 1) * this.sampleRate / 10);
  }

  #measure(frame: AudioFrame, from: number, to: number): void {
    for (const [channel, level] of this.#levels.entries()) {
      const samples = frame.channel(channel).subarray(from, to);
      this.#energy += this.#filter.energy(channel, samples);
      for (let index = 0; index < samples.length; index++) {
        const sample = samples[index]!;
        level.squares += sample * sample;
        level.peak = Math.max(level.peak, Math.abs(sample));
      }
      if (!this.#format.truePeak) continue;
      level.truePeak = Math.max(level.truePeak, this.#truePeak.peak(channel, samples));
    }
  }

  #closeHop(): void {
    const length = this.#hopEnd(this.#hop) - this.#hopEnd(this.#hop - 1);
    this.#powers.push(this.#energy / length);
    if (this.#powers.length > SHORT_TERM) this.#powers.shift();
    this.#energy = 0;
    this.#hop++;
    if (this.#hop >= MOMENTARY) this.#gate.add(this.#window(MOMENTARY));
  }

  /** Mean power of the last hops. */
  #window(hops: number): number {
    return this.#powers.slice(-hops).reduce((sum, power) => sum + power, 0) / hops;
  }

  #read(end: number): LevelReading {
    const timestamp = Math.round(this.timeline.at(this.#start));
    const frames = end - this.#start;
    const levels = this.#levels;
    this.#start = end;
    this.#levels = noLevels(this.channels);
    return {
      timestamp,
      duration: Math.round(frames * 1e6 / this.sampleRate),
      rms: levels.map(({ squares }) => 10 * Math.log10(squares / frames)),
      peak: levels.map(({ peak }) => 20 * Math.log10(peak)),
      truePeak: levels.map(({ peak, truePeak }) => 20 * Math.log10(Math.max(peak, truePeak))),
      momentary: loudnessOf(this.#window(MOMENTARY)),
      shortTerm: loudnessOf(this.#window(SHORT_TERM)),
      integrated: this.#gate.integrated,
    };
  }
}

function noLevels(channels: number): ChannelLevel[] {
  return Array.from({ length: channels }, () => ({ squares: 0, peak: 0, truePeak: 0 }));
}
