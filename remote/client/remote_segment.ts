import { status } from "@grpc/grpc-js";
import { PipelineError, RemoteError, SandboxError } from "../../core/errors.ts";
import type { NodeSpec, Segment } from "../../core/executor.ts";
import { Marker } from "../../core/frames/mod.ts";
import type { NodeStats } from "../../core/stats.ts";
import { AckRequest } from "../../proto/gen/remotemedia/v1/chunk_pb.ts";
import {
  type Ack,
  type Opened,
  ResumeMode,
} from "../../proto/gen/remotemedia/v1/execution_service_pb.ts";
import { holdsChunks, readBatch } from "../wire/batch_reader.ts";
import { BatchWriter } from "../wire/batch_writer.ts";
import { errorOf, type FailedCall } from "../wire/errors.ts";
import {
  PROTOCOL_VERSION,
  readResponse,
  readStats,
  writeRequest,
  writeSpec,
  writeStates,
} from "../wire/messages.ts";
import { InputWindow, type SentInterrupt, type WindowLimits } from "./input_window.ts";
import { OutputQueue } from "./output_queue.ts";
import { type StreamCall, StreamConnection } from "./stream_connection.ts";

/** A call that can carry a session. */
export interface Dialed {
  /** The call, to which nothing was sent yet. */
  call: StreamCall;
  /** What to call the server in errors. */
  where: string;
  /** The place that the server keeps; empty for none. */
  reservation: string;
  /** Tells how it went: `undefined` if well. */
  report(failure: Error | undefined): void;
}

/** What a segment needs of its executor. */
export interface SegmentHost {
  /** Makes a call to a server. @param attempt how many failed since the last that worked */
  dial(attempt: number, signal: AbortSignal): Promise<Dialed>;
  /** The segment is over. @param reason why, if not well */
  ended(reason: unknown): void;
  /** Puts the places of this machine into an error of the server. */
  localize?(error: Error): void;
  /** The registered pipeline that is opened, instead of nodes. */
  readonly pipeline?: string;
  /** How often it may fail in a row, once a session has run. */
  readonly attempts: number;
  /** Whether sessions go on after a failure. */
  readonly resume: boolean;
  /** What bounds the inputs and outputs on their way. */
  readonly limits: WindowLimits;
}

/** Bytes that a batch grows to while another is on its way. */
const BATCH_BYTES = 256 * 1024;

/** Nodes that run on a server, behind two local streams. */
export class RemoteSegment implements Segment {
  readonly readable: ReadableStream<unknown>;
  readonly writable: WritableStream<unknown>;
  readonly #specs: readonly NodeSpec[];
  readonly #host: SegmentHost;
  readonly #session = crypto.randomUUID();
  readonly #abort = new AbortController();
  readonly #batch = new BatchWriter();
  readonly #window: InputWindow;
  readonly #outputs = new OutputQueue();
  #batchMarkers: Marker[] = [];
  #readableSide!: ReadableStreamDefaultController<unknown>;
  #writableSide!: WritableStreamDefaultController;
  #connection: StreamConnection | undefined;
  #report: Dialed["report"] = () => {};
  #where = "the server";
  #begun = false;
  #ended = false;
  #failure: unknown;
  #finished = false;
  #closing: PromiseWithResolvers<void> | undefined;
  /** Resolved when a waiting write should look again whether it may go on. */
  #room: PromiseWithResolvers<void> | undefined;
  /** Whether somebody waits for an output. */
  #wanted = false;
  #reading = true;
  /** Chunks that came to the writable side, were taken from its queue, and are void up to. */
  #written = 0;
  #taken = 0;
  #dropUntil = 0;
  /** The last output that came, that was read, and that the server was told of as read. */
  #receivedSeq = 0;
  #consumedSeq = 0;
  #creditedSeq = 0;
  #outputWindow: number;
  /** Bytes of messages on this connection that came, and the least that the server was told as read. */
  #receivedBytes = 0;
  #creditedBytes = 0;
  /** What to add to this connection's output numbers: a replayed interrupt drops other outputs. */
  #seqOffset = 0;
  #ack: { inputSeq: number; outputSeq: number; states: ReturnType<typeof writeStates> } | undefined;
  /** What the server said that opened it last; `undefined` before the first did. */
  #opened: Opened | undefined;
  #attempt = 0;
  /** Lets go of what is read, while something is. */
  #sourceCancel: ((reason: unknown) => void) | undefined;
  #interrupts = new Map<bigint, PromiseWithResolvers<void>>();
  #stats: NodeStats[];

