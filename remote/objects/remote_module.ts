import { encodeValue } from "../../core/codec/mod.ts";
import type { Operation, Outcome } from "../sandbox/protocol.ts";
import { type CallbackTable, type ObjectChannel, references, valueOf } from "./object_channel.ts";
import type { Remote, RemoteObject } from "./remote.ts";
import { RemoteCall, RemoteGenerator } from "./remote_call.ts";

/** A module that runs elsewhere, and its end. */
export type RemoteModule<T> = RemoteObject<T>;

/** What a proxy stands for: a place below an object there. */
interface Place {
  session: Session;
  target: number;
  path: string[];
  /** Keeps the object there for as long as the place is reachable here. */
  holder: object;
}

/** What the proxies of one module share. */
interface Session {
  channel: ObjectChannel;
  callbacks: CallbackTable;
  /** Why an assignment failed, by object, until the next use tells. */
  failedSets: Map<number, unknown>;
}

/** Lets objects there go of which nothing is left here. What fails then is told by the next use. */
const unreachable = new FinalizationRegistry<{ session: Session; target: number }>(
  ({ session, target }) => {
    session.channel.operate({ kind: "release", target }).catch(() => {}); // the session is over
  },
);

/**
 * A proxy of a module that a channel leads to.
 *
 * @param channel the way to it
 * @param callbacks the functions that are given to it
 */
export function remoteModule<T>(
  channel: ObjectChannel,
  callbacks: CallbackTable,
): RemoteModule<T> {
  const session: Session = { channel, callbacks, failedSets: new Map() };
  return objectOf({ session, target: 0, path: [], holder: {} }, false) as RemoteModule<T>;
}

/** A proxy of an object itself, which may be given back to its module as an argument. */
function objectOf(place: Place, callable: boolean): unknown {
  const proxy = proxyOf(place);
  const { session: { callbacks }, target } = place;
  references.set(proxy, { callbacks, target, callable });
  return proxy;
}

function proxyOf(place: Place): object {
  const { path } = place;
  return new Proxy(function () {}, {
    get: (_, key) => {
      if (key === "then") return path.length === 0 ? undefined : thenOf(place);
      if (key === Symbol.asyncDispose && path.length === 0) return () => release(place);
      if (typeof key === "symbol" || key === "toJSON") return undefined;
      return proxyOf({ ...place, path: [...path, key] });
    },
    set: (_, key, value) => {
      if (typeof key === "symbol") return false;
      void assign(place, [...path, key], value);
      return true;
    },
    has: (_, key) => typeof key === "string",
    apply: (_, __, args) => call(place, args),
    construct: (_, args) => construct(place, args),
    deleteProperty: () => false,
    defineProperty: () => false,
    setPrototypeOf: () => false,
  });
}

function thenOf(place: Place): PromiseLike<unknown>["then"] {
  const { target, path } = place;
  return (resolve, reject) => operate(place, { kind: "get", target, path }).then(resolve, reject);
}

function call(place: Place, args: unknown[]): RemoteCall {
  const { session, target, path } = place;
  return new RemoteCall((async () => {
    const encoded = session.callbacks.encode(args);
    return await operate(place, { kind: "apply", target, path, ...encoded });
  })());
}

async function construct(place: Place, args: unknown[]): Promise<unknown> {
  const { session, target, path } = place;
  const encoded = session.callbacks.encode(args);
  return await operate(place, { kind: "construct", target, path, ...encoded });
}

async function assign(place: Place, path: string[], value: unknown): Promise<void> {
  const { session, target } = place;
  try {
    const encoded = encodeValue(value);
    valueOf(await session.channel.operate({ kind: "set", target, path, value: encoded }));
  } catch (error) {
    if (!session.failedSets.has(target)) session.failedSets.set(target, error);
  }
}

async function operate(place: Place, operation: Operation): Promise<unknown> {
  const { session, target, holder } = place;
  const outcome = await session.channel.operate(operation);
  tellFailedSet(session, target);
  return hold(holder) && valueHere(session, outcome);
}

/** Throws why an assignment to an object failed, once. */
function tellFailedSet({ failedSets }: Session, target: number): void {
  if (!failedSets.has(target)) return;
  const error = failedSets.get(target);
  failedSets.delete(target);
  throw error;
}

/** Keeps an object reachable up to here. */
function hold(_holder: object): true {
  return true;
}

/** What an outcome is here: a value, or a proxy of what stayed there. */
function valueHere(session: Session, outcome: Outcome): unknown {
  switch (outcome.kind) {
    case "value":
    case "done":
    case "failed":
      return valueOf(outcome);
    case "object": {
      const { target } = outcome;
      const holder = {};
      unreachable.register(holder, { session, target }, holder);
      return objectOf({ session, target, path: [], holder }, outcome.callable);
    }
    case "generator": {
      const { target } = outcome;
      const operate = (kind: "next" | "return") => session.channel.operate({ kind, target });
      return new RemoteGenerator(operate, (given) => valueHere(session, given));
    }
  }
}

async function release({ session, target, holder }: Place): Promise<void> {
  if (target === 0) {
    const failed = new Map(session.failedSets); // what fails as it is closed is void
    await session.channel.close();
    return tellFailedSet({ ...session, failedSets: failed }, target);
  }
  unreachable.unregister(holder);
  valueOf(await session.channel.operate({ kind: "release", target }));
  tellFailedSet(session, target);
}

export type { Remote };
