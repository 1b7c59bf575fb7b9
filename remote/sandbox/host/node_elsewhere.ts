import { PipelineError } from "../../../core/errors.ts";
import type { Executor, NodeSpec } from "../../../core/executor.ts";
import { Node } from "../../../core/node.ts";

/** Stands in a pipeline for a node of which only the data is here: it runs at its executor. */
export class NodeElsewhere extends Node<unknown, unknown> {
  readonly #spec: NodeSpec;

  /** @param spec the node as data; @param executor where it runs */
  constructor(spec: NodeSpec, executor: Executor) {
    super({}, { name: spec.name, executor });
    this.#spec = spec;
  }

  /** The name of the type that it stands for. */
  override get type(): string {
    return #spec in this ? this.#spec.type : "NodeElsewhere"; // asked for while it is made
  }

  /** The data that it was made of. */
  override toSpec(): NodeSpec {
    return this.#spec;
  }

  /** @throws {PipelineError} always: it does not run here */
  process(): never {
    throw new PipelineError(`Cannot run node "${this.name}" here as it runs elsewhere`);
  }
}
