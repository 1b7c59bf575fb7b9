import { type LogLevel, MAX_LOG_TEXT } from "../protocol.ts";

/** Lines a second that go to the host, and how many may come at once. */
const LINES_PER_SECOND = 100;
const BURST = 200;

/** A line of the console. */
export interface LogLine {
  /** How loud it is. */
  level: LogLevel;
  /** What it says. */
  text: string;
  /** How many lines were dropped before it, as there were too many. */
  dropped: number;
}

const levels: Readonly<Record<string, LogLevel>> = {
  debug: "debug",
  log: "info",
  info: "info",
  dir: "info",
  table: "info",
  warn: "warn",
  error: "error",
  trace: "debug",
};

/** Sends what the bundle writes to its console as lines to the host, so many a second. */
export function captureConsole(say: (line: LogLine) => void): void {
  let tokens = BURST;
  let last = performance.now();
  let dropped = 0;
  for (const [method, level] of Object.entries(levels)) {
    Object.defineProperty(console, method, {
      configurable: true,
      writable: true,
      value: (...values: unknown[]) => {
        const now = performance.now();
        tokens = Math.min(BURST, tokens + (now - last) * LINES_PER_SECOND / 1000);
        last = now;
        if (tokens < 1) {
          dropped++;
          return;
        }
        tokens--;
        const text = values.map(show).join(" ").slice(0, MAX_LOG_TEXT);
        say({ level, text, dropped });
        dropped = 0;
      },
    });
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? value : Deno.inspect(value, { depth: 4, iterableLimit: 100 });
}
