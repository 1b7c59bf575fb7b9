import { PipelineError, RemoteError } from "../../core/errors.ts";
import { loggerFor } from "../../core/log.ts";
import type { AnyNode } from "../../core/node.ts";
import type { Pipeline } from "../../core/pipeline.ts";
import type { NodeStats } from "../../core/stats.ts";
import type { Status } from "../../proto/gen/remotemedia/v1/error_pb.ts";
import { type Open, ResumeMode } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { holdsChunks, readBatch } from "../wire/batch_reader.ts";
import { failedCall } from "./failed_call.ts";
import {
  PROTOCOL_VERSION,
  readRequest,
  readSpec,
  readStates,
  writeResponse,
  writeStats,
} from "../wire/messages.ts";
import { status } from "../wire/grpc_status.ts";
import { protocolError, send, type StreamCall, writeNothingBehindStatus } from "./call.ts";
import type { Caller } from "./access.ts";
import { checkVersion } from "./check_version.ts";
import type { Admission } from "./places.ts";
import type { ServerState } from "./server_state.ts";
import { pipelinesOf } from "./pipelines/pipeline_service.ts";
import type { PipelineRun } from "./pipelines/pipelines.ts";
import { Session, type SessionLimits } from "./session.ts";
import { CallSpan, within } from "../wire/tracing.ts";
import {
  busyMsOf,
  makeNodes,
  pipelineOf,
  type ResumeAbility,
  resumeAbility,
} from "./session_nodes.ts";
import { Timeouts } from "./timeouts.ts";

const log = loggerFor("server");

/** How long a client has to half-close once its session is over, in ms. */
const HALF_CLOSE_MS = 500;

/** Runs a `Stream` call: the first message opens a session, the rest goes to it. */
export function handleStream(call: StreamCall, server: ServerState): void {
  writeNothingBehindStatus(call);
  const handler = new StreamHandler(call, server);
  call.on("data", (message: Uint8Array) => handler.receive(message));
  call.on("end", () => handler.endInput());
  call.on("cancelled", () => handler.cancel());
  call.on("error", (error: Error) => log.debug("call failed: {error}", { error }));
}

class StreamHandler {
  readonly #call: StreamCall;
  readonly #server: ServerState;
  readonly #timeouts: Timeouts;
  readonly #halfClosed = Promise.withResolvers<void>();
  #session: Session | undefined;
  #pipeline: Pipeline | undefined;
  #span: CallSpan | undefined;
  /** The registered pipeline that runs, if it is one. */
  #registered: PipelineRun | undefined;
  #admission: Admission | undefined;
  #stats: readonly NodeStats[] = [];
  #nodes: readonly AnyNode[] = [];
  /** CPU time of sandboxes that was not yet counted. */
  #sandboxMs = 0;
  /** Whether the front of several processes is asked for a place. */
  #opening = false;
  #ended = false;
  /** Whether the call's status is on its way: a message written behind it would keep it from going out. */
  #closed = false;

  constructor(call: StreamCall, server: ServerState) {
    this.#call = call;
    this.#server = server;
    this.#timeouts = new Timeouts(server.settings, (error) => this.#fail(error));
  }

