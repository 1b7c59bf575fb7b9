import type { NodeOutput } from "../../core/mod.ts";

/** All that a node's method gives, whichever way. */
export async function given<O>(output: NodeOutput<O>): Promise<O[]> {
  const value = await output;
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null || !("next" in value)) return [value as O];
  const outputs: O[] = [];
  while (true) {
    const step = await value.next();
    if (step.done) return outputs;
    outputs.push(step.value);
  }
}
