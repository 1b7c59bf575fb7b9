import type { Socket } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { Access } from "../access.ts";
import { credentialsOf } from "../bind.ts";
import { makeGrpcServer } from "../grpc_server.ts";
import { widenWindows } from "../http2_servers.ts";
import { processLoad } from "../places.ts";
import type { ServeOptions } from "../serve.ts";
import type { UserCodeOptions } from "../user_code.ts";
import { AskedPlaces } from "./asked_places.ts";
import {
  type FrontMessage,
  SETUP_VARIABLE,
  type WorkerMessage,
  type WorkerSetup,
} from "./messages.ts";

/** How often a worker tells what it uses and counts, in ms. */
const REPORT_INTERVAL = 1_000;

/** Sandboxes of a server, where nobody says. */
const MAX_SANDBOXES = 64;

/** What the front started this process with; `undefined` if it is no worker. */
export function workerSetup(): WorkerSetup | undefined {
  const text = Deno.env.get(SETUP_VARIABLE);
  return text === undefined || process.send === undefined
    ? undefined
    : JSON.parse(text) as WorkerSetup;
}

/**
 * What a worker process does: serves the connections that the front hands over, until the front says or
 * is gone.
 *
 * @param options as the front has them
 */
export async function runWorker(options: ServeOptions, setup: WorkerSetup): Promise<void> {
  Deno.env.delete(SETUP_VARIABLE); // what it starts is no worker
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {}); // the front got it too, and says what to do
  }
  const tell = (message: WorkerMessage) => {
    if (process.connected) process.send!(message);
  };
  const access = new Access(options.tokens, options.policy);
  const places = new AskedPlaces(tell);
  const made = await makeGrpcServer(
    { ...options, userCode: sharedUserCode(options.userCode, setup) },
    { places, access },
  );
  const injector = made.server.createConnectionInjector(credentialsOf(options.tls));
  widenWindows(made.server);
  const report = async () => {
    tell({ type: "report", report: { metrics: await made.metrics.json(), ...processLoad() } });
  };
  let connections = 0;
  const connect = (socket: Socket) => {
    tell({ type: "connections", count: ++connections });
    socket.once("close", () => tell({ type: "connections", count: --connections }));
    injector.injectConnection(socket);
  };
  const over = Promise.withResolvers<void>();
  process.on("disconnect", () => over.resolve());
  process.on("message", (_: unknown, socket: Socket | undefined) => {
    if (socket !== undefined) connect(socket); // else it was closed on its way
  });
  createInterface({ input: process.stdin }).on("line", (line) => {
    const message = JSON.parse(line) as FrontMessage;
    switch (message.type) {
      case "report":
        return void report();
      case "drain":
        return made.drain();
      case "close":
        return over.resolve();
      default:
        return places.accept(message);
    }
  });
  const timer = setInterval(() => void report(), REPORT_INTERVAL);
  tell({ type: "ready" });
  await over.promise;
  clearInterval(timer);
  await made.close();
}

function sharedUserCode(
  userCode: UserCodeOptions | false = {},
  { bundleDirectory, count }: WorkerSetup,
): UserCodeOptions | false {
  if (userCode === false) return false;
  const max = Math.max(1, Math.ceil((userCode.max ?? MAX_SANDBOXES) / count));
  return { ...userCode, bundleDirectory, max };
}