  constructor(specs: readonly NodeSpec[], host: SegmentHost) {
    this.#specs = specs;
    this.#host = host;
    this.#window = new InputWindow(host.limits);
    this.#outputWindow = host.limits.chunks;
    this.#stats = specs.map(noStats);
    this.readable = new ReadableStream<unknown>({
      start: (controller) => {
        this.#readableSide = controller;
      },
      pull: () => {
        this.#wanted = true;
        this.#begin();
        this.#give();
      },
      cancel: (reason) => {
        this.#writableSide.error(reason);
        this.#end(reason);
      },
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<unknown>({
      start: (controller) => {
        this.#writableSide = controller;
        controller.signal.addEventListener("abort", () => {
          void this.stop(controller.signal.reason);
        }, { once: true });
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#close(),
      abort: (reason) => this.stop(reason),
    }, {
      highWaterMark: 1,
      size: () => {
        this.#written++;
        return 1;
      },
    });
  }

  /** As many as may be on their way, and the one that waits to be. */
  get capacity(): number {
    return this.#host.limits.chunks + 1;
  }

  stats(): NodeStats[] {
    return this.#stats;
  }

  restore(states: ReadonlyMap<string, unknown>): void {
    if (this.#begun) throw new PipelineError("Cannot restore states as the nodes are open");
    const names = new Set(this.#specs.map(({ name }) => name));
    // which nodes a pipeline has that the server keeps is not known here
    const held = [...states].filter(([name]) => names.size === 0 || names.has(name));
    if (held.length === 0) return;
    this.#ack = { inputSeq: 0, outputSeq: 0, states: writeStates(new Map(held)) };
  }

  stop(reason: unknown): Promise<void> {
    if (!this.#ended) {
      this.#writableSide.error(reason);
      this.#readableSide.error(reason);
    }
    this.#end(reason);
    return Promise.resolve();
  }

  /** Reads all of a source, a stream less for a chunk to cross than if it were written. */
  feed(source: ReadableStream<unknown>): Promise<void> {
    this.writable.getWriter(); // nobody else may write
    const reader = source.getReader();
    const over = Promise.withResolvers<void>();
    const cancel = (reason: unknown) => {
      over.resolve();
      reader.cancel(reason).catch(() => {}); // it fails with the reason that it was given
    };
    const stop = (reason: unknown) => void this.stop(reason);
    const next = () => void reader.read().then(take, stop);
    const take = ({ done, value }: ReadableStreamReadResult<unknown>) => {
      if (this.#ended) return;
      if (done) {
        this.#sourceCancel = undefined;
        this.#close().then(over.resolve, over.resolve as () => void); // the readable side tells
        return;
      }
      this.#written++;
      let work: void | Promise<void>;
      try {
        work = this.#write(value);
      } catch (error) {
        return stop(error);
      }
      if (work === undefined) next();
      else work.then(next, stop);
    };
    if (this.#ended) cancel(this.#failure);
    else {
      this.#sourceCancel = cancel;
      next();
    }
    return over.promise;
  }

  async interrupt(): Promise<void> {
    if (this.#ended) return;
    this.#dropUntil = this.#written;
    const markers = this.#batchMarkers;
    this.#batch.clear();
    for (const marker of markers) this.#batch.add(marker);
    this.#outputs.drop();
    this.#wake();
    if (!this.#begun) return;
    const interrupt = BigInt(crypto.getRandomValues(new Uint32Array(1))[0]!);
    const done = Promise.withResolvers<void>();
    this.#interrupts.set(interrupt, done);
    this.#flush();
    this.#window.addInterrupt({ interrupt });
    this.#connection?.send(writeInterrupt(interrupt));
    this.#checkReading();
    await done.promise;
  }

  #write(chunk: unknown): void | Promise<void> {
    this.#begin();
    const number = ++this.#taken;
    if (number <= this.#dropUntil && !(chunk instanceof Marker)) return;
    if (!this.#window.hasRoom(this.#batch.count, this.#batch.size)) {
      return this.#writeLater(chunk, number);
    }
    this.#add(chunk);
    if (this.#batch.size >= BATCH_BYTES) return this.#untilSent();
  }

  async #writeLater(chunk: unknown, number: number): Promise<void> {
    while (!this.#window.hasRoom(this.#batch.count, this.#batch.size)) {
      await this.#nextRoom();
      if (number <= this.#dropUntil && !(chunk instanceof Marker)) return;
    }
    this.#add(chunk);
  }

  async #untilSent(): Promise<void> {
    while (this.#batch.size >= BATCH_BYTES) await this.#nextRoom();
  }

  async #nextRoom(): Promise<void> {
    if (!this.#ended) {
      this.#room ??= Promise.withResolvers<void>();
      await this.#room.promise;
    }
    if (this.#ended) throw this.#failure;
  }

  #wake(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #add(chunk: unknown): void {
    try {
      this.#batch.add(chunk);
    } catch (error) {
      void this.stop(error);
      throw error;
    }
    if (chunk instanceof Marker) this.#batchMarkers.push(chunk);
    if (this.#connection !== undefined && !this.#connection.busy) this.#flush();
  }

  /** Sends the batch, if there is a connection; else it waits for one. */
  #flush(): void {
    const connection = this.#connection;
    const { count, size } = this.#batch;
    if (connection === undefined || count === 0) return;
    const ackRequest = this.#ackRequest(count, size);
    const batch = this.#batch.finish(this.#window.nextSeq, ackRequest);
    this.#batchMarkers = [];
    this.#window.add(batch, ackRequest);
    connection.send(batch.message);
    if (this.#room !== undefined) this.#wake();
  }

  #ackRequest(count: number, size: number): AckRequest {
    if (!this.#window.wantsAck(count, size)) return AckRequest.UNSPECIFIED;
    const mode = this.#opened?.resumeMode ?? ResumeMode.SNAPSHOT;
    return this.#host.resume && mode === ResumeMode.SNAPSHOT ? AckRequest.SNAPSHOT : AckRequest.ACK;
  }

  async #close(): Promise<void> {
    this.#begin();
    this.#closing = Promise.withResolvers<void>();
    this.#sendFinish();
    await this.#closing.promise;
  }

  #sendFinish(): void {
    if (this.#connection === undefined || this.#closing === undefined) return;
    this.#flush();
    this.#connection.send(writeRequest({ case: "finish", value: {} }));
  }

  /** Connects, the first time that it is called. */
  #begin(): void {
    if (this.#begun || this.#ended) return;
    this.#begun = true;
    void this.#connect();
  }

  async #connect(): Promise<void> {
    let dialed: Dialed;
    try {
      dialed = await this.#host.dial(this.#attempt, this.#abort.signal);
    } catch (error) {
      this.#retryOrFail(error as Error);
      return;
    }
    if (this.#ended) {
      dialed.call.on("error", () => {});
      dialed.call.cancel();
      return;
    }
    const { call, where, reservation, report } = dialed;
    this.#where = where;
    this.#report = report;
    this.#seqOffset = 0;
    this.#reading = true;
    const connection = new StreamConnection(call, {
      message: (bytes) => this.#receive(bytes),
      idle: () => this.#flush(),
      end: (failure) => this.#onEnd(failure),
    });
    this.#connection = connection;
    try {
      connection.send(this.#openMessage(reservation));
    } catch (error) {
      this.#fail(error); // an option that cannot travel
      return;
    }
    for (const item of this.#window.items) {
      connection.send("interrupt" in item ? writeInterrupt(item.interrupt) : item.message);
    }
    this.#creditedSeq = this.#ack?.outputSeq ?? 0;
    this.#receivedBytes = 0;
    this.#creditedBytes = 0;
    if (this.#consumedSeq > this.#creditedSeq) this.#grant();
    this.#flush();
    this.#sendFinish();
  }

  #openMessage(reservation: string): Uint8Array {
    const ack = this.#ack;
    return writeRequest({
      case: "open",
      value: {
        protocolVersion: PROTOCOL_VERSION,
        segment: this.#specs.map(writeSpec),
        // the version that the first connection opened, also where a newer one is there by now
        pipeline: this.#opened?.pipeline || this.#host.pipeline || "",
        session: this.#session,
        limits: {
          outputWindow: this.#host.limits.chunks,
          inputWindow: this.#host.limits.chunks,
          outputBytes: BigInt(this.#host.limits.bytes),
        },
        reservation,
        ...(ack !== undefined && {
          resume: {
            inputSeq: BigInt(ack.inputSeq),
            outputSeq: BigInt(ack.outputSeq),
            states: ack.states,
          },
        }),
      },
    });
  }

  #receive(bytes: Uint8Array): void {
    try {
      if (holdsChunks(bytes)) this.#receiveChunks(bytes);
      else this.#receiveOther(bytes);
    } catch (error) {
      this.#fail(error);
    }
    this.#give();
    this.#checkReading();
  }

  #receiveChunks(bytes: Uint8Array): void {
    this.#receivedBytes += bytes.length;
    const { firstSeq, chunks } = readBatch(bytes);
    const lastSeq = firstSeq + chunks.length - 1 + this.#seqOffset;
    const known = this.#receivedSeq - (lastSeq - chunks.length);
    if (known >= chunks.length) return this.#grantBytes(); // came before the connection broke
    const fresh = known > 0 ? chunks.slice(known) : chunks;
    this.#receivedSeq = lastSeq;
    this.#attempt = 0; // it gets on: a chunk that kills every server is not tried for ever
    // what was sent before the server heard of an interrupt is void
    const live = this.#interrupts.size === 0
      ? fresh
      : fresh.filter((chunk) => chunk instanceof Marker);
    this.#outputs.put(live, lastSeq, bytes.length);
  }

  #receiveOther(bytes: Uint8Array): void {
    const message = readResponse(bytes);
    switch (message.case) {
      case "opened":
        this.#opened = message.value;
        this.#outputWindow = message.value.outputWindow || this.#host.limits.chunks;
        this.#report(undefined);
        return;
      case "ack":
        return this.#acknowledged(message.value);
      case "stats":
        this.#stats = message.value.nodes.map(readStats);
        return;
      case "interrupted":
        return this.#interrupted(message.value.id, Number(message.value.outputSeq));
      case "ended": {
        const { status } = message.value;
        this.#connection?.finish();
        return this.#onEnd(
          status && { code: status.code, details: status.message, ended: status },
        );
      }
    }
  }

  #acknowledged({ inputSeq, outputSeq, states, snapshot }: Ack): void {
    if (this.#opened?.resumeMode === ResumeMode.SNAPSHOT && this.#host.resume && !snapshot) return;
    if (Number(inputSeq) > (this.#ack?.inputSeq ?? 0)) this.#attempt = 0;
    this.#ack = {
      inputSeq: Number(inputSeq),
      outputSeq: Number(outputSeq) + this.#seqOffset,
      states,
    };
    this.#outputs.putAck(Number(inputSeq));
  }

  #interrupted(id: bigint, outputSeq: number): void {
    const sent = this.#window.items.find((item): item is SentInterrupt =>
      "interrupt" in item && item.interrupt === id
    );
    if (sent?.outputSeq !== undefined) this.#seqOffset = sent.outputSeq - outputSeq; // a replay
    else {
      this.#receivedSeq = outputSeq + this.#seqOffset;
      if (sent !== undefined) sent.outputSeq = this.#receivedSeq;
    }
    this.#consumedSeq = Math.max(this.#consumedSeq, this.#receivedSeq);
    this.#grant();
    this.#interrupts.get(id)?.resolve();
    this.#interrupts.delete(id);
  }

  /** Hands an output to whoever waits for one. */
  #give(): void {
    while (!this.#ended) {
      const acknowledged = this.#outputs.takeAck();
      if (acknowledged !== undefined) {
        this.#window.trim(acknowledged);
        this.#wake();
        continue;
      }
      const taken = this.#wanted ? this.#outputs.take() : undefined;
      if (taken === undefined) break;
      this.#wanted = false;
      this.#consumedSeq = Math.max(this.#consumedSeq, taken.seq);
      if (2 * (this.#consumedSeq - this.#creditedSeq) >= this.#outputWindow) this.#grant();
      if (taken.freed > 0) this.#grantBytes();
      this.#readableSide.enqueue(taken.chunk);
    }
    if (this.#finished && !this.#ended && this.#outputs.empty) this.#finish();
    this.#checkReading();
  }

  /** Bytes of this connection's messages that are read. What is queued may be of an earlier one, which errs on the safe side. */
  get #consumedBytes(): number {
    return Math.max(0, this.#receivedBytes - this.#outputs.bytes);
  }

  #grantBytes(): void {
    if (2 * (this.#consumedBytes - this.#creditedBytes) >= this.#host.limits.bytes) this.#grant();
  }

  #grant(): void {
    if (this.#connection === undefined) return;
    this.#creditedSeq = this.#consumedSeq;
    this.#creditedBytes = this.#consumedBytes;
    const outputSeq = BigInt(Math.max(0, this.#consumedSeq - this.#seqOffset));
    const outputBytes = BigInt(this.#creditedBytes);
    this.#connection.send(writeRequest({ case: "credit", value: { outputSeq, outputBytes } }));
  }

  #checkReading(): void {
    const reading = this.#outputs.bytes < this.#host.limits.bytes || this.#interrupts.size > 0;
    if (reading === this.#reading || this.#connection === undefined) return;
    this.#reading = reading;
    this.#connection.setReading(reading);
  }

  #onEnd(failure: FailedCall | undefined): void {
    this.#connection = undefined;
    if (failure === undefined) {
      this.#finished = true;
      this.#give();
      return;
    }
    const error = errorOf(failure, this.#where);
    this.#host.localize?.(error);
    this.#report(error);
    this.#retryOrFail(error);
  }

  #retryOrFail(error: Error): void {
    const { attempts, resume } = this.#host;
    const opened = this.#opened;
    // what never ran is not tried again: most likely the address is wrong
    if (!isRetryable(error) || !resume || opened === undefined) {
      return this.#failAfterOutputs(error);
    }
    if (opened.resumeMode === ResumeMode.NONE) {
      if (error instanceof SandboxError) return this.#failAfterOutputs(error);
      const { notResumable } = opened;
      return this.#failAfterOutputs(
        new RemoteError(
          `Cannot go on with the session as node "${notResumable}" keeps a state and has no ` +
            `snapshot(): ${error.message}`,
          { code: status.UNAVAILABLE, cause: error },
        ),
      );
    }
    if (++this.#attempt > attempts) return this.#failAfterOutputs(error);
    if (this.#ack !== undefined) this.#window.trim(this.#ack.inputSeq);
    void this.#connect();
  }

  /** What came before the failure is read first. */
  #failAfterOutputs(error: unknown): void {
    this.#failure = error;
    this.#finished = true;
    this.#writableSide.error(error);
    this.#wake();
    this.#give();
  }

  #fail(error: unknown): void {
    this.#connection?.cancel();
    this.#connection = undefined;
    this.#failAfterOutputs(error);
  }

  /** All outputs are read. */
  #finish(): void {
    const failure = this.#failure;
    if (failure === undefined) this.#readableSide.close();
    else this.#readableSide.error(failure);
    this.#end(failure);
  }

  #end(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = reason;
    this.#abort.abort(reason);
    this.#host.ended(reason);
    this.#connection?.cancel();
    this.#connection = undefined;
    this.#outputs.clear();
    this.#wake();
    for (const { resolve } of this.#interrupts.values()) resolve();
    this.#interrupts.clear();
    if (reason === undefined) this.#closing?.resolve();
    else {
      this.#closing?.promise.catch(() => {}); // whoever closed it is told
      this.#closing?.reject(reason);
    }
  }
}

/** Whether the same may go well on another server, or in another sandbox. */
function isRetryable(error: Error): boolean {
  return (error instanceof RemoteError || error instanceof SandboxError) && error.retryable;
}

function writeInterrupt(id: bigint): Uint8Array {
  return writeRequest({ case: "interrupt", value: { id } });
}

function noStats({ name, type }: NodeSpec): NodeStats {
  return {
    name,
    type,
    in: 0,
    out: 0,
    dropped: 0,
    errors: 0,
    busyMs: 0,
    latency: { p50: 0, p95: 0, p99: 0 },
    queueDepth: 0,
  };
}
