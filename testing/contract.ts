import {
  deepStrictEqual as deepEqual,
  equal,
  match,
  ok,
  rejects,
  throws,
} from "node:assert/strict";
import { type Executor, Marker, type Node, type NodeConfig, Pipeline } from "../core/mod.ts";
import { Barrier } from "../core/stage/barrier.ts";
import { endlessSource, failingSource } from "./sources.ts";

/** What the contract has to know of a node. */
export interface NodeContract<I, O> {
  /** Makes a new one. @param config to be passed on to the node's constructor */
  create(config: NodeConfig): Node<I, O, object, never>;
  /** Makes the chunks to feed it, the same at each call. At least two. */
  inputs(): I[] | Promise<I[]>;
  /** Attempts to make one that must be refused, each with what its message must match. */
  refused?: readonly (readonly [attempt: () => unknown, message: RegExp])[];
  /** Runs the whole contract elsewhere too, and compares. */
  executor?: () => Promise<{ executor: Executor; close(): Promise<void> }>;
  /** Compares outputs, where they cannot be the same at each run. @default deep equality */
  compare?: (actual: O[], expected: O[]) => void;
}

/** One check of the contract. */
export interface ContractCase {
  /** What is checked. */
  name: string;
  /** Checks it. */
  run(): Promise<void>;
}

/**
 * The checks that every node passes: empty input, order, markers, flush, upstream error, downstream cancel,
 * backpressure, refused options, interrupt, its form as data, snapshots, and the same result elsewhere.
 *
 * @param contract how to make the node and what to feed it
 *
 * @example
 * ```ts
 * import { Node } from "@remotemedia/sdk";
 * import { nodeContract } from "@remotemedia/sdk/testing";
 *
 * class Double extends Node<number, number> {
 *   process(input: number): number {
 *     return 2 * input;
 *   }
 * }
 *
 * const cases = nodeContract({
 *   create: (config) => new Double({}, config),
 *   inputs: () => [1, 2, 3],
 * });
 * for (const { run } of cases) await run(); // or: Deno.test(name, run)
 * ```
 */
export function nodeContract<I, O>(contract: NodeContract<I, O>): ContractCase[] {
  const { compare = deepEqual, refused = [] } = contract;
  const local = (name: string, check: (place: Place<I, O>) => Promise<void>) => ({
    name,
    run: () => check({ ...contract, compare, executor: undefined, config: {} }),
  });
  const cases = [
    ...checks.map(([name, check]) => local(name, check as Check<I, O>)),
    local("goes on from a snapshot taken anywhere", goesOnFromSnapshot),
    ...refused.map(([attempt, message], index) => ({
      name: `refuses what it cannot be, ${index + 1}`,
      run: () => Promise.resolve(throws(attempt, (error) => refuses(error, message))),
    })),
  ];
  const { executor: start } = contract;
  if (start === undefined) return cases;
  const elsewhere = [...checks, ["gives the same elsewhere as here", givesTheSame] as const];
  for (const [name, check] of elsewhere) {
    cases.push({
      name: `${name} (elsewhere)`,
      async run() {
        const { executor, close } = await start();
        try {
          await (check as Check<I, O>)({ ...contract, compare, executor, config: { executor } });
        } finally {
          await close();
        }
      },
    });
  }
  return cases;
}

/** A contract, and where its node runs. */
interface Place<I, O> {
  create(config: NodeConfig): Node<I, O, object, never>;
  inputs(): I[] | Promise<I[]>;
  compare(actual: O[], expected: O[]): void;
  executor: Executor | undefined;
  config: NodeConfig;
}

type Check<I, O> = (place: Place<I, O>) => Promise<void>;

const checks: readonly (readonly [name: string, check: Check<never, unknown>])[] = [
  ["ends on empty input", endsOnEmptyInput],
  ["gives the same outputs each time, alone and in a pipeline", givesTheSameEachTime],
  ["lets markers through in their order", letsMarkersThrough],
  ["fails with the error of what it reads from", failsWithItsSource],
  ["cancels what it reads from when its reader cancels", cancelsItsSource],
  ["reads no more than its capacity ahead", holdsBack],
  ["goes on after an interrupt", goesOnAfterInterrupt],
  ["is made again from its form as data", isMadeAgain],
  ["opens and closes once", opensAndClosesOnce],
];

async function endsOnEmptyInput<I, O>({ create, config }: Place<I, O>): Promise<void> {
  await Array.fromAsync(pipelineOf(create(config)).run([]));
}

async function givesTheSameEachTime<I, O>({ create, config, inputs, compare }: Place<I, O>) {
  const source = ReadableStream.from(await inputs());
  const alone = await Array.fromAsync(source.pipeThrough(create(config)));
  const inLine = await Array.fromAsync(pipelineOf(create(config)).run(await inputs()));
  compare(inLine, alone);
}

async function letsMarkersThrough<I, O>({ create, config, inputs, compare }: Place<I, O>) {
  const chunks = await inputs();
  const marked = chunks.flatMap((chunk, index) => [chunk, new Marker({ name: `m${index}` })]);
  const outputs = await Array.fromAsync<O | Marker>(pipelineOf(create(config)).run(marked));
  const names = outputs.filter((output) => output instanceof Marker).map(({ name }) => name);
  deepEqual(names, chunks.map((_, index) => `m${index}`));
  const rest = outputs.filter((output) => !(output instanceof Marker));
  compare(rest as O[], await Array.fromAsync(pipelineOf(create(config)).run(chunks)));
}

