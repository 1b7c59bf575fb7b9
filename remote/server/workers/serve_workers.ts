import { createServer, type Server } from "node:net";
import { ConfigurationError, messageOf, RemoteError } from "../../../core/errors.ts";
import { loggerFor } from "../../../core/log.ts";
import { Access, type Caller } from "../access.ts";
import { addressOf, assertGuarded, credentialsOf, httpHost, whyNot } from "../bind.ts";
import { DEFAULT_MAX_SESSIONS } from "../grpc_server.ts";
import { startHttpPort } from "../http_port.ts";
import { CountedPlaces, type Load } from "../places.ts";
import type { RunningServer, ServeOptions } from "../serve.ts";
import { FrontMetrics, retiredWith } from "./front_metrics.ts";
import type { Answers, MetricsData, Question, Refusal } from "./messages.ts";
import { removeStaleSocket } from "../unix_socket.ts";
import { WorkerPool } from "./worker_pool.ts";
import { WorkerProcess } from "./worker_process.ts";
import { status } from "../../wire/grpc_status.ts";

const log = loggerFor("server", "workers");

/**
 * Serves by several processes on one port. This process takes the connections and hands each over, as a
 * socket, to the worker with the fewest sessions; it sees none of their bytes. It counts the sessions and
 * quotas of all workers, starts one again that ends, and tells health and metrics of all.
 *
 * A connection stays with its worker, and a `RemoteExecutor` has one connection an endpoint: to use
 * several workers at once, a client has several executors, or names the endpoint several times.
 *
 * @param options as for `serve`; each worker has the same
 * @param workers how many, and the command that starts one, which must come to `runWorker`
 * @throws {ConfigurationError} if it cannot listen, or a worker does not start
 */
