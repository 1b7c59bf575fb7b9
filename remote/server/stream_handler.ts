import { PipelineError } from "../../core/errors.ts";
import { loggerFor } from "../../core/log.ts";
import { type Open, ResumeMode } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import type { Status } from "../../proto/gen/remotemedia/v1/error_pb.ts";
import { holdsChunks, readBatch } from "../wire/batch_reader.ts";
import { statusOf } from "../wire/errors.ts";
import {
  PROTOCOL_VERSION,
  readRequest,
  readSpec,
  readStates,
  writeResponse,
} from "../wire/messages.ts";
import { checkVersion } from "./check_version.ts";
import { protocolError, send, type StreamCall } from "./call.ts";
import { Session } from "./session.ts";
import { makeNodes, pipelineOf, type ResumeAbility, resumeAbility } from "./session_nodes.ts";
import type { ServerState } from "./server_state.ts";

const log = loggerFor("server");

/** How long a client has to half-close once its session is over, in ms. */
const HALF_CLOSE_MS = 1_000;

/** Runs a `Stream` call: the first message opens a session, the rest goes to it. */
export function handleStream(call: StreamCall, server: ServerState): void {
  const handler = new StreamHandler(call, server);
  call.on("data", (message: Uint8Array) => handler.receive(message));
  call.on("end", () => handler.endInput());
  call.on("cancelled", () => handler.cancel());
  call.on("error", (error: Error) => log.debug("call failed: {error}", { error }));
}

class StreamHandler {
  readonly #call: StreamCall;
  readonly #server: ServerState;
  #session: Session | undefined;
  #ended = false;
  readonly #halfClosed = Promise.withResolvers<void>();
  #release: (() => void) | undefined;

  constructor(call: StreamCall, server: ServerState) {
    this.#call = call;
    this.#server = server;
  }

  receive(message: Uint8Array): void {
    if (this.#ended) return;
    try {
      this.#receive(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  endInput(): void {
    this.#halfClosed.resolve();
    if (this.#ended) return;
    if (this.#session === undefined) this.#fail(protocolError("ended it before it was opened"));
    else this.#session.halfClosed();
  }

  cancel(): void {
    this.#halfClosed.resolve();
    this.#finish();
    void this.#session?.stop(new PipelineError("The client cancelled the session"));
  }

  #receive(bytes: Uint8Array): void {
    const session = this.#session;
    if (session !== undefined && holdsChunks(bytes)) {
      session.put(readBatch(bytes, this.#server.readOptions), bytes.length);
      return;
    }
    const message = readRequest(bytes);
    if (message.case === "open") {
      if (session !== undefined) throw protocolError("opened it twice");
      this.#open(message.value);
      return;
    }
    if (session === undefined) throw protocolError(`sent ${message.case} before it was opened`);
    if (message.case === "credit") session.grant(Number(message.value.outputSeq));
    else if (message.case === "finish") session.endInput();
    else if (message.case === "interrupt") {
      session.interrupt(message.value.id).catch((error) => this.#fail(error));
    } else throw protocolError(`sent ${message.case} in an unknown form`);
  }

  #open(open: Open): void {
    checkVersion(open.protocolVersion);
    const server = this.#server;
    const specs = open.segment.map(readSpec);
    this.#release = server.admit(open.reservation);
    const nodes = makeNodes(specs, server.host);
    const pipeline = pipelineOf(nodes);
    const { resume } = open;
    if (resume !== undefined && resume.states.length > 0) {
      pipeline.restore(readStates(resume.states));
    }
    const { outputWindow, inputBytes, batchBytes } = server.limits;
    const wanted = open.limits?.outputWindow ?? 0;
    const window = wanted === 0 ? outputWindow : Math.min(wanted, outputWindow);
    const session = new Session(pipeline, {
      sink: {
        send: (message) => send(this.#call, message),
        setReading: (reading) => reading ? this.#call.resume() : this.#call.pause(),
      },
      limits: { inputBytes, batchBytes, outputWindow: window },
      outputSeq: Number(resume?.outputSeq ?? 0n),
    });
    this.#session = session;
    void this.#sendOpened(resumeAbility(nodes), window);
    void this.#run(session);
  }

  async #sendOpened(ability: ResumeAbility, outputWindow: number): Promise<void> {
    const modes = {
      none: ResumeMode.NONE,
      replay: ResumeMode.REPLAY,
      snapshot: ResumeMode.SNAPSHOT,
    };
    const value = {
      protocolVersion: PROTOCOL_VERSION,
      resumeMode: modes[ability.mode],
      notResumable: ability.mode === "none" ? ability.node : "",
      outputWindow,
    };
    await send(this.#call, writeResponse({ case: "opened", value })).catch(() => {}); // cancelled
  }

  async #run(session: Session): Promise<void> {
    try {
      await session.run();
      if (this.#ended) return;
      this.#finish();
      await this.#sendEnded(undefined);
      this.#call.end();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends the call with an error, once. */
  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#finish();
    log.debug("session failed: {error}", { error });
    void this.#session?.stop(error);
    const status = statusOf(error);
    void this.#sendEnded(status.message).then(() => this.#call.emit("error", status));
  }

  /** Tells the client how the session ended, and waits until it has nothing more to send. */
  async #sendEnded(status: Status | undefined): Promise<void> {
    this.#call.resume(); // what still comes is read and thrown away
    const timer = setTimeout(() => this.#halfClosed.resolve(), HALF_CLOSE_MS);
    try {
      await send(this.#call, writeResponse({ case: "ended", value: { status } }));
      await this.#halfClosed.promise;
    } catch {
      // cancelled: nobody waits for a status
    } finally {
      clearTimeout(timer);
    }
  }

  #finish(): void {
    this.#ended = true;
    this.#release?.();
    this.#release = undefined;
  }
}
