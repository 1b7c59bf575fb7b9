/**
 * The first module of a sandbox's process. It starts the one Worker with its narrowed permissions, and ends
 * the process when the Worker fails or the host, at the other end of the standard input, is gone. Bundled
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

const nothing = new Uint8Array(64);
while (await Deno.stdin.read(nothing) !== null);
Deno.exit(0);
