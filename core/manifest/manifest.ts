import { z } from "zod";
import type { Overflow } from "../executor.ts";
import type { Connection, Merge } from "../graph/connection.ts";

/** A server that a manifest names. */
export interface ManifestExecutor {
  /** A host name or address. */
  host?: string;
  /** The port. */
  port?: number;
  /** Whether the connection is encrypted. */
  tls?: boolean;
  /** `${NAME}`: the environment variable with the bearer token. A manifest holds no secret itself. */
  token?: string;
}

/** How chunks are merged in front of a node; `"forever"` stands for `Infinity`. */
export interface ManifestMerge extends Omit<Merge, "maxWaitMs"> {
  /** How long a silent branch may hold back the merge, in ms. */
  maxWaitMs?: number | "forever";
}

/** A node in a manifest: exactly one of `type`, `module` and `graph` says what it is. */
export interface ManifestNode {
  /** Its name in the pipeline. */
  id: string;
  /** The name of its type in the registry. */
  type?: string;
  /** The module of a class of one's own, and the name of its export: `./my_node.ts#MyNode`. */
  module?: string;
  /** A graph of its own. */
  graph?: ManifestGraph;
  /** Its own options, completed by its schema. */
  options?: Record<string, unknown>;
  /** Where it runs: a name in `executors`. */
  executor?: string;
  /** How many chunks it works on at once. */
  concurrency?: number;
  /** The queue in front of it. */
  queue?: { size: number; overflow?: Overflow };
  /** How chunks of several nodes are merged in front of it. */
  merge?: ManifestMerge;
}

/** Nodes and how they are connected. */
export interface ManifestGraph {
  /** The nodes. */
  nodes: ManifestNode[];
  /** Where chunks go. Without it each node gives to the next in the list. */
  connections?: Connection[];
  /** The node, or nodes, that take what comes in. */
  input?: string | string[];
  /** The node, or nodes, whose outputs come out. */
  output?: string | string[];
  /** How chunks of several outputs are merged. */
  outputMerge?: ManifestMerge;
}

/** A pipeline as data, version 1. */
export interface Manifest extends ManifestGraph {
  /** The version of the form. */
  version: 1;
  /** What the pipeline is called. */
  name: string;
  /** What it is for. */
  description?: string;
  /** The servers, by name. */
  executors?: Record<string, ManifestExecutor>;
}

/** What ids and names may be. */
const id = z.string().regex(
  /^[A-Za-z_][\w.-]{0,63}$/,
  "must be letters, digits, _ . or -, at most 64, and start with a letter",
);
const ids = z.union([id, z.array(id).min(1)]);
const count = z.int().min(1);

const queue = z.strictObject({
  size: count.describe("How many chunks it holds at the most"),
  overflow: z.enum(["block", "drop-oldest", "drop-newest"]).optional()
    .describe("What happens to one more; block if absent"),
});

const order = z.enum(["arrival", "timestamp"]);
const merge = z.union([
  order,
  z.strictObject({
    order: order.optional().describe("Which chunk is first; arrival if absent"),
    maxWaitMs: z.union([z.number().min(0), z.literal("forever")]).optional()
      .describe("How long a silent branch may hold back the merge, in ms; 1000 if absent"),
  }),
]);

const connection = z.strictObject({
  from: id.describe("The node that gives"),
  to: id.describe("The node that takes"),
  policy: z.enum(["block", "drop-oldest", "drop-newest", "sample"]).optional()
    .describe("What happens to a chunk for which the branch has no room; block if absent"),
  size: count.optional().describe("How many chunks the branch holds; 16 if absent"),
  every: count.optional()
    .describe("Of how many chunks a branch that samples takes one; 10 if absent"),
});

const shape = {
  connections: z.array(connection).max(10_000).optional()
    .describe("Where chunks go; if absent each node gives to the next in the list"),
  input: ids.optional().describe(
    "The node or nodes that take what comes in; by default those to which nothing is connected",
  ),
  output: ids.optional().describe(
    "The node or nodes whose outputs come out; by default those that are connected to no other",
  ),
  outputMerge: merge.optional().describe(
    "How chunks of several outputs are merged; by arrival if absent",
  ),
};

/** The schema of a node; what it is and its options are checked by the node's own. */
export const nodeSchema = z.strictObject({
  id: id.optional().describe("Its name; its type if absent"),
  type: z.string().min(1).optional().describe("The name of its type"),
  module: z.string().regex(/^[^#]+#[A-Za-z_$][\w$]*$/, "must be like ./my_node.ts#MyNode")
    .optional().describe("The module of a class of one's own, # and the name of its export"),
  graph: z.record(z.string(), z.unknown()).optional().describe("A graph of its own"),
  options: z.record(z.string(), z.unknown()).optional().describe("Its own options"),
  executor: id.optional().describe("Where it runs: a name in executors"),
  concurrency: count.optional().describe("How many chunks it works on at once; 1 if absent"),
  queue: queue.optional().describe("The queue in front of it"),
  merge: merge.optional().describe("How chunks of several nodes are merged in front of it"),
});

const nodes = z.array(nodeSchema).min(1).max(1_000).describe("The nodes");

/** The schema of a graph inside of a manifest. */
export const graphSchema = z.strictObject({ nodes, ...shape });

/** The schema of a manifest's frame. */
export const manifestSchema = z.strictObject({
  version: z.literal(1).describe("The version of this form"),
  name: id.default("pipeline").describe("What the pipeline is called"),
  description: z.string().optional().describe("What it is for"),
  nodes,
  ...shape,
  executors: z.record(
    id,
    z.strictObject({
      host: z.string().min(1).optional().describe("A host name or address"),
      port: z.int().min(1).max(65_535).optional().describe("The port"),
      tls: z.boolean().optional().describe("Whether the connection is encrypted"),
      token: z.string().regex(
        /^\$\{[A-Za-z_]\w*\}$/,
        "must be ${NAME}, an environment variable: a secret does not belong into a manifest",
      ).optional().describe("${NAME}: the environment variable with the bearer token"),
    }),
  ).optional().describe("The servers, by name"),
});
