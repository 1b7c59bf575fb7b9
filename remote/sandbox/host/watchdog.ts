import type { SandboxReason } from "../../../core/errors.ts";
import type { CompleteLimits } from "../limits.ts";
import { megabytes } from "./last_words.ts";
import { type ProcessUsage, processUsage } from "./process_usage.ts";

/**
 * How often processes are looked at, in ms. Memory can grow by more than its limit in that time: the
 * supervisor in the process looks closer, and this is for one whose supervisor does not.
 */
const INTERVAL_MS = 20;

/** What a process is watched for. */
export interface Watched {
  /** The process. */
  readonly pid: number;
  /** What it used when the watch began. */
  readonly base: ProcessUsage;
  /** What it may use. */
  readonly limits: CompleteLimits;
  /** When it last sent or got a message, as `performance.now()`. */
  readonly lastMessageAt: number;
  /** Told the CPU time, in ms, that it took since it was looked at last. */
  used?(cpuMs: number): void;
  /** Called once, when a limit is passed. */
  exceed(reason: SandboxReason, what: string): void;
}

interface Watch {
  watched: Watched;
  startedAt: number;
  /** What `used` was told of, with what was used when the watch began. */
  toldCpuMs: number;
}

/** Processes that are watched now: one timer for all of them, and none when there are none. */
const watches = new Set<Watch>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Watches a process from now on. Gives a function that ends it. */
export function watch(watched: Watched): () => void {
  const startedAt = performance.now();
  const entry: Watch = { watched, startedAt, toldCpuMs: watched.base.cpuMs };
  watches.add(entry);
  timer ??= setInterval(lookAtAll, INTERVAL_MS);
  return () => {
    if (watches.delete(entry)) tellUsed(entry, processUsage(watched.pid));
    if (watches.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function lookAtAll(): void {
  const now = performance.now();
  for (const entry of watches) {
    const passed = look(entry, now);
    if (passed === undefined) continue;
    watches.delete(entry);
    entry.watched.exceed(...passed);
  }
}

/** Which limit a process passed, and what it used. */
function look(entry: Watch, now: number): [SandboxReason, string] | undefined {
  const { limits, pid, base, lastMessageAt } = entry.watched;
  const wallMs = now - entry.startedAt;
  if (wallMs > limits.wallMs) return ["wall-time", `ran for ${Math.round(wallMs)} ms`];
  const idleMs = now - lastMessageAt;
  if (idleMs > limits.idleMs) return ["idle", `was idle for ${Math.round(idleMs)} ms`];
  const usage = processUsage(pid);
  if (usage === undefined) return undefined; // its end is noticed where its exit status is awaited
  tellUsed(entry, usage);
  const memoryBytes = usage.residentBytes - base.sharedBytes;
  if (memoryBytes > limits.memoryBytes) return ["memory", `used ${megabytes(memoryBytes)}`];
  const cpuMs = usage.cpuMs - base.cpuMs;
  if (cpuMs > limits.cpuMs) return ["cpu", `used ${cpuMs} ms of CPU time`];
  if (usage.threads > limits.threads) return ["memory", `had ${usage.threads} threads`];
  return undefined;
}

function tellUsed(entry: Watch, usage: ProcessUsage | undefined): void {
  const cpuMs = (usage?.cpuMs ?? 0) - entry.toldCpuMs;
  if (cpuMs <= 0) return;
  entry.toldCpuMs += cpuMs;
  entry.watched.used?.(cpuMs);
}
