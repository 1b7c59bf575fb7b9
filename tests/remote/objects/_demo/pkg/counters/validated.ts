import { z } from "zod";
import { format } from "../shared/format.ts";
import { separator } from "../../separator.ts";

const step = z.int().min(1);

/** A class with imports in its own, its parent's and a package's folder, and from npm. */
export class Validated {
  #value = 0;
  add(by: number): string {
    this.#value += step.parse(by);
    return format("value", this.#value) + separator;
  }
}
