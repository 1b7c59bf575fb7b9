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
  let memory: string[];
  let stat: string[];
  try {
    memory = Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ");
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    stat = text.slice(text.lastIndexOf(")") + 2).split(" "); // the name before may hold anything
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  return {
    residentBytes: Number(memory[1]) * PAGE,
    sharedBytes: Number(memory[2]) * PAGE,
    cpuMs: (Number(stat[11]) + Number(stat[12])) * TICK_MS,
    threads: Number(stat[17]),
  };
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
  try {
    const children = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim();
    return children === "" ? undefined : Number(children.split(" ")[0]);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** The process ended before or while it was looked at (ESRCH is no class of its own). */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || (error as { code?: unknown }).code === "ESRCH" ||
    /os error 3\)/.test(String(error));
}
