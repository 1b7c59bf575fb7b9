import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { messageOf, RemoteError } from "../../core/errors.ts";
import { loggerFor } from "../../core/log.ts";
import {
  ConnectRequestSchema,
  ConnectResponseSchema,
  ObjectService,
  type OpenModule,
} from "../../proto/gen/remotemedia/v1/object_service_pb.ts";
import { encodeGuestMessage } from "../sandbox/guest_codec.ts";
import { decodeHostMessage } from "../sandbox/host_codec.ts";
import type { GuestMessage } from "../sandbox/protocol.ts";
import { failedCall } from "./failed_call.ts";
import { malformed } from "../wire/proto_reader.ts";
import { protocolError, type StreamCall, writeNothingBehindStatus } from "./call.ts";
import { definitionOf } from "./definition.ts";
import { type Client, ObjectSession } from "./object_session.ts";
import type { Places } from "./places.ts";
import type { Access } from "./access.ts";
import type { UserCode } from "./user_code.ts";

/** gRPC's NOT_FOUND and RESOURCE_EXHAUSTED. */
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
/** With so many bytes on their way to a client, its sandbox is not read. */
const MAX_UNSENT_BYTES = 16 << 20;
/** The most modules that are loaded at once. */
const MAX_SESSIONS = 1_000;

const log = loggerFor("server", "objects");

/** The RPCs of `ObjectService`, for grpc-js. */
export const objectService: ServiceDefinition = definitionOf(ObjectService);

/** One handler an RPC. */
export function objectHandlers(
  userCode: UserCode,
  { access, places }: { access: Access; places: Places },
): UntypedServiceImplementation {
  const sessions = new Map<string, ObjectSession>();
  return {
    connect: (call: StreamCall) => {
      writeNothingBehindStatus(call);
      const connection = new ObjectConnection(call, { sessions, userCode, access, places });
      call.on("data", (message: Uint8Array) => connection.receive(message));
      call.on("end", () => connection.end());
      call.on("cancelled", () => connection.end());
      call.on("error", (error: Error) => log.debug("call failed: {error}", { error }));
    },
  };
}

/** One connection of a client to its session: not read while its sandbox does not read, nor the other way round. */
class ObjectConnection implements Client {
  readonly #call: StreamCall;
  readonly #sessions: Map<string, ObjectSession>;
  readonly #userCode: UserCode;
  readonly #access: Access;
  readonly #places: Places;
  #session: Promise<ObjectSession> | undefined;
  #ended = false;
  #unsentBytes = 0;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(call: StreamCall, { sessions, userCode, access, places }: {
    sessions: Map<string, ObjectSession>;
    userCode: UserCode;
    access: Access;
    places: Places;
  }) {
    this.#call = call;
    this.#sessions = sessions;
    this.#userCode = userCode;
    this.#access = access;
    this.#places = places;
  }

  receive(bytes: Uint8Array): void {
    if (this.#ended) return;
    try {
      this.#receive(bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The client is gone; its session waits for it. */
  end(): void {
    if (this.#ended) return;
    this.#leave();
    this.#call.end();
  }

  readonly say = (message: GuestMessage): void => {
    this.#send({ case: "say", value: encodeGuestMessage(message) });
  };

  readonly fail = (error: unknown): void => this.#fail(error);

  room(): Promise<void> | undefined {
    if (this.#ended || this.#unsentBytes <= MAX_UNSENT_BYTES) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  #receive(bytes: Uint8Array): void {
    const { message } = parse(bytes);
    if (message.case === "open") {
      if (this.#session !== undefined) throw protocolError("opened it twice");
      this.#session = this.#open(message.value);
      this.#readAfter(this.#session);
      return;
    }
    if (this.#session === undefined) throw protocolError("spoke before it was opened");
    const act = async () => {
      const session = await this.#session!;
      if (message.case === "say") {
        session.accept(decodeHostMessage(message.value), this.say);
        if (session.room !== undefined) this.#readAfter(session.room);
      } else if (message.case === "close") await this.#close(session);
    };
    act().catch((error) => this.#fail(error));
  }

  /** Reads on when something is done. */
  #readAfter(done: Promise<unknown>): void {
    this.#call.pause();
    done.then(() => this.#call.resume(), (error) => this.#fail(error));
  }

  async #open({ session: id, bundle, resume }: OpenModule): Promise<ObjectSession> {
    if (!/^[0-9a-f]{32}$/.test(id)) throw protocolError("gave the session no proper name");
    const owner = String(this.#call.metadata.get("authorization")[0] ?? "");
    const key = `${id} ${owner}`; // sessions of different tokens never meet
    let session = this.#sessions.get(key);
    if (session === undefined) {
      if (resume) {
        throw new RemoteError(
          "The objects are gone: their sandbox ended or was idle for too long",
          {
            code: NOT_FOUND,
          },
        );
      }
      if (this.#sessions.size >= MAX_SESSIONS) {
        throw new RemoteError(`The server is full: ${MAX_SESSIONS} modules are loaded`, {
          code: RESOURCE_EXHAUSTED,
          retryable: true,
        });
      }
      const { sandboxes } = this.#userCode;
      const caller = this.#access.callerOf(this.#call.metadata);
      const policy = this.#userCode.policyOf(caller);
      session = new ObjectSession({
        usage: this.#places.usageOf(caller),
        gone: () => this.#sessions.delete(key),
      });
      this.#sessions.set(key, session);
      try {
        await session.load(await this.#userCode.bundle(bundle), { sandboxes, policy });
      } catch (error) {
        this.#sessions.delete(key);
        throw error;
      }
    }
    session.attach(this);
    this.#send({ case: "opened", value: { exports: session.exports } });
    return session;
  }

  async #close(session: ObjectSession): Promise<void> {
    this.#leave();
    await session[Symbol.asyncDispose]();
    this.#call.end();
  }

  /** Nothing goes to the client any more. */
  #leave(): void {
    this.#ended = true;
    this.#room?.resolve();
    this.#session?.then((session) => session.detach(this), () => {}); // it was told
  }

  #send(message: MessageInitShape<typeof ConnectResponseSchema>["message"]): void {
    if (this.#ended) return;
    const bytes = toBinary(ConnectResponseSchema, create(ConnectResponseSchema, { message }));
    this.#unsentBytes += bytes.length;
    this.#call.write(bytes, () => {
      this.#unsentBytes -= bytes.length;
      if (this.#unsentBytes > MAX_UNSENT_BYTES) return;
      this.#room?.resolve();
      this.#room = undefined;
    });
  }

  /** Ends the call with an error, once. */
  #fail(error: unknown): void {
    if (this.#ended) return;
    this.#leave();
    this.#call.emit("error", failedCall(error));
    this.#call.resume();
  }
}

function parse(bytes: Uint8Array): ReturnType<typeof fromBinary<typeof ConnectRequestSchema>> {
  try {
    return fromBinary(ConnectRequestSchema, bytes);
  } catch (error) {
    throw malformed(messageOf(error), error);
  }
}
