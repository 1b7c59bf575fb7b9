import { RemoteError, SandboxError } from "../../core/errors.ts";
import type { NodeSpec } from "../../core/executor.ts";
import type { NodeStats } from "../../core/stats.ts";
import { type Opened, ResumeMode } from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { holdsChunks } from "../wire/batch_reader.ts";
import { errorOf, type FailedCall } from "../wire/errors.ts";
import { status } from "../wire/grpc_status.ts";
import { readResponse, writeRequest } from "../wire/messages.ts";
import { writeOpen } from "./open_message.ts";
import type { InputSide } from "./input_side.ts";
import type { OutputSide } from "./output_side.ts";
import type { Dialed, SegmentHost } from "./segment_host.ts";
import { SessionCounts } from "./session_counts.ts";
import { StreamConnection } from "./stream_connection.ts";

/** Who a {@linkcode SessionLink} works for. */
export interface LinkOwner {
  readonly inputs: InputSide;
  readonly outputs: OutputSide;
  /** Something has come: there may be outputs. */
  received(): void;
  /** Nothing of before an interrupt comes any more. */
  interrupted(id: bigint): void;
  /** All has come that comes. @param failure why, if not well */
  over(failure: unknown): void;
}

/** The session of a segment, over as many connections as it takes: it goes on elsewhere after a failure. */
export class SessionLink {
  readonly #specs: readonly NodeSpec[];
  readonly #host: SegmentHost;
  readonly #owner: LinkOwner;
  readonly #session = crypto.randomUUID();
  readonly #abort = new AbortController();
  #connection: StreamConnection | undefined;
  #report: Dialed["report"] = () => {};
  #where = "the server";
  #begun = false;
  #isFinishing = false;
  /** What the server said that opened it last; `undefined` before the first did. */
  #opened: Opened | undefined;
  /** How often it failed since it last got on. */
  #attempt = 0;
  readonly #counts: SessionCounts;

  constructor(specs: readonly NodeSpec[], host: SegmentHost, owner: LinkOwner) {
    this.#specs = specs;
    this.#host = host;
    this.#owner = owner;
    this.#counts = new SessionCounts(specs);
    owner.inputs.askForStates(host.resume);
  }

  /** What the nodes did, as last told. */
  get stats(): NodeStats[] {
    return this.#counts.stats;
  }