export async function serveWorkers(
  options: ServeOptions,
  { count, command }: {
    count: number;
    command: { program: string; args: readonly string[] };
  },
): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 50_052, tls, insecure = false } = options;
  const access = new Access(options.tokens, options.policy);
  assertGuarded({ host, port, tls, hasTokens: access.required, insecure });
  credentialsOf(tls); // each worker makes its own, and could not tell what is wrong
  const places = new CountedPlaces(options.maxSessions ?? DEFAULT_MAX_SESSIONS);
  const bundles = await bundleFolder(options);
  const setup = { count, ...(bundles !== undefined && { bundleDirectory: bundles.path }) };
  let retired: readonly MetricsData[] = [];
  const answer = new Answerer(access, places, () => pool);
  const pool: WorkerPool = new WorkerPool(count, {
    start: () =>
      new WorkerProcess(command, {
        setup,
        ask: (worker, id, question) => answer.answer(worker, id, question),
      }),
    retire: (metrics) => {
      retiredWith(retired, metrics).then(
        (sum) => retired = sum,
        (error) => log.error("metrics of a worker are lost: {error}", { error }),
      );
    },
  });
  let listener: Server | undefined;
  let http: Deno.HttpServer<Deno.NetAddr> | undefined;
  let draining = false;
  const close = async () => {
    listener?.close();
    await Promise.all([pool.close(), http?.shutdown()]);
    if (bundles?.isTemporary) await Deno.remove(bundles.path, { recursive: true });
  };
  let bound: number;
  try {
    await pool.open();
    await removeStaleSocket(host);
    ({ listener, bound } = await listen({ host, port }, pool));
    if (options.httpPort !== undefined) {
      const metrics = new FrontMetrics(pool, () => retired);
      const isReady = () => !draining && pool.answers;
      http = startHttpPort({ host: httpHost(host), port: options.httpPort, metrics, isReady });
    }
  } catch (cause) {
    await close();
    if (cause instanceof ConfigurationError) throw cause;
    throw new ConfigurationError(`Cannot serve by workers: ${messageOf(cause)}`, { cause });
  }
  return {
    port: bound,
    httpPort: http?.addr.port,
    address: addressOf(host, bound),
    get sessions() {
      return places.sessions;
    },
    async drain(seconds) {
      draining = true;
      places.drain();
      pool.drain();
      await places.untilEmpty(seconds);
      await close();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Answers what workers ask: the places and quotas of all of them are counted here. */
class Answerer {
  readonly #places: CountedPlaces;
  readonly #pool: () => WorkerPool;
  readonly #callers: ReadonlyMap<string, Caller>;

  constructor(access: Access, places: CountedPlaces, pool: () => WorkerPool) {
    this.#places = places;
    this.#pool = pool;
    this.#callers = new Map(access.callers.map((caller) => [caller.name, caller]));
  }

  answer(worker: WorkerProcess, id: number, question: Question): void {
    try {
      worker.send({ type: "answer", id, answer: this.#answer(worker, id, question) });
    } catch (error) {
      worker.send({ type: "refusal", id, refusal: refusalOf(error) });
    }
  }

  #answer(
    worker: WorkerProcess,
    id: number,
    question: Question,
  ): Answers[Question["kind"]] {
    switch (question.kind) {
      case "admit":
        return this.#admit(worker, id, question);
      case "reserve":
        return this.#places.reserve(this.#caller(question.caller), question.ttlMs);
      case "cpu":
        this.#places.usageOf(this.#caller(question.caller)).addCpu(question.ms);
        return null;
      case "load":
        return this.#load();
    }
  }

  #admit(
    worker: WorkerProcess,
    id: number,
    { caller: name, reservation }: Extract<Question, { kind: "admit" }>,
  ): Answers["admit"] {
    const caller = this.#caller(name);
    const { usage, release } = this.#places.admit(caller, reservation);
    const isShared = caller.policy.maxBytesInFlight !== undefined;
    const tell = () => {
      if (isShared) this.#pool().tell({ type: "sessions", caller: name, sessions: usage.sessions });
    };
    worker.admissions.set(id, {
      usage,
      release() {
        release();
        tell();
      },
    });
    tell();
    return { sessions: usage.sessions };
  }

  #load(): Load {
    const load = this.#places.load();
    for (const { report } of this.#pool().running) {
      load.rssBytes += report?.rssBytes ?? 0;
      load.cpuMs += report?.cpuMs ?? 0;
    }
    return load;
  }

  #caller(name: string): Caller {
    const caller = this.#callers.get(name);
    if (caller === undefined) throw new RangeError(`Cannot find the token "${name}"`);
    return caller;
  }
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof RemoteError)) {
    return { message: messageOf(error), code: status.INTERNAL, retryable: false };
  }
  const { message, code, retryable, retryAfterMs } = error;
  return { message, code, retryable, retryAfterMs };
}

/** One folder for the bundles of all workers. */
async function bundleFolder(
  { userCode = {} }: ServeOptions,
): Promise<{ path: string; isTemporary: boolean } | undefined> {
  if (userCode === false) return undefined;
  const { bundleDirectory } = userCode;
  if (bundleDirectory !== undefined) return { path: bundleDirectory, isTemporary: false };
  return { path: await Deno.makeTempDir({ prefix: "remotemedia-bundles-" }), isTemporary: true };
}

function listen(
  { host, port }: { host: string; port: number },
  pool: WorkerPool,
): Promise<{ listener: Server; bound: number }> {
  const listener = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    socket.on("error", () => {}); // whoever gets it is told
    pool.give(socket);
  });
  return new Promise((resolve, reject) => {
    listener.once("error", (cause) => {
      const message = `Cannot listen on ${addressOf(host, port)}: ${whyNot(cause)}`;
      reject(new ConfigurationError(message, { cause }));
    });
    const done = () => {
      const address = listener.address();
      resolve({ listener, bound: typeof address === "object" ? address?.port ?? 0 : 0 });
    };
    if (host.startsWith("unix:")) listener.listen(host.slice("unix:".length), done);
    else listener.listen(port, host, done);
  });
}
