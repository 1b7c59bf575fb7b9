import {
  Batch,
  Buffer,
  Calculator,
  DataAggregator,
  DataTransform,
  Deduplicator,
  Delay,
  FormatConverter,
  Tap,
  Throttle,
  Validator,
} from "../../../nodes/data/mod.ts";
import { type AnyContract, contractOf } from "./_contract_of.ts";

const numbers = () => [1, 2, 2, 3, 4, 4, 5, 1, 9];
const timed = () =>
  [0, 10, 20, 30, 35, 90, 20, 30].map((ms) => ({ timestamp: 1000 * ms, score: ms + 1 }));

/** What the contract has to know of each node of `nodes/data`, by type. */
export const dataContracts: Record<string, AnyContract> = {
  Calculator: contractOf({
    create: (config) => new Calculator({ operation: "multiply" }, config),
    inputs: () => [[1, 2], { operation: "add" as const, args: [3, 4, 5] }, [2, 2]],
    refused: [[() => new Calculator({ operation: "root" as never }), /Calculator.*"operation"/]],
  }),
  DataTransform: contractOf({
    create: (config) => new DataTransform({ expression: "$ > 1 ? [$, $ * 2]" }, config),
    inputs: numbers,
    refused: [
      [() => new DataTransform({ expression: "$sum(" }), /"expression".*at character/],
      [() => new DataTransform({} as never), /"expression"/],
    ],
  }),
  FormatConverter: contractOf({
    create: (config) => new FormatConverter({ from: "ndjson", to: "yaml" }, config),
    inputs: () => ['\n{"a":1}\n{"b', '":"é', '"}\r\n', "\n[1,", '2]\n"end"'],
    refused: [[() => new FormatConverter({ from: "xml" as never }), /"from"/]],
  }),
  Validator: contractOf({
    create: (config) =>
      new Validator({ schema: { type: "integer", minimum: 3 }, invalid: "drop" }, config),
    inputs: numbers,
    refused: [
      [() => new Validator({ schema: { type: "integr" } }), /schema cannot be compiled/],
      [() => new Validator({ schema: { typ: "integer" } }), /unknown keyword/],
    ],
  }),
  DataAggregator: contractOf({
    create: (config) =>
      new DataAggregator(
        { operation: "sum", field: "score", size: 25, step: 10, unit: "ms" },
        config,
      ),
    inputs: timed,
    refused: [
      [() => new DataAggregator({ size: 2, step: 3 }), /step must be at most size/],
      [() => new DataAggregator({ size: 2.5 }), /whole numbers/],
      [() => new DataAggregator({ size: 0 }), /"size"/],
    ],
  }),
  Buffer: contractOf({
    create: (config) => new Buffer<number>({ size: 3, overlap: 1 }, config),
    inputs: numbers,
    refused: [[() => new Buffer({ size: 2, overlap: 2 }), /overlap must be less than size/]],
  }),
  Batch: contractOf({
    create: (config) => new Batch<unknown>({ maxCount: 3, maxMs: 15, clock: "timestamp" }, config),
    inputs: timed,
    refused: [[() => new Batch({ maxMs: 0 }), /"maxMs"/]],
  }),
  Throttle: contractOf({
    create: (config) =>
      new Throttle<unknown>({ limit: 2, perMs: 20, excess: "drop", clock: "timestamp" }, config),
    inputs: timed,
    refused: [
      [() => new Throttle({ clock: "timestamp" }), /excess must be "drop"/],
      [() => new Throttle({ limit: 0 }), /"limit"/],
    ],
  }),
  Delay: contractOf({
    create: (config) => new Delay<number>({ ms: 2 }, config),
    inputs: numbers,
    refused: [[() => new Delay({ ms: -1 }), /"ms"/]],
  }),
  Deduplicator: contractOf({
    create: (config) => new Deduplicator<number>({ size: 3 }, config),
    inputs: numbers,
    refused: [[() => new Deduplicator({ size: 0 }), /"size"/]],
  }),
  Tap: contractOf({
    create: (config) => new Tap<number>({}, config),
    inputs: numbers,
    refused: [[() => new Tap({ level: "loud" as never }), /"level"/]],
  }),
};
