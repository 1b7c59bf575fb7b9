import { RemoteExecutor, type RemoteExecutorOptions } from "../../remote/mod.ts";
import { type RunningServer, serve, type ServeOptions } from "../../remote/server/mod.ts";
import { testNodes } from "./_nodes.ts";

/** A server of the test nodes on a free port, and an executor for it. */
export async function startPair(
  { client = {}, server = {} }: { client?: RemoteExecutorOptions; server?: ServeOptions } = {},
): Promise<{ server: RunningServer; executor: RemoteExecutor } & AsyncDisposable> {
  const running = await serve({ port: 0, nodes: testNodes, ...server });
  const executor = new RemoteExecutor({ port: running.port, ...client });
  return {
    server: running,
    executor,
    async [Symbol.asyncDispose]() {
      await executor[Symbol.asyncDispose]();
      await running.close();
    },
  };
}

/** Resolves when a condition holds; fails if it does not within some seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    if (waited > 5_000) throw new Error(`Not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
