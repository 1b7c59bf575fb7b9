import process from "node:process";
import { Format, SingleBar } from "cli-progress";
import { probeMedia } from "../../nodes/mod.ts";
import { isMedia } from "./inputs.ts";

/** Shows how far a run is, on a terminal; nothing in a pipe. */
export interface Progress extends Disposable {
  /** Takes note of a chunk that went in. */
  saw(chunk: unknown): void;
}

/**
 * A progress bar for one input: position, speed as a multiple of real time, time left.
 *
 * @param input the file
 * @param isShown whether anything is shown
 */
export async function startProgress(input: string, isShown: boolean): Promise<Progress> {
  const nothing = { saw() {}, [Symbol.dispose]() {} };
  if (!isShown || !Deno.stderr.isTerminal() || !isMedia(input)) return nothing;
  // a file that cannot be probed fails where it is read
  const duration = await probeMedia(input).then((info) => info.duration, () => undefined);
  if (duration === undefined) return nothing;
  const started = performance.now();
  const bar = new SingleBar({
    stream: process.stderr,
    format: "{bar} {percentage}% | {position} of {length} | {speed}x | {left} left",
    hideCursor: true,
    clearOnComplete: true,
    fps: 8,
    barsize: 24,
    formatBar: Format.BarFormat,
  });
  let at = 0;
  bar.start(Math.ceil(duration), 0, fields(0));
  function fields(seconds: number) {
    const speed = seconds / ((performance.now() - started) / 1000);
    return {
      position: clock(seconds),
      length: clock(duration!),
      speed: speed.toFixed(1),
      left: speed > 0 ? clock((duration! - seconds) / speed) : "?",
    };
  }
  return {
    saw(chunk) {
      const { timestamp } = (chunk ?? {}) as { timestamp?: unknown };
      if (typeof timestamp !== "number" || timestamp / 1e6 < at + 0.1) return;
      at = timestamp / 1e6;
      bar.update(Math.min(at, duration), fields(at));
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}

function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
