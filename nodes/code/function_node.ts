import type { NodeSpec } from "../../core/executor.ts";
import { Node, type NodeConfig, type NodeOutput } from "../../core/node.ts";
import { cannot } from "../../core/errors.ts";

/** What a function does with a chunk: makes another of it, or says whether it stays. */
export type FunctionKind = "map" | "filter";

/** Where a function can be found again elsewhere. */
export interface FunctionPlace {
  /** The module that exports it: `import.meta.url`. Needed to run it elsewhere. */
  module?: string;
  /** The name under which it is exported. @default the function's own name */
  export?: string;
}

/** A function as a node. Made by `map()` and `filter()`. */
export class FunctionNode<I, O> extends Node<I, O, { export: string }> {
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  readonly #work: (input: I) => unknown;
  readonly #kind: FunctionKind;
  readonly #module: string | undefined;

  /**
   * Keeps the function and where it can be found.
   *
   * @param work the function
   * @param place what it does, and where it can be found again
   * @param config what is the same for all nodes
   * @throws {TypeError} if it is no function, or is to run elsewhere and cannot be found there
   */
  constructor(
    work: (input: I) => unknown,
    place: FunctionPlace & { kind: FunctionKind },
    config: NodeConfig = {},
  ) {
    const { kind, module } = place;
    if (typeof work !== "function") {
      throw new TypeError(cannot(kind, { rule: "it must be a function", value: work }));
    }
    const name = place.export ?? work.name;
    super({ export: name }, config);
    if (config.executor !== undefined && (module === undefined || name === "")) {
      const rule = "a function that runs elsewhere must be exported, and its module be named";
      throw new TypeError(cannot(`${kind} "${name}"`, { rule, value: module }));
    }
    this.#work = work;
    this.#kind = kind;
    this.#module = module;
  }

  /** `map` or `filter`. */
  override get type(): string {
    return #kind in this ? this.#kind : "function"; // the constructor asks before it is set
  }

  /** This node as data: the function by its name. */
  override toSpec(): NodeSpec {
    const spec = super.toSpec();
    return this.#module === undefined ? spec : { ...spec, module: this.#module };
  }

  /** Calls the function. */
  process(input: I): NodeOutput<O> {
    const output = this.#work(input);
    if (this.#kind === "map") return output as NodeOutput<O>;
    if (output instanceof Promise) {
      return output.then((kept) => kept ? input as unknown as O : undefined);
    }
    return output ? input as unknown as O : undefined;
  }
}