  /** Whether it was asked to connect. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Connects, the first time that it is called. */
  begin(): void {
    if (this.#begun || this.#abort.signal.aborted) return;
    this.#begun = true;
    void this.#connect();
  }

  /** No input follows. */
  finish(): void {
    this.#isFinishing = true;
    this.#sendFinish();
  }

  /** Ends it; nothing is told any more. */
  cancel(reason: unknown): void {
    this.#abort.abort(reason);
    this.#connection?.cancel();
    this.#detach();
  }

  #sendFinish(): void {
    if (this.#connection === undefined || !this.#isFinishing) return;
    this.#owner.inputs.flush();
    this.#connection.send(writeRequest({ case: "finish", value: {} }));
  }

  async #connect(): Promise<void> {
    let dialed: Dialed;
    try {
      dialed = await this.#host.dial(this.#attempt, this.#abort.signal);
    } catch (error) {
      this.#retryOrFail(error as Error);
      return;
    }
    const { call, where, reservation, report } = dialed;
    if (this.#abort.signal.aborted) {
      call.on("error", () => {});
      call.cancel();
      return;
    }
    this.#where = where;
    this.#report = report;
    const { inputs, outputs } = this.#owner;
    const connection = new StreamConnection(call, {
      message: (bytes) => this.#receive(bytes),
      idle: () => inputs.flush(),
      end: (failure) => this.#onEnd(failure),
    });
    this.#connection = connection;
    this.#counts.reconnect();
    try {
      connection.send(writeOpen(this.#specs, {
        session: this.#session,
        // the version that the first connection opened, also where a newer one is there by now
        pipeline: this.#opened?.pipeline || this.#host.pipeline || "",
        limits: this.#host.limits,
        reservation,
        resume: outputs.resumePoint,
      }));
    } catch (error) {
      this.#fail(error); // an option that cannot travel
      return;
    }
    inputs.attach(connection);
    outputs.attach(connection, inputs.sent);
    inputs.flush();
    this.#sendFinish();
  }

  #receive(bytes: Uint8Array): void {
    const { outputs } = this.#owner;
    try {
      if (!holdsChunks(bytes)) this.#receiveOther(bytes);
      // it gets on: a chunk that kills every server is not tried for ever
      else if (outputs.receive(bytes)) this.#attempt = 0;
    } catch (error) {
      this.#fail(error);
    }
    this.#owner.received();
    outputs.checkReading();
  }

  #receiveOther(bytes: Uint8Array): void {
    const { inputs, outputs } = this.#owner;
    const message = readResponse(bytes);
    switch (message.case) {
      case "opened":
        return this.#onOpened(message.value);
      case "ack":
        if (this.#asksForStates && !message.value.snapshot) return;
        if (outputs.acknowledge(message.value)) this.#attempt = 0;
        this.#counts.reach(message.value.counts);
        return;
      case "stats":
        this.#counts.accept(message.value.nodes);
        return;
      case "interrupted": {
        const { id } = message.value;
        outputs.interrupted(inputs.sentInterrupt(id));
        return this.#owner.interrupted(id);
      }
      case "ended": {
        const { status } = message.value;
        this.#connection?.finish();
        return this.#onEnd(
          status && { code: status.code, details: status.message, ended: status },
        );
      }
    }
  }

  #onOpened(opened: Opened): void {
    this.#opened = opened;
    this.#owner.outputs.setWindow(opened.outputWindow || this.#host.limits.chunks);
    this.#owner.inputs.askForStates(this.#asksForStates);
    this.#report(undefined);
  }

  /** Whether only an Ack with states lets the session go on elsewhere. */
  get #asksForStates(): boolean {
    return this.#opened?.resumeMode === ResumeMode.SNAPSHOT && this.#host.resume;
  }

  #onEnd(failure: FailedCall | undefined): void {
    this.#detach();
    if (failure === undefined) return this.#owner.over(undefined);
    const error = errorOf(failure, this.#where, (node) => this.#counts.chunksBefore(node));
    this.#host.localize?.(error);
    this.#report(error);
    this.#retryOrFail(error);
  }

  #detach(): void {
    this.#connection = undefined;
    this.#owner.inputs.detach();
    this.#owner.outputs.detach();
  }

  #retryOrFail(error: Error): void {
    const { attempts, resume } = this.#host;
    const opened = this.#opened;
    // what never ran is not tried again: most likely the address is wrong
    if (!isRetryable(error) || !resume || opened === undefined) return this.#owner.over(error);
    if (opened.resumeMode === ResumeMode.NONE) {
      return this.#owner.over(
        error instanceof SandboxError ? error : notResumable(opened.notResumable, error),
      );
    }
    if (++this.#attempt > attempts) return this.#owner.over(error);
    const { resumePoint } = this.#owner.outputs;
    if (resumePoint !== undefined) this.#owner.inputs.trim(resumePoint.inputSeq);
    void this.#connect();
  }

  #fail(error: unknown): void {
    this.#connection?.cancel();
    this.#detach();
    this.#owner.over(error);
  }
}

/** Whether the same may go well on another server, or in another sandbox. */
function isRetryable(error: Error): boolean {
  return (error instanceof RemoteError || error instanceof SandboxError) && error.retryable;
}

function notResumable(node: string, cause: Error): RemoteError {
  return new RemoteError(
    `Cannot go on with the session as node "${node}" keeps a state and has no ` +
      `snapshot(): ${cause.message}`,
    { code: status.UNAVAILABLE, cause },
  );
}
