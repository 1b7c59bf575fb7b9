/** Pipelines of random nodes against a model that works on one chunk after another. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Marker, Node, type NodeOutput, Pipeline } from "../../core/mod.ts";

/** What a node does with a text, and what it keeps. */
interface Model {
  /** What it gives for a chunk. */
  take(text: string): string[];
  /** What it gives at the end. */
  end(): string[];
}

const kinds = ["now", "soon", "later", "pair", "some", "odd", "three"] as const;
type Kind = typeof kinds[number];

/** Kinds that keep nothing, so that they may work on several chunks at once. */
const stateless: ReadonlySet<Kind> = new Set(["now", "soon", "later", "pair", "some", "odd"]);

function modelOf(kind: Kind, tag: number): Model {
  const kept: string[] = [];
  const end = () => [];
  switch (kind) {
    case "now":
    case "soon":
    case "later":
      return { take: (text) => [`${text}.${tag}`], end };
    case "pair":
      return { take: (text) => [`${text}a`, `${text}b`], end };
    case "some":
      return { take: (text) => Array.from({ length: text.length % 3 }, (_, i) => text + i), end };
    case "odd":
      return { take: (text) => text.length % 2 === 1 ? [text] : [], end };
    case "three":
      return {
        take: (text) => kept.push(text) === 3 ? [`(${kept.splice(0)})`] : [],
        end: () => kept.length === 0 ? ["none"] : kept.splice(0),
      };
  }
}

interface Plan {
  kind: Kind;
  concurrency: number;
  queue: number;
}

/** A node that does as its model, in one of the ways that a node may. */
class Modelled extends Node<string, string> {
  closed = 0;
  readonly #kind: Kind;
  readonly #model: Model;

  constructor({ kind, concurrency, queue }: Plan, tag: number) {
    super({}, {
      name: `${tag}`,
      ...(stateless.has(kind) && { concurrency }),
      ...(queue > 0 && { queue: { size: queue } }),
    });
    this.#kind = kind;
    this.#model = modelOf(kind, tag);
  }

  process(text: string): NodeOutput<string> {
    const outputs = this.#model.take(text);
    switch (this.#kind) {
      case "soon":
        return Promise.resolve(outputs[0]);
      case "later":
        return new Promise((resolve) => setTimeout(resolve, text.length % 3)).then(() =>
          outputs[0]
        );
      case "pair":
        return outputs[Symbol.iterator]();
      case "some":
        return (async function* () {
          for (const output of outputs) {
            await Promise.resolve();
            yield output;
          }
        })();
      default:
        return outputs[0];
    }
  }

  override flush(): NodeOutput<string> {
    return this.#model.end()[Symbol.iterator]();
  }

  override close(): void {
    this.closed++;
  }
}

type Chunk = string | Marker;

/** What comes out of a line, worked on in turn. */
function expected(plans: readonly Plan[], inputs: readonly Chunk[]): Chunk[] {
  const models = plans.map(({ kind }, tag) => modelOf(kind, tag));
  const outputs: Chunk[] = [];
  const give = (from: number, chunk: Chunk): void => {
    if (from === models.length) return void outputs.push(chunk);
    if (chunk instanceof Marker) return give(from + 1, chunk);
    for (const output of models[from]!.take(chunk)) give(from + 1, output);
  };
  for (const input of inputs) give(0, input);
  for (const [index, model] of models.entries()) {
    for (const output of model.end()) give(index + 1, output);
  }
  return outputs;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  kind: fc.constantFrom(...kinds),
  concurrency: fc.constantFrom(1, 1, 2, 4),
  queue: fc.constantFrom(0, 0, 1, 3),
});
const lines = fc.array(plan, { minLength: 1, maxLength: 5 });
const chunks: fc.Arbitrary<Chunk[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom("x", "y") }),
    },
    { weight: 1, arbitrary: fc.nat(9).map((name) => new Marker({ name: `${name}` })) },
  ),
  { maxLength: 25 },
);