  receive(message: Uint8Array): void {
    if (this.#ended) return;
    this.#timeouts.touch();
    this.#server.settings.metrics.message("in", message.length);
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
    const cause = new PipelineError("The client cancelled the session");
    this.#finish(new RemoteError(cause.message, { code: status.CANCELLED, cause }));
    void this.#session?.stop(cause);
  }

  #receive(bytes: Uint8Array): void {
    const session = this.#session;
    if (session !== undefined && holdsChunks(bytes)) {
      session.put(readBatch(bytes, this.#server.readOptions), bytes.length);
      return;
    }
    const message = readRequest(bytes);
    if (message.case === "open") {
      if (session !== undefined || this.#opening) throw protocolError("opened it twice");
      this.#open(message.value);
      return;
    }
    if (session === undefined) throw protocolError(`sent ${message.case} before it was opened`);
    if (message.case === "credit") {
      const { outputSeq, outputBytes } = message.value;
      session.grant(Number(outputSeq), Number(outputBytes));
    } else if (message.case === "finish") session.endInput();
    else if (message.case === "interrupt") {
      session.interrupt(message.value.id).catch((error) => this.#fail(error));
    } else throw protocolError(`sent ${message.case} in an unknown form`);
  }

  #open(open: Open): void {
    this.#timeouts.opened();
    checkVersion(open.protocolVersion);
    const { access } = this.#server.settings;
    const caller = access.callerOf(this.#call.metadata);
    const admitted = this.#server.admit(caller, open.reservation);
    if (!(admitted instanceof Promise)) return this.#begin(open, { caller, admission: admitted });
    this.#opening = true;
    this.#call.pause();
    admitted.then((admission) => {
      if (this.#ended) return admission.release();
      this.#opening = false;
      this.#begin(open, { caller, admission });
      this.#call.resume();
    }).catch((error) => this.#fail(error));
  }

  #begin(open: Open, { caller, admission }: { caller: Caller; admission: Admission }): void {
    this.#admission = admission;
    const onCpu = (ms: number) => void (this.#sandboxMs += ms);
    const nodes = this.#nodesOf(open, { ...caller, onCpu });
    this.#nodes = nodes;
    const pipeline = pipelineOf(nodes);
    const { resume } = open;
    if (resume !== undefined && resume.states.length > 0) {
      pipeline.restore(readStates(resume.states));
    }
    const limits = this.#limitsFor(open, caller.policy.maxBytesInFlight);
    const session = new Session(pipeline, {
      sink: {
        send: (message) => this.#send(message),
        setReading: (reading) => reading ? this.#call.resume() : this.#call.pause(),
        onStats: (stats) => this.#count(stats),
      },
      limits,
      outputSeq: Number(resume?.outputSeq ?? 0n),
    });
    this.#session = session;
    this.#pipeline = pipeline;
    this.#span = CallSpan.ofServer("Stream", {
      "remotemedia.session.id": open.session,
      "remotemedia.caller": caller.name,
      "remotemedia.resumed": resume !== undefined,
    }, this.#call.metadata);
    this.#server.live.add(session);
    void this.#sendOpened(resumeAbility(nodes), limits.outputWindow).catch(() => {}); // cancelled
    void within(this.#span.context, () => this.#run(session));
  }

  /** The nodes that are told, or those of the registered pipeline that is named. */
  #nodesOf(open: Open, caller: Caller): AnyNode[] {
    const { host } = this.#server.settings;
    if (open.pipeline === "") return makeNodes(open.segment.map(readSpec), { host, caller });
    if (open.segment.length > 0) throw protocolError("named both nodes and a pipeline");
    const isResumed = open.resume !== undefined;
    this.#registered = pipelinesOf(this.#server).open(open.pipeline, { caller, isResumed });
    return this.#registered.nodes;
  }

  #limitsFor(open: Open, share = Infinity): SessionLimits {
    const { outputWindow, inputBytes, batchBytes } = this.#server.settings.limits;
    const wanted = open.limits?.outputWindow ?? 0;
    const bytes = Number(open.limits?.outputBytes ?? 0n);
    const { usage } = this.#admission!;
    return {
      batchBytes,
      outputBytes: bytes === 0 ? Infinity : bytes,
      outputWindow: wanted === 0 ? outputWindow : Math.min(wanted, outputWindow),
      // what all sessions of a token may hold is shared between those that run now
      get inputBytes() {
        return Math.min(inputBytes, share / Math.max(1, usage.sessions));
      },
    };
  }

  #send(message: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new PipelineError("The session is over"));
    if (holdsChunks(message)) this.#timeouts.touch(); // stats alone are no sign of life
    this.#server.settings.metrics.message("out", message.length);
    return send(this.#call, message);
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
      pipeline: this.#registered?.address ?? "",
    };
    await this.#send(writeResponse({ case: "opened", value }));
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

  /** What the nodes did since the last time, for metrics and quotas. */
  #count(stats: readonly NodeStats[]): void {
    this.#server.settings.metrics.nodes(this.#stats, stats);
    const worked = busyMsOf(this.#nodes, stats) - busyMsOf(this.#nodes, this.#stats) +
      this.#sandboxMs;
    this.#sandboxMs = 0;
    this.#stats = stats;
    try {
      this.#admission?.usage.addCpu(worked)?.catch((error) => this.#fail(error));
    } catch (error) {
      this.#fail(error); // at once: a node that does not come back is not waited for
    }
  }

  /** What the nodes did in all, when nothing can end any more. */
  #countLast(stats: readonly NodeStats[], error: unknown): void {
    this.#count(stats);
    this.#span?.nodes(stats, error);
    this.#span?.end(error);
  }

  /** Ends the call with an error, once. */
  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#finish(error);
    log.debug("session failed: {error}", { error });
    this.#registered?.failed(error);
    void this.#session?.stop(error);
    const told = failedCall(error);
    this.#server.settings.metrics.failed(error);
    this.#tellStats();
    void this.#sendEnded(told.message).then(() => this.#call.emit("error", told));
  }

  /** Tells the client what the nodes did until they failed: nobody else does then. */
  #tellStats(): void {
    if (this.#pipeline === undefined) return;
    const nodes = this.#pipeline.stats().map(writeStats);
    this.#send(writeResponse({ case: "stats", value: { nodes } })).catch(() => {}); // cancelled
  }

  /** Tells the client how the session ended, and waits until it has nothing more to send. */
  async #sendEnded(status: Status | undefined): Promise<void> {
    this.#call.resume(); // what still comes is read and thrown away
    const timer = setTimeout(() => this.#halfClosed.resolve(), HALF_CLOSE_MS);
    try {
      // a client that does not read is not waited for either
      await Promise.race([
        send(this.#call, writeResponse({ case: "ended", value: { status } })),
        this.#halfClosed.promise,
      ]);
      await this.#halfClosed.promise;
    } catch {
      // cancelled: nobody waits for a status
    } finally {
      clearTimeout(timer);
      this.#closed = true;
    }
  }

  #finish(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#pipeline !== undefined) this.#countLast(this.#pipeline.stats(), error);
    this.#timeouts.clear();
    if (this.#session !== undefined) this.#server.live.delete(this.#session);
    this.#admission?.release();
  }
}
