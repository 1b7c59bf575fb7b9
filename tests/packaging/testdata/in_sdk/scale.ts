import { Node } from "../../../../core/mod.ts";
import { factor } from "./_factor.ts";

/** A user's node that imports the SDK by path, as the SDK's own tests and examples do. */
export class Scale extends Node<number, number> {
  static override readonly module: string = import.meta.url;

  process(input: number): number {
    return factor * input;
  }
}
