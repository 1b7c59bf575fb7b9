import { PackagingError } from "../core/errors.ts";

/** How a child is run. */
export interface DenoChildOptions {
  /** Where it runs: Deno looks for its configuration from here upwards. */
  cwd: string;
  /** The most bytes that it may write to either output. */
  maxOutputBytes: number;
  /** Kills it. */
  signal: AbortSignal;
}

/** What a child wrote and how it ended. */
export interface DenoChildResult {
  /** Whether it ended with code 0. */
  ok: boolean;
  /** What it wrote, as text. */
  stdout: string;
  /** What it said, as text without colours. */
  stderr: string;
}

/**
 * Runs a subcommand of this very Deno in a process of its own.
 *
 * @throws {PackagingError} if Deno cannot be started, or writes more than allowed
 * @throws the signal's reason, once it is aborted; the process is dead by then
 */
export async function runDeno(
  args: readonly string[],
  { cwd, maxOutputBytes, signal }: DenoChildOptions,
): Promise<DenoChildResult> {
  signal.throwIfAborted();
  const child = spawn(args, cwd);
  const kill = () => killIfRunning(child);
  signal.addEventListener("abort", kill, { once: true });
  try {
    const [stdout, stderr, status] = await Promise.all([
      readText(child.stdout, maxOutputBytes, kill),
      readText(child.stderr, maxOutputBytes, kill),
      child.status,
    ]);
    signal.throwIfAborted();
    if (stdout === undefined || stderr === undefined) {
      throw new PackagingError(
        `Cannot package as deno ${args[0]} wrote more than the limit of ${maxOutputBytes} bytes`,
      );
    }
    return { ok: status.success, stdout, stderr };
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

function spawn(args: readonly string[], cwd: string): Deno.ChildProcess {
  try {
    return new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    throw new PackagingError(`Cannot package as deno ${args[0]} does not start`, { cause });
  }
}

function killIfRunning(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It ended by itself in the meantime, which is all that was wanted.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** All that comes, at most `maxBytes` of it; `undefined` and the child killed if there is more. */
async function readText(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
  kill: () => void,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const part of stream) {
    bytes += part.byteLength;
    if (bytes > maxBytes) {
      kill();
      return undefined;
    }
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}
