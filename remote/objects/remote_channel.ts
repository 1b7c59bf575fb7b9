import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { PipelineError, RemoteError } from "../../core/errors.ts";
import type { Bundle } from "../../packaging/bundle.ts";
import {
  ConnectRequestSchema,
  ConnectResponseSchema,
  ObjectService,
} from "../../proto/gen/remotemedia/v1/object_service_pb.ts";
import { localizeFailure } from "../sandbox/localize_failure.ts";
import { decodeGuestMessage } from "../sandbox/guest_codec.ts";
import { encodeHostMessage } from "../sandbox/host_codec.ts";
import type { GuestMessage, Operation, Outcome } from "../sandbox/protocol.ts";
import { errorOf, type FailedCall } from "../wire/errors.ts";
import { type Callable, same, toBuffer } from "./bundle_uploads.ts";
import type { CallbackTable, ObjectChannel } from "./object_channel.ts";

/** gRPC's UNAVAILABLE. */
const UNAVAILABLE = 14;
/** How long a server may take to end a session, in ms; one that is left to itself ends when it is idle. */
const CLOSE_MS = 5_000;
/** The version of the protocol that this code speaks. */
const PROTOCOL_VERSION = 1;

type Stream = ClientDuplexStream<Uint8Array, Uint8Array>;
type Request = MessageInitShape<typeof ConnectRequestSchema>["message"];

/** A connection to the session. */
interface Connection {
  call: Stream;
  opened: PromiseWithResolvers<void>;
}

/**
 * A module on a server. The session there outlives a connection: what is under way when one breaks fails as
 * retryable, what comes after connects again.
 */
export class RemoteChannel implements ObjectChannel {
  readonly #server: Callable;
  readonly #bundle: Bundle;
  readonly #callbacks: CallbackTable;
  readonly #session = crypto.getRandomValues(new Uint8Array(16)).toHex();
  readonly #operations = new Map<number, PromiseWithResolvers<Outcome>>();
  #connection: Connection | undefined;
  #wasOpened = false;
  #closed = false;
  #nextId = 1;
  readonly #ended: () => void;

  /** @param server where; @param options the bundle, the caller's functions, and who is told of the end */
  constructor(server: Callable, { bundle, callbacks, ended }: {
    bundle: Bundle;
    callbacks: CallbackTable;
    ended: () => void;
  }) {
    this.#server = server;
    this.#bundle = bundle;
    this.#callbacks = callbacks;
    this.#ended = ended;
  }

  /** Loads the module. @throws what the server, the sandbox or the module throws */
  async open(): Promise<void> {
    await this.#connect().opened.promise;
  }

  /** Does one thing there. */
  async operate(operation: Operation): Promise<Outcome> {
    if (this.#closed) throw new PipelineError("Cannot use a remote module that was closed");
    const connection = this.#connect();
    const id = this.#nextId++;
    const done = Promise.withResolvers<Outcome>();
    this.#operations.set(id, done);
    this.#send(connection, {
      case: "say",
      value: encodeHostMessage({ type: "operate", id, operation }),
    });
    return await done.promise;
  }

  /** Ends the session there. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended();
    const connection = this.#connection;
    this.#fail(new PipelineError("The remote module was closed"));
    if (connection === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    connection.call.once("close", resolve);
    connection.call.once("status", resolve); // a call that fails is not closed
    this.#send(connection, { case: "close", value: {} });
    connection.call.end();
    const timer = setTimeout(() => connection.call.cancel(), CLOSE_MS);
    await promise;
    clearTimeout(timer);
  }

  /** The connection there is, or a new one. */
  #connect(): Connection {
    if (this.#connection !== undefined) return this.#connection;
    const { client, metadata } = this.#server.calls();
    const path = `/${ObjectService.typeName}/${ObjectService.method.connect.name}`;
    const call = client.makeBidiStreamRequest(path, toBuffer, same, metadata) as Stream;
    const connection: Connection = { call, opened: Promise.withResolvers() };
    connection.opened.promise.catch(() => {}); // open() is told; for others, their operations are
    this.#connection = connection;
    call.on("data", (bytes: Uint8Array) => this.#receive(bytes, connection));
    call.on("error", (failure: FailedCall) => this.#lost(connection, failure));
    call.on("end", () => this.#lost(connection, undefined));
    const open = {
      protocolVersion: PROTOCOL_VERSION,
      session: this.#session,
      bundle: this.#bundle.digest,
      resume: this.#wasOpened,
    };
    this.#send(connection, { case: "open", value: open });
    return connection;
  }

  #send({ call }: Connection, message: Request): void {
    call.write(toBinary(ConnectRequestSchema, create(ConnectRequestSchema, { message })));
  }

  #receive(bytes: Uint8Array, connection: Connection): void {
    const { message } = fromBinary(ConnectResponseSchema, bytes);
    if (message.case === "opened") {
      this.#wasOpened = true;
      connection.opened.resolve();
    } else if (message.case === "say") this.#accept(decodeGuestMessage(message.value), connection);
  }

  #accept(message: GuestMessage, connection: Connection): void {
    if (message.type === "operated") {
      const { outcome } = message;
      this.#operations.get(message.id)?.resolve(
        outcome.kind === "failed"
          ? { kind: "failed", failure: localizeFailure(outcome.failure, this.#bundle) }
          : outcome,
      );
      this.#operations.delete(message.id);
    } else if (message.type === "call-back") {
      void this.#answer(message, connection);
    }
  }

  async #answer(
    { id, callback, args }: GuestMessage & { type: "call-back" },
    connection: Connection,
  ): Promise<void> {
    const outcome = await this.#callbacks.call(callback, args);
    const value = encodeHostMessage({ type: "called-back", id, outcome });
    this.#send(connection, { case: "say", value });
  }

  /** The connection broke, or the server ended it. */
  #lost(connection: Connection, failure: FailedCall | undefined): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    const error = failure === undefined
      ? new RemoteError(`The server at ${this.#server.where} ended the connection`, {
        code: UNAVAILABLE,
        retryable: true,
      })
      : errorOf(failure, this.#server.where);
    connection.opened.reject(error);
    this.#fail(error);
  }

  #fail(error: Error): void {
    for (const operation of this.#operations.values()) operation.reject(error);
    this.#operations.clear();
  }
}
