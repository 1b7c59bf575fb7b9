import { ConfigurationError } from "./errors.ts";
import type { NodeSpec } from "./executor.ts";
import type { AnyNode, NodeClass, NodeConfig } from "./node.ts";

/**
 * The node types that a server, a manifest or a command line may make, given as an explicit list.
 *
 * @example
 * ```ts
 * import { NodeRegistry } from "@remotemedia/sdk";
 * import { builtinNodes } from "@remotemedia/sdk/nodes";
 *
 * const registry = new NodeRegistry(builtinNodes);
 * const node = registry.create({ name: "through", type: "PassThrough", options: {} });
 * console.log(node.name); // "through"
 * ```
 */
export class NodeRegistry {
  readonly #classes: ReadonlyMap<string, NodeClass>;

  /**
   * Takes the list.
   *
   * @param classes the types, each with a name of its own
   * @throws {ConfigurationError} if two have the same name
   */
  constructor(classes: Iterable<NodeClass>) {
    const byType = new Map<string, NodeClass>();
    for (const nodeClass of classes) {
      const type = nodeClass.type ?? nodeClass.name;
      if (byType.has(type)) {
        throw new ConfigurationError(`Cannot register node type ${type} twice`);
      }
      byType.set(type, nodeClass);
    }
    this.#classes = byType;
  }

  /** The names of all types, in the order of the list. */
  get types(): string[] {
    return [...this.#classes.keys()];
  }

  /** The class of a type; `undefined` if there is none. */
  get(type: string): NodeClass | undefined {
    return this.#classes.get(type);
  }

  /**
   * Makes a node from data.
   *
   * @param spec the node as data; `module` is not looked at
   * @throws {ConfigurationError} if there is no such type; suggests the nearest name
   * @throws {TypeError | RangeError} if an option breaks its rule
   */
  create(spec: NodeSpec): AnyNode {
    const nodeClass = this.#classes.get(spec.type);
    if (nodeClass === undefined) throw new ConfigurationError(this.#unknown(spec.type));
    const { name, concurrency, queue } = spec;
    return new nodeClass(spec.options as never, { name, concurrency, queue } as NodeConfig);
  }

  #unknown(type: string): string {
    const near = nearest(type, this.types);
    const hint = near === undefined
      ? `there are ${this.types.join(", ")}`
      : `did you mean ${near}?`;
    return `Cannot find node type ${type}: ${hint}`;
  }
}

/** The name with the fewest edits from `word`, if it is near enough to be meant. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const name of names) {
    const edits = editDistance(word.toLowerCase(), name.toLowerCase());
    if (edits < fewest) [best, fewest] = [name, edits];
  }
  return best;
}

/** Levenshtein's distance, one row at a time; both words are cut at 64 letters. */
function editDistance(a: string, b: string): number {
  const [left, right] = [a.slice(0, 64), b.slice(0, 64)];
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}
