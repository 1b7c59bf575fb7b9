import type { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { status } from "../wire/grpc_status.ts";
import type { SandboxPolicy } from "../sandbox/host/sandbox_host.ts";
import { ConfigurationError, RemoteError } from "../../core/errors.ts";
import type { NodeClass } from "../../core/node.ts";

/** What the holder of a token may do. */
export interface Policy {
  /**
   * The node types that may be used.
   *
   * @default all that the server offers, but for those that reach files, network, programs or foreign code
   */
  nodes?: readonly string[];
  /** Sessions at once. @default as many as the server takes */
  maxSessions?: number;
  /** Bytes of inputs that wait for nodes, over all sessions. @default no bound but that of each session */
  maxBytesInFlight?: number;
  /**
   * What the holder's own code may do in sandboxes, within what the server allows all; `false` for no code.
   *
   * @default as the server allows
   */
  userCode?: SandboxPolicy | false;
  /**
   * What the holder may do with registered pipelines: `none`; `run` those that are there and public, or its own;
   * also register and remove its `own`; see, run and remove `all`.
   *
   * @default "own"
   */
  pipelines?: "none" | "run" | "own" | "all";
  /** CPU time that nodes may take in any minute, in seconds. @default no bound */
  cpuSecondsPerMinute?: number;
}

/** A token, and what comes with it. */
export interface TokenGrant {
  /** What to call its holder in logs. */
  name: string;
  /** The token itself. At least 16 characters. */
  token: string;
  /** What its holder may do. @default everything */
  policy?: Policy;
}

/** Who calls. */
export interface Caller {
  /** The name of the token; `anonymous` where no tokens are asked for. */
  readonly name: string;
  /** What it may do. */
  readonly policy: Policy;
  /** Told the CPU time that its own code took in sandboxes, in ms, where a call counts it. */
  readonly onCpu?: (ms: number) => void;
}

/** Whether a policy lets its holder use a node type: one that reaches beyond its chunks has to be named. */
export function mayUse({ nodes }: Policy, nodeClass: NodeClass): boolean {
  const type = nodeClass.type ?? nodeClass.name;
  return nodes?.includes(type) ?? (nodeClass.access ?? []).length === 0;
}

/** Tells callers by their bearer tokens. */
export class Access {
  readonly #grants: readonly { digest: Buffer; caller: Caller }[] | undefined;
  readonly #anonymous: Caller;

  /**
   * @param grants the tokens; `undefined` to let everybody in
   * @param anonymous what everybody may do, where there are no tokens
   * @throws {ConfigurationError} if a token is too short to be one, or there twice
   */
  constructor(grants?: readonly TokenGrant[], anonymous: Policy = {}) {
    this.#anonymous = { name: "anonymous", policy: anonymous };
    this.#grants = grants?.map(({ name, token, policy = {} }) => {
      if (token.length < 16) {
        throw new ConfigurationError(
          `Cannot take token "${name}" as it has fewer than 16 characters`,
        );
      }
      return { digest: digestOf(token), caller: { name, policy } };
    });
    const names = new Set(grants?.map(({ name }) => name));
    if (grants !== undefined && names.size !== grants.length) {
      throw new ConfigurationError("Cannot take tokens as two have the same name");
    }
  }

  /** All that may call. */
  get callers(): Caller[] {
    return this.#grants?.map(({ caller }) => caller) ?? [this.#anonymous];
  }

  /** Whether tokens are asked for. */
  get required(): boolean {
    return this.#grants !== undefined;
  }

  /**
   * Who calls. Every token is compared in full, so that the time taken tells nothing.
   *
   * @throws {RemoteError} UNAUTHENTICATED, if the token is missing or not known
   */
  callerOf(metadata: Metadata): Caller {
    if (this.#grants === undefined) return this.#anonymous;
    const [header] = metadata.get("authorization");
    const token = /^Bearer (.+)$/i.exec(String(header ?? ""))?.[1];
    if (token === undefined) throw unauthenticated("the call has no bearer token");
    const digest = digestOf(token);
    let found: Caller | undefined;
    for (const grant of this.#grants) {
      if (timingSafeEqual(grant.digest, digest)) found = grant.caller;
    }
    if (found === undefined) throw unauthenticated("the token is not known");
    return found;
  }

  /** Refuses calls of nobody known before anything of them is read. Health checks need no token. */
  get interceptor(): ServerInterceptor {
    return (method, call) => {
      if (method.path.startsWith("/grpc.health.v1.Health/")) {
        return new ServerInterceptingCall(call);
      }
      return new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata: (metadata, go) => {
              try {
                this.callerOf(metadata);
              } catch (error) {
                const { code, message } = error as RemoteError;
                call.sendStatus({ code, details: message });
                return;
              }
              go(metadata);
            },
          }),
      });
    };
  }
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function unauthenticated(why: string): RemoteError {
  return new RemoteError(`Cannot serve call as ${why}`, { code: status.UNAUTHENTICATED });
}