async function failsWithItsSource<I, O>({ create, config, inputs, executor }: Place<I, O>) {
  const fault = new Error("the source broke");
  const node = create(config);
  const closed = executor === undefined ? countCloses(node) : undefined;
  const output = failingSource(await inputs(), fault).pipeThrough(node);
  await rejects(Array.fromAsync(output), (error) => error === fault);
  await pause();
  if (closed !== undefined) equal(closed(), 1);
}

async function cancelsItsSource<I, O>({ create, config, inputs }: Place<I, O>) {
  const source = endlessSource(around(await inputs()));
  const reader = source.stream.pipeThrough(create(config)).getReader();
  await Promise.race([reader.read(), pause()]);
  const reason = new Error("heard enough");
  await reader.cancel(reason);
  equal(await source.cancelled, reason);
}

async function holdsBack<I, O>({ create, config, inputs }: Place<I, O>) {
  const chunks = await inputs();
  const outputs = await Array.fromAsync(pipelineOf(create(config)).run(chunks));
  if (outputs.length === 0) return; // a node that only gives at the end has nobody to wait for
  const pipeline = pipelineOf(create(config));
  const source = endlessSource(around(chunks));
  const reader = pipeline.run(source.stream).getReader();
  await Promise.race([reader.read(), pause(2000)]);
  // reading stopped: what is produced from now on is bounded by what the pipeline says that it holds
  const before = source.produced;
  const most = before + pipeline.capacity;
  for (let last = -1; last !== source.produced;) {
    last = source.produced;
    ok(last <= most, `${last - before} chunks were taken unread, capacity is ${pipeline.capacity}`);
    await pause();
  }
  await reader.cancel();
}

async function goesOnAfterInterrupt<I, O>({ create, config, inputs }: Place<I, O>) {
  const pipeline = pipelineOf(create(config));
  const chunks = await inputs();
  const output = Array.fromAsync(pipeline.readable);
  output.catch(() => {}); // told below
  const writer = pipeline.writable.getWriter();
  for (const chunk of chunks.slice(0, 2)) writer.write(chunk).catch(() => {}); // told by close()
  await pipeline.interrupt();
  const end = new Marker({ name: "after" });
  await writer.write(end);
  for (const chunk of chunks) await writer.write(chunk);
  await writer.close();
  ok(
    (await output as unknown[]).some((chunk) => chunk instanceof Marker && chunk.name === "after"),
  );
}

function isMadeAgain<I, O>({ create, config }: Place<I, O>): Promise<void> {
  const node = create(config);
  const spec = structuredClone(node.toSpec());
  deepEqual(spec.options, node.options);
  const again = new (node.constructor as new (options: object) => Node<I, O>)(spec.options);
  deepEqual(again.options, node.options);
  return Promise.resolve();
}

async function opensAndClosesOnce<I, O>({ create, config, inputs, executor }: Place<I, O>) {
  if (executor !== undefined) return; // the node itself lives there
  const node = create(config);
  let opened = 0;
  const { open } = node;
  node.open = (context) => {
    opened++;
    return open?.call(node, context);
  };
  const closed = countCloses(node);
  await Array.fromAsync(pipelineOf(node).run(await inputs()));
  equal(opened, 1);
  equal(closed(), 1);
}

/** Cuts the stream at up to eight places, and goes on with a new node from the state at the cut. */
async function goesOnFromSnapshot<I, O>({ create, inputs, compare }: Place<I, O>) {
  const chunks = await inputs();
  if (create({}).snapshot === undefined) return; // has no state to move
  const whole = await Array.fromAsync(pipelineOf(create({})).run(chunks));
  const step = Math.max(1, Math.floor(chunks.length / 8));
  for (let cut = 0; cut <= chunks.length; cut += step) {
    const barrier = new Barrier(cut, { snapshot: true });
    const first: unknown[] = [];
    for await (const output of pipelineOf(create({})).run([...chunks.slice(0, cut), barrier])) {
      if (output === barrier) break;
      first.push(output);
    }
    const second = pipelineOf(create({}));
    second.restore(structuredClone(barrier.states));
    const rest = await Array.fromAsync(second.run(chunks.slice(cut)));
    compare([...first as O[], ...rest], whole);
  }
}

async function givesTheSame<I, O>({ create, config, inputs, compare }: Place<I, O>) {
  const here = await Array.fromAsync(pipelineOf(create({})).run(await inputs()));
  const there = await Array.fromAsync(pipelineOf(create(config)).run(await inputs()));
  compare(there, here);
}

/** A pipeline of one node of a type that only the caller knows. */
function pipelineOf<I, O>(node: Node<I, O, object, never>) {
  return new Pipeline([node] as readonly [Node<I, O, object, never>]) as unknown as LooseLine<I, O>;
}

interface LooseLine<I, O> {
  run(source: Iterable<I | Marker> | ReadableStream<I | Marker>): ReadableStream<O>;
  readonly readable: ReadableStream<O>;
  readonly writable: WritableStream<I | Marker>;
  readonly capacity: number;
  interrupt(): Promise<void>;
  restore(states: ReadonlyMap<string, unknown>): void;
}

function countCloses<I, O>(node: Node<I, O, object, never>): () => number {
  let closed = 0;
  const { close } = node;
  node.close = (reason) => {
    closed++;
    return close?.call(node, reason);
  };
  return () => closed;
}

function around<I>(chunks: readonly I[]): (index: number) => I {
  return (index) => chunks[index % chunks.length]!;
}

function pause(ms = 60): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function refuses(error: unknown, message: RegExp): boolean {
  ok(error instanceof TypeError || error instanceof RangeError, `${error} is no argument fault`);
  match(error.message, message);
  return true;
}
