import { deepEqual, equal, rejects } from "node:assert/strict";
import { Calculator, type CalculatorOperation } from "../../../nodes/data/mod.ts";
import { through } from "./_through.ts";

async function result(operation: CalculatorOperation, ...args: number[]): Promise<number> {
  return (await through(new Calculator(), [{ operation, args }]))[0]!.result;
}

Deno.test("Calculator gives the original's demo values", async () => {
  equal(await result("add", 10, 20, 5), 35);
  equal(await result("multiply", 3, 7), 21);
  equal(await result("subtract", 100, 25), 75);
  equal(await result("divide", 50, 2), 25);
  equal(await result("power", 2, 8), 256);
  deepEqual(await through(new Calculator(), [{ operation: "add", args: [10, 20, 5] }]), [
    { operation: "add", args: [10, 20, 5], result: 35 },
  ]);
});

Deno.test("Calculator takes all operands from left to right", async () => {
  equal(await result("subtract", 100, 25, 5, 1), 69);
  equal(await result("divide", 120, 2, 3, 4), 5);
  equal(await result("power", 2, 3, 2), 64);
  equal(await result("modulo", 17, 10, 4), 3);
});

Deno.test("Calculator takes modulo with the sign of the divisor", async () => {
  deepEqual(
    await Promise.all([result("modulo", -7, 3), result("modulo", 7, -3), result("modulo", -6, 3)]),
    [2, -2, -0],
  );
});

Deno.test("Calculator fails in one sentence on what has no finite result", async () => {
  for (
    const [chunk, message] of [
      [{ operation: "divide", args: [1, 0] }, /Cannot divide 1 by zero/],
      [{ operation: "modulo", args: [7, -0] }, /Cannot divide 7 by zero/],
      [{ operation: "power", args: [10, 400] }, /result must be a finite number.*Infinity/],
      [{ operation: "power", args: [-1, 0.5] }, /result must be a finite number.*NaN/],
      [{ operation: "add", args: [1] }, /at least two operands.*\[1\]/],
      [{ operation: "add", args: [1, NaN] }, /operand 1 is no finite number: NaN/],
      [{ operation: "add", args: [1, "2"] }, /operand 1 is no finite number: text/],
      [{ operation: "toString", args: [1, 2] }, /no operation "toString": there are add/],
      ["1+1", /Calculator takes a list of numbers.*given text/],
      [{ operation: "add" }, /given an object/],
    ] as const
  ) await rejects(through(new Calculator(), [chunk]), message);
});
