/**
 * The first module of a sandbox's process. It starts the one Worker with its narrowed permissions, and ends
 * the process when the Worker fails, when it takes too much memory, or when the host, at the other end of the
 * standard input, is gone. Bundled
 * into `../gen/supervisor.js` by `../generate.ts`.
 *
 * @module
 */

/** What the host tells the supervisor, as its one argument. */
interface SupervisorSetup {
  /** The Worker's first module. */
  module: string;
  /** The Worker's name: its own setup. */
  name: string;
  /** What the Worker may do. */
  permissions: Deno.PermissionOptionsObject;
}

const { module, name, permissions }: SupervisorSetup = JSON.parse(Deno.args[0]!);
const options = { type: "module", name, deno: { permissions } };
const worker = new Worker(module, options as WorkerOptions);
worker.onerror = (event) => {
  event.preventDefault();
  Deno.stderr.writeSync(new TextEncoder().encode(`${event.message}\n`));
  Deno.exit(70);
};

/** What a process takes of memory in a ms at the most, in bytes: two threads on this class of machine. */
const BYTES_PER_MS = 4_000_000;
/** The longest and the shortest time between two looks at the memory, in ms. */
const MOST_MS = 50;
const LEAST_MS = 1;

/**
 * Ends the process when it uses more memory than it may: looks again before the rest can have been taken.
 * The host looks as well, but it may be busy.
 */
function hold(sharedBytes: number, memoryBytes: number): void {
  const used = Deno.memoryUsage().rss - sharedBytes;
  if (used > memoryBytes) {
    Deno.stderr.writeSync(new TextEncoder().encode(`memory: ${used}\n`));
    Deno.exit(71);
  }
  const waitMs = Math.max(LEAST_MS, Math.min(MOST_MS, (memoryBytes - used) / BYTES_PER_MS));
  setTimeout(() => hold(sharedBytes, memoryBytes), waitMs);
}

const input = new Uint8Array(64);
const decoder = new TextDecoder();
let line = "";
for (;;) {
  const read = await Deno.stdin.read(input);
  if (read === null) break;
  line += decoder.decode(input.subarray(0, read));
  const [, shared, memory] = /^(\d+) (\d+)\n$/.exec(line) ?? [];
  if (memory !== undefined) hold(Number(shared), Number(memory)); // the host says it once
}
Deno.exit(0);
