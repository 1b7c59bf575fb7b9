/** A process of ours that tells what it does in lines. */
export interface TalkingProcess extends AsyncDisposable {
  readonly pid: number;
  /** The next line that it prints. @throws {Error} if it ends instead */
  line(): Promise<string>;
  /** Gives it a line to read. */
  tell(line: string): Promise<void>;
  /** Resolves when it has ended. */
  ended(): Promise<void>;
}

/**
 * Starts a script of this folder in a process of its own; it is killed when it is disposed.
 *
 * @param script where it is, from here; @param args what it is given
 * @param options a network namespace to run it in
 */
export function startProcess(
  script: string,
  args: readonly string[] = [],
  { namespace }: { namespace?: string | undefined } = {},
): TalkingProcess {
  const path = new URL(script, import.meta.url).pathname;
  const command = [Deno.execPath(), "run", "-A", "--no-check", path, ...args];
  const [program, ...rest] = namespace === undefined
    ? command
    : ["ip", "netns", "exec", namespace, ...command];
  const child = new Deno.Command(program!, { args: rest, stdin: "piped", stdout: "piped" }).spawn();
  const lines = linesOf(child.stdout);
  const writer = child.stdin.getWriter();
  return {
    pid: child.pid,
    async line() {
      const { done, value } = await lines.read();
      if (done) throw new Error(`${script} ended before it said what it should`);
      return value;
    },
    tell: (line) => writer.write(new TextEncoder().encode(`${line}\n`)),
    async ended() {
      await child.status;
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // it is gone already
      }
      await child.status;
      await writer.abort().catch(() => {}); // nobody reads it any more
      await lines.cancel();
    },
  };
}

function linesOf(stream: ReadableStream<Uint8Array>): ReadableStreamDefaultReader<string> {
  let rest = "";
  return stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .pipeThrough(
      new TransformStream<string, string>({
        transform(text, controller) {
          const lines = (rest + text).split("\n");
          rest = lines.pop()!;
          for (const line of lines) controller.enqueue(line);
        },
      }),
    ).getReader();
}
