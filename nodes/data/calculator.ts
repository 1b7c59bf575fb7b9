import { z } from "zod";
import { cannot } from "../../core/errors.ts";
import { Node } from "../../core/node.ts";
import { kindOf, wrongInput } from "./_chunk_kind.ts";

/** What {@linkcode Calculator} can do with numbers. */
export const calculatorOperations = [
  "add",
  "subtract",
  "multiply",
  "divide",
  "power",
  "modulo",
] as const;

/** One of the operations of {@linkcode Calculator}. */
export type CalculatorOperation = typeof calculatorOperations[number];

const schema = z.strictObject({
  operation: z.enum(calculatorOperations).default("add")
    .describe("What is done with operands that come without an operation"),
});

/** Options of {@linkcode Calculator}. */
export interface CalculatorOptions {
  /** What is done with operands that come without an operation. @default "add" */
  operation: CalculatorOperation;
}

/** Operands, and what is to be done with them. */
export interface Calculation {
  /** What is to be done. @default the node's option */
  operation?: CalculatorOperation;
  /** The operands: at least two finite numbers. */
  args: readonly number[];
}

/** A calculation that is done. */
export interface CalculationResult extends Required<Calculation> {
  /** The result, a finite number. */
  result: number;
}

/**
 * Calculates with all operands, from left to right: `subtract [100, 25, 5]` is 70. `modulo` has the sign of
 * the divisor, as in mathematics: `modulo [-7, 3]` is 2.
 *
 * Throws a `TypeError` on a chunk that is neither a list of numbers nor a calculation, and on an operand that
 * is not a finite number; a `RangeError` on fewer than two operands, on a division by zero, and on a result
 * that is not a finite number.
 *
 * @example
 * ```ts
 * import { Calculator } from "@remotemedia/sdk/nodes";
 *
 * const node = new Calculator();
 * const done = ReadableStream.from([{ operation: "add" as const, args: [10, 20, 5] }]).pipeThrough(node);
 * console.log((await Array.fromAsync(done))[0]!.result); // 35
 * ```
 */
export class Calculator
  extends Node<Calculation | readonly number[], CalculationResult, CalculatorOptions> {
  /** The name of the type. */
  static override readonly type = "Calculator";
  /** It keeps nothing between chunks. */
  static override readonly stateless = true;
  /** Checks the options. */
  static override readonly options: z.ZodType<CalculatorOptions> = schema;

  /** Gives the operation, its operands and the result. */
  process(input: Calculation | readonly number[]): CalculationResult {
    const given = input as Partial<Calculation> | readonly number[] | null;
    const args = Array.isArray(given) ? given : (given as Partial<Calculation> | null)?.args;
    if (!Array.isArray(args)) {
      throw wrongInput(this.type, "a list of numbers, or an object with args", input);
    }
    const { operation = this.options.operation } = Array.isArray(given)
      ? {}
      : given as Partial<Calculation>;
    return { operation, args, result: calculate(operation, args) };
  }
}

function calculate(operation: CalculatorOperation, args: readonly unknown[]): number {
  const step = steps[operation];
  if (!Object.hasOwn(steps, operation)) {
    throw new TypeError(
      `Calculator has no operation "${operation}": there are ${calculatorOperations.join(", ")}`,
    );
  }
  const wrong = args.findIndex((operand) => !Number.isFinite(operand));
  if (wrong >= 0) {
    const value = args[wrong];
    const found = typeof value === "number" ? value : kindOf(value);
    throw new TypeError(`Cannot ${operation} as operand ${wrong} is no finite number: ${found}`);
  }
  if (args.length < 2) {
    throw new RangeError(
      cannot(operation, { rule: "there must be at least two operands", value: args }),
    );
  }
  const result = (args as number[]).reduce(step);
  if (!Number.isFinite(result)) {
    const rule = "the result must be a finite number";
    throw new RangeError(cannot(`${operation} [${args.join(", ")}]`, { rule, value: result }));
  }
  return result;
}

const steps: Record<CalculatorOperation, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / divisor(a, b),
  power: (a, b) => a ** b,
  modulo: (a, b) => {
    const rest = a % divisor(a, b);
    return rest !== 0 && Math.sign(rest) !== Math.sign(b) ? rest + b : rest;
  },
};

function divisor(a: number, b: number): number {
  if (b === 0) throw new RangeError(`Cannot divide ${a} by zero`);
  return b;
}
