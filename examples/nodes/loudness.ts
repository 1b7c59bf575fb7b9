import { type AudioFrame, Node } from "@remotemedia/sdk";

/** How loud it is at a time. */
export interface Reading {
  /** When, in seconds. */
  at: number;
  /** Mean power, in dBFS. */
  db: number;
}

/** Measures each frame: a node of your own. `module` tells where its code is, so that it can travel. */
export class Loudness extends Node<AudioFrame, Reading> {
  static override readonly module = import.meta.url;

  process({ data, timestamp }: AudioFrame): Reading {
    const power = data.reduce((sum, sample) => sum + sample ** 2, 0) / data.length;
    return { at: timestamp / 1e6, db: 10 * Math.log10(power + 1e-12) };
  }
}
