import { readProcFile } from "./proc_file.ts";

/** What a process uses now. */
export interface ProcessUsage {
  /** Memory in use, in bytes, what it shares with its executable included. */
  residentBytes: number;
  /** The part of it that is mapped from files, in bytes. */
  sharedBytes: number;
  /** CPU time so far, in ms. */
  cpuMs: number;
  /** Threads. */
  threads: number;
}

/** The kernel's page, and its tick: fixed on the platforms that Deno runs on. */
const PAGE = 4096;
const TICK_MS = 10;

/**
 * What a process uses now, from Linux' `/proc`; `undefined` once it is gone.
 *
 * @param pid the process
 */
export function processUsage(pid: number): ProcessUsage | undefined {
  const memory = readProcFile(`/proc/${pid}/statm`)?.split(" ");
  const stat = statOf(pid);
  if (memory === undefined || stat === undefined) return undefined;
  return {
    residentBytes: Number(memory[1]) * PAGE,
    sharedBytes: Number(memory[2]) * PAGE,
    cpuMs: (Number(stat[11]) + Number(stat[12])) * TICK_MS,
    threads: Number(stat[17]),
  };
}

/** When a process started, in ticks since the machine did; `undefined` if there is none. */
export function startOf(pid: number): number | undefined {
  const start = statOf(pid)?.[19];
  return start === undefined ? undefined : Number(start);
}

/** The innermost of a line of processes, each the only child of the one before. */
export function innermostProcess(pid: number): number {
  for (let at = pid;;) {
    const child = onlyChild(at);
    if (child === undefined) return at;
    at = child;
  }
}

function onlyChild(pid: number): number | undefined {
  const children = readProcFile(`/proc/${pid}/task/${pid}/children`)?.trim() ?? "";
  return children === "" ? undefined : Number(children.split(" ")[0]);
}

/** The fields of a process' state, from the third on. */
function statOf(pid: number): string[] | undefined {
  const text = readProcFile(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" "); // the name before may hold anything
}