/** Lets others go first for a while, now and then. */
function pause(step: number): Promise<void> | undefined {
  if (step % 4 === 1) return Promise.resolve();
  if (step % 4 === 3) return new Promise((resolve) => setTimeout(resolve, step % 3));
}

function build(plans: readonly Plan[]): { nodes: Modelled[]; pipeline: Pipeline } {
  const nodes = plans.map((each, tag) => new Modelled(each, tag));
  return { nodes, pipeline: new Pipeline(nodes as never) as unknown as Pipeline };
}

const ways = ["run", "pipeThrough", "write"] as const;

/** The outputs of a pipeline, fed and read in one of the ways that there are. */
function outputsOf(
  pipeline: Pipeline,
  inputs: readonly Chunk[],
  { way, slow }: { way: typeof ways[number]; slow: number },
): ReadableStream<unknown> {
  const source = async function* () {
    for (const [index, input] of inputs.entries()) {
      await pause(index + slow);
      yield input;
    }
  };
  if (way === "run") return pipeline.run(source() as never);
  const stream = ReadableStream.from(source());
  if (way === "pipeThrough") {
    return stream.pipeThrough(pipeline as TransformStream<unknown, unknown>);
  }
  const writer = (pipeline.writable as WritableStream<unknown>).getWriter();
  const write = async () => {
    for await (const input of source()) {
      await writer.ready;
      writer.write(input).catch(() => {}); // the reader is told
    }
    await writer.close();
  };
  write().catch(() => {}); // the reader is told
  return pipeline.readable;
}

Deno.test("Pipeline gives what its nodes give one after another, however they give it", async () => {
  await fc.assert(
    fc.asyncProperty(
      lines,
      chunks,
      fc.constantFrom(...ways),
      fc.nat(3),
      async (plans, inputs, way, slow) => {
        const { nodes, pipeline } = build(plans);
        const outputs: unknown[] = [];
        for await (const output of outputsOf(pipeline, inputs, { way, slow })) {
          outputs.push(output);
          await pause(outputs.length + slow);
        }
        assert.deepEqual(outputs, expected(plans, inputs));
        assert.deepEqual(nodes.map(({ closed }) => closed), nodes.map(() => 1));
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("Pipeline that is interrupted drops what is not out, and nothing else", async () => {
  const keeping = lines.map((plans) => plans.filter(({ kind }) => stateless.has(kind)))
    .filter((plans) => plans.length > 0);
  await fc.assert(
    fc.asyncProperty(keeping, chunks, chunks, fc.nat(20), async (plans, before, after, wait) => {
      const { pipeline } = build(plans);
      const outputs: Chunk[] = [];
      const reading = (async () => {
        for await (const output of pipeline.readable) {
          outputs.push(output as Chunk);
          await pause(outputs.length);
        }
      })();
      const writer = (pipeline.writable as WritableStream<unknown>).getWriter();
      for (const chunk of before) writer.write(chunk).catch(() => {}); // the reader is told
      for (let step = 0; step < wait; step++) await pause(step);
      await pipeline.interrupt();
      for (const chunk of after) writer.write(chunk).catch(() => {});
      await writer.close();
      await reading;
      const isText = (chunk: Chunk) => typeof chunk === "string";
      const [first, rest] = [expected(plans, before), expected(plans, after)];
      // all that was written later, and of what was written before a part from its start on
      assert.deepEqual(outputs.slice(outputs.length - rest.length), rest);
      const texts = outputs.slice(0, outputs.length - rest.length).filter(isText);
      assert.deepEqual(texts, first.filter(isText).slice(0, texts.length));
      const markers = (list: readonly Chunk[]) => list.filter((chunk) => chunk instanceof Marker);
      assert.deepEqual(markers(outputs), markers([...before, ...after]));
    }),
    { numRuns: 200 },
  );
});
