import assert from "node:assert/strict";
import { decode, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { decodeValue, encodeValue } from "../../../core/codec/mod.ts";
import { SerializationError } from "../../../core/errors.ts";
import { AudioFrame, EncodedFrame, Marker, Tensor, VideoFrame } from "../../../core/frames/mod.ts";

function roundTrip(value: unknown): unknown {
  return decodeValue(encodeValue(value));
}

Deno.test("encodeValue and decodeValue keep what JSON does not have", () => {
  const values: unknown[] = [
    undefined,
    null,
    -0,
    Number.NaN,
    Infinity,
    2 ** 53 - 1,
    -(2 ** 53) + 1,
    0xffffffff,
    -0x80000000,
    1.5,
    10n ** 30n,
    -1n,
    0n,
    new Date(1234.5),
    new Date(Number.NaN),
    new Map<unknown, unknown>([[1, { a: undefined }], ["k", new Map()], [{ x: 1 }, 2n]]),
    new Set<unknown>([1, "1", [2]]),
    /a\/b/giu,
    new Uint8Array([1, 2]),
    new Uint8ClampedArray([1, 2]),
    new Int16Array([-1]),
    new Float32Array([0.1, Number.NaN]),
    new Float64Array([0.1]),
    new BigInt64Array([-5n]),
    new ArrayBuffer(3),
    "ä€😀",
    "x".repeat(300),
    "ä".repeat(70_000),
    [undefined, [null]],
    { nested: { deep: { er: [true, false] } } },
  ];
  for (const value of values) assert.deepEqual(roundTrip(value), value);
});

Deno.test("encodeValue keeps any value that fast-check can think of", () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: false,
    withUnicodeString: true,
    maxDepth: 4,
  });
  fc.assert(
    fc.property(anything, (value) => {
      assert.deepEqual(roundTrip(value), value);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("decodeValue reads what @msgpack/msgpack writes of any JSON value", () => {
  // the reference refuses to read the key __proto__
  const value = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('"__proto__"'));
  fc.assert(
    fc.property(value, (value) => {
      const bytes = encode(value);
      assert.deepEqual(decodeValue(bytes), decode(bytes));
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("encodeValue keeps frames inside of values, metadata too", () => {
  const metadata = { speaker: "a", at: new Date(5), inner: new Float32Array([1]) };
  const frames = [
    new AudioFrame({
      data: new Float32Array([0.5, -0.5]),
      sampleRate: 8000,
      numberOfChannels: 2,
      timestamp: 7,
      metadata,
    }),
    new VideoFrame({
      data: new Uint8Array(16),
      format: "RGBA",
      codedWidth: 2,
      codedHeight: 2,
      duration: 5,
    }),
    new EncodedFrame({ data: new Uint8Array([1]), codec: "opus", type: "delta" }),
    new Tensor({ data: new BigInt64Array(6), dims: [2, 3], metadata }),
    new Marker({ name: "turn", data: { id: 3n } }),
  ];
  assert.deepEqual(roundTrip({ frames }), { frames });
});

Deno.test("encodeValue keeps an error's class, message, stack and cause", () => {
  const error = new RangeError("too far", { cause: new TypeError("not a number") });
  const copy = roundTrip(error) as RangeError;
  assert.ok(copy instanceof RangeError);
  assert.equal(copy.message, "too far");
  assert.equal(copy.stack, error.stack);
  assert.ok(copy.cause instanceof TypeError);
});

Deno.test("encodeValue makes a plain object of an instance, from its own enumerable fields", () => {
  class Point {
    x = 1;
    get length(): number {
      return 5;
    }
  }
  const own = Object.defineProperty({ a: 1 }, "b", { enumerable: true, get: () => 2 });
  Object.defineProperty(own, "hidden", { value: 3 });
  assert.deepEqual(roundTrip([new Point(), own]), [{ x: 1 }, { a: 1, b: 2 }]);
});

Deno.test("encodeValue names the path of what cannot travel", () => {
  const circle: Record<string, unknown> = {};
  circle.list = [{ again: circle }];
  const two = new Map<unknown, unknown>([["f", [() => 1]]]);
  let deep: unknown = 1;
  for (let depth = 0; depth < 200; depth++) deep = [deep];
  const cases: [unknown, RegExp][] = [
    [{ a: [1, { "b c": function run() {} }] }, /value\.a\[1\]\["b c"\] is a function \(run\)$/],
    [{ s: Symbol("id") }, /value\.s is a symbol \(Symbol\(id\)\)$/],
    [circle, /value\.list\[0\]\.again is circular$/],
    [two, /value\.get\("f"\)\[0\] is a function \(anonymous\)$/],
    [{ p: Promise.resolve(1) }, /value\.p is a Promise, which lives in this process$/],
    [{ s: new ReadableStream() }, /value\.s is a ReadableStream, which lives in this process$/],
    [new WeakMap(), /value is a WeakMap, which lives in this process$/],
    [deep, /is nested more than 100 deep$/],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => encodeValue(value), { name: "SerializationError", message });
  }
});

Deno.test("decodeValue does not let a __proto__ key change a prototype", () => {
  const value = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}');
  const copy = roundTrip(value) as Record<string, unknown>;
  assert.deepEqual(Object.keys(copy), ["__proto__", "constructor"]);
  assert.equal(Object.getPrototypeOf(copy), Object.prototype);
  assert.equal(copy.polluted, undefined);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("decodeValue bounds depth, count and size of hostile bytes", () => {
  const nested = new Uint8Array(100_000).fill(0x91);
  assert.throws(() => decodeValue(nested), { message: /nested more than 100 deep/ });
  const maps = new Uint8Array(100_000).fill(0xc9);
  assert.throws(() => decodeValue(maps), SerializationError);
  const many = new Uint8Array(5 + 2_000_000);
  many.set([0xdd, 0, 0x1e, 0x84, 0x80]);
  assert.throws(() => decodeValue(many), { message: /too many values/ });
  assert.throws(() => decodeValue(many, { maxItems: 10 }), { message: /too many values/ });
  const huge = new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff, 1]); // says 4 billion items
  assert.throws(() => decodeValue(huge), { message: /ends too early/ });
  assert.throws(() => decodeValue(new Uint8Array([1, 2])), { message: /left over/ });
  assert.throws(() => decodeValue(new Uint8Array(0)), { message: /ends too early/ });
});

Deno.test("decodeValue gives a value or a SerializationError for any bytes", () => {
  const mutated = fc.tuple(
    fc.anything({ withBigInt: true, withMap: true, withDate: true }),
    fc.infiniteStream(fc.nat()),
  )
    .map(([value, random]) => {
      const bytes = encodeValue(value).slice();
      for (let count = 0; count < 3 && bytes.length > 0; count++) {
        bytes[random.next().value! % bytes.length] = random.next().value! & 0xff;
      }
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      try {
        decodeValue(bytes);
      } catch (error) {
        assert.ok(error instanceof SerializationError, String(error));
      }
    }),
    { numRuns: 20_000 },
  );
});
