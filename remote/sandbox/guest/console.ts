import { type LogLevel, MAX_LOG_TEXT } from "../protocol.ts";
import { formatValues } from "./format_values.ts";

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

type Write = (level: LogLevel, values: readonly unknown[]) => void;

/** Methods that write what they are given. */
const levels: Readonly<Record<string, LogLevel>> = {
  debug: "debug",
  log: "info",
  info: "info",
  dir: "info",
  dirxml: "info",
  table: "info",
  group: "info",
  groupCollapsed: "info",
  warn: "warn",
  error: "error",
  trace: "debug",
};

/** Sends what the bundle writes to its console as lines to the host, so many a second. */
export function captureConsole(say: (line: LogLine) => void): void {
  let tokens = BURST;
  let last = performance.now();
  let dropped = 0;
  const write: Write = (level, values) => {
    const now = performance.now();
    tokens = Math.min(BURST, tokens + (now - last) * LINES_PER_SECOND / 1000);
    last = now;
    if (tokens < 1) {
      dropped++;
      return;
    }
    tokens--;
    say({ level, text: formatValues(values).slice(0, MAX_LOG_TEXT), dropped });
    dropped = 0;
  };
  for (const [method, level] of Object.entries(levels)) {
    define(method, (...values) => write(level, values));
  }
  defineCounters(write);
  defineTimers(write);
}

function defineCounters(write: Write): void {
  const counts = new Map<string, number>();
  define("assert", (holds, ...values) => {
    if (!holds) write("error", values.length === 0 ? ["Assertion failed"] : values);
  });
  define("count", (label = "default") => {
    const count = (counts.get(String(label)) ?? 0) + 1;
    counts.set(String(label), count);
    write("info", [`${label}: ${count}`]);
  });
  define("countReset", (label = "default") => void counts.delete(String(label)));
}

function defineTimers(write: Write): void {
  const starts = new Map<string, number>();
  const tell = (label: unknown, values: readonly unknown[]): void => {
    const start = starts.get(String(label));
    if (start === undefined) return write("warn", [`Timer ${label} does not exist`]);
    write("info", [`${label}: ${Math.round(performance.now() - start)} ms`, ...values]);
  };
  define("time", (label = "default") => void starts.set(String(label), performance.now()));
  define("timeLog", (label = "default", ...values) => tell(label, values));
  define("timeEnd", (label = "default") => {
    tell(label, []);
    starts.delete(String(label));
  });
}

function define(method: string, value: (...values: unknown[]) => void): void {
  Object.defineProperty(console, method, { configurable: true, writable: true, value });
}
