import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeValue } from "../../../core/codec/mod.ts";
import { SandboxError, SerializationError } from "../../../core/errors.ts";
import { decodeGuestMessage, encodeGuestMessage } from "../../../remote/sandbox/guest_codec.ts";
import { attempt, withGuest } from "./_attack.ts";

/**
 * Code that makes the guest send bytes of its own: every list in the guest's realm is the attacker's, the
 * queue of outgoing messages too.
 */
function forging(bytes: string, tail = ""): string {
  return `import { encodeValue } from "@remotemedia/sdk";
  export const attack = () => {
    const push = Array.prototype.push;
    Array.prototype.push = function (...items) {
      if (items[0]?.head instanceof Uint8Array) items = [{ head: ${bytes}, tail: [${tail}] }];
      return push.apply(this, items);
    };
    console.log("a line, to send anything at all");
    return new Promise(() => {});
  };`;
}

for (
  const [name, bytes] of Object.entries({
    "no message": `new Uint8Array([1])`,
    "an empty message": `new Uint8Array(0)`,
    "random bytes": `crypto.getRandomValues(new Uint8Array(5000))`,
    "an unknown type": `encodeValue([99])`,
    "no type": `encodeValue(["log"])`,
    "fields left over": `encodeValue([1, 1, 1])`,
    "a missing field": `encodeValue([13, 0])`,
    "ready twice": `encodeValue([1, 1])`,
    "a segment that is none": `encodeValue([5, 7, []])`,
    "an answer to no question": `encodeValue([11, 12345, [0, new Uint8Array([1])]])`,
    "a level that is none": `encodeValue([13, 9, "x", 0])`,
    "a negative count": `encodeValue([13, 0, "x", -1])`,
    "a fraction for a count": `encodeValue([13, 0, "x", 0.5])`,
    "a line that is too long": `encodeValue([13, 0, "x".repeat(5000), 0])`,
    "a value nested too deep": `new Uint8Array(500).fill(0x91)`,
    "a list longer than its bytes": `new Uint8Array([0x92, 5, 0xdd, 0xff, 0xff, 0xff, 0xff])`,
    "an answer that is no list": `encodeValue([11, 1, "x"])`,
    "a failure that is none": `encodeValue([3, { name: 1 }])`,
  })
) {
  Deno.test(`Sandbox ends a guest that forges ${name}: protocol`, async () => {
    const attack = withGuest(forging(bytes), async (guest) => {
      await guest.attack!();
    });
    await assert.rejects(attack, { name: "SandboxError", reason: "protocol" });
  });
}

for (
  const [name, bytes, tail] of [
    ["blobs that belong to nothing", `encodeValue([13, 0, "x", 0])`, "new Uint8Array(8)"],
    ["a frame without its blob", `encodeValue([5, 1, [[2, 0, 1, 400, {}]]])`, "new Uint8Array(8)"],
    ["a frame of half a sample", `encodeValue([5, 1, [[2, 0, 1, 7, {}]]])`, "new Uint8Array(8)"],
    ["a frame that is none", `encodeValue([5, 1, [[2, 0, 1, 8, null]]])`, "new Uint8Array(8)"],
    ["a frame of no kind", `encodeValue([5, 1, [[2, 9, 1, 8, {}]]])`, "new Uint8Array(8)"],
  ] as const
) {
  Deno.test(`Sandbox ends a guest that forges ${name}: protocol`, async () => {
    const attack = withGuest(forging(bytes, tail), async (guest) => {
      await guest.attack!();
    });
    await assert.rejects(attack, { name: "SandboxError", reason: "protocol" });
  });
}

Deno.test("Sandbox ends a guest that announces a huge message: output", async () => {
  const attack = withGuest(
    `export const attack = () => {
      DataView.prototype.setUint32 = function (at) { new Uint8Array(this.buffer).fill(255, at, at + 4); };
      console.log("x");
      return new Promise(() => {});
    };`,
    async (guest) => {
      await guest.attack!();
    },
  );
  await assert.rejects(attack, { name: "SandboxError", reason: "output" });
});

Deno.test("Sandbox contains prototype pollution", async () => {
  await withGuest(
    `export const attack = () => {
      Object.prototype.polluted = 1;
      Object.prototype.then = (resolve) => resolve("stolen");
      Array.prototype[Symbol.iterator] = function* () { yield "stolen"; };
      return 1;
    };`,
    async (guest) => {
      await guest.attack!().catch((error: unknown) => assert.ok(error instanceof SandboxError));
    },
    { policy: { limits: { wallMs: 2000 } } },
  ).catch((error) => assert.ok(error instanceof SandboxError, String(error)));
  assert.equal("polluted" in {}, false);
  assert.equal("then" in {}, false);
});

Deno.test("Sandbox gives a result named __proto__ as an own field", async () => {
  await withGuest(
    `export const attack = () => JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"x": 1}}}');`,
    async (guest) => {
      const result = await guest.attack!() as Record<string, unknown>;
      assert.ok(Object.hasOwn(result, "__proto__"));
      assert.equal(result.polluted, undefined);
    },
  );
  assert.equal("polluted" in {}, false);
});

Deno.test("Sandbox refuses symbols in results", async () => {
  await withGuest(`export const attack = () => ({ a: [Symbol("x")] });`, async (guest) => {
    await assert.rejects(Promise.resolve(guest.attack!()), { name: "SerializationError" });
  });
});

Deno.test("Sandbox runs getters of results only in the guest", async () => {
  await withGuest(
    `export const attack = () => ({ get place() { return Deno.pid; } });`,
    async (guest, pid) => {
      assert.deepEqual(await guest.attack!(), { place: pid });
    },
  );
});

Deno.test("Sandbox contains a getter that throws in an error", async () => {
  await withGuest(
    `export const attack = () => {
      throw Object.defineProperty(new Error("x"), "message", { get() { throw 1; } });
    };`,
    async (guest) => {
      await assert.rejects(Promise.resolve(guest.attack!()), { message: /cannot be described/ });
    },
  );
});

Deno.test("Sandbox has no internals of Deno", async () => {
  assert.deepEqual(await attempt("Object.getOwnPropertySymbols(Deno).length"), { got: "0" });
  assert.deepEqual(
    await attempt("Reflect.ownKeys(globalThis).filter((k) => String(k).startsWith('__'))"),
    {
      got: "[]",
    },
  );
});

Deno.test("decodeGuestMessage throws nothing but SerializationError", () => {
  const decode = (bytes: Uint8Array) => {
    try {
      decodeGuestMessage(bytes);
    } catch (error) {
      assert.ok(error instanceof SerializationError, String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decode), { numRuns: 3000 });
  const anything = fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true });
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 15 }),
      fc.array(anything, { maxLength: 4 }),
      (type, fields) => {
        decode(encodeValue([type, ...fields]));
      },
    ),
    { numRuns: 3000 },
  );
});

Deno.test("decodeGuestMessage throws nothing else for messages that were changed on their way", () => {
  const messages = [
    encodeGuestMessage({ type: "credit", segment: 1, count: 3 }),
    encodeGuestMessage({
      type: "outputs",
      segment: 1,
      entries: [{ kind: "chunk", value: { a: new Float32Array(3) } }],
    }),
    encodeGuestMessage({
      type: "operated",
      id: 1,
      outcome: { kind: "value", value: encodeValue(1) },
    }),
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...messages),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      }),
      (message, changes) => {
        const bytes = message.slice();
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        try {
          decodeGuestMessage(bytes);
        } catch (error) {
          assert.ok(error instanceof SerializationError, String(error));
        }
      },
    ),
    { numRuns: 3000 },
  );
});
