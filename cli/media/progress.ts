import process from "node:process";
import { Format, SingleBar } from "cli-progress";
import { probeMedia } from "../../nodes/mod.ts";
import { isMedia } from "./inputs.ts";

/** Shows how far a run is, on a terminal; nothing in a pipe. */
export interface Progress extends Disposable {
  /** Takes note of a chunk that went in. */
  saw(chunk: unknown): void;
}

/** What is shown, as far as it is known how long the input is. */
const formats = {
  whole: "{bar} {percentage}% | {position} of {length} | {speed}x | {left} left",
  endless: "{position} | {speed}x",
  chunks: "{count} chunks | {elapsed}",
};

/**
 * A progress bar for one input: position, speed as a multiple of real time, time left. Of an input whose length
 * nobody knows, what can be told without it.
 *
 * @param input the file
 * @param isShown whether anything is shown
 */
export async function startProgress(input: string, isShown: boolean): Promise<Progress> {
  const nothing = { saw() {}, [Symbol.dispose]() {} };
  if (!isShown || !Deno.stderr.isTerminal()) return nothing;
  // a file that cannot be probed fails where it is read
  const duration = isMedia(input)
    ? await probeMedia(input).then((info) => info.duration, () => undefined)
    : undefined;
  const started = performance.now();
  const bar = new SingleBar({
    stream: process.stderr,
    format: formats[duration !== undefined ? "whole" : isMedia(input) ? "endless" : "chunks"],
    hideCursor: true,
    clearOnComplete: true,
    fps: 8,
    barsize: 24,
    formatBar: Format.BarFormat,
  });
  const total = duration ?? 0;
  let [at, count, shownMs] = [0, 0, 0];
  bar.start(Math.ceil(total), 0, fields());
  function fields() {
    const elapsed = (performance.now() - started) / 1000;
    const speed = at / elapsed;
    return {
      position: clock(at),
      length: clock(total),
      speed: speed.toFixed(1),
      left: speed > 0 ? clock((total - at) / speed) : "?",
      count,
      elapsed: clock(elapsed),
    };
  }
  return {
    saw(chunk) {
      count++;
      const { timestamp } = (chunk ?? {}) as { timestamp?: unknown };
      if (typeof timestamp === "number") at = Math.max(at, timestamp / 1e6);
      const now = performance.now();
      if (now - shownMs < 100) return;
      shownMs = now;
      bar.update(Math.min(at, total), fields());
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}

function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
