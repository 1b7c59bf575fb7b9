import assert from "node:assert/strict";
import type { NodeSpec } from "../../../core/executor.ts";
import { CallbackTable } from "../../../remote/objects/object_channel.ts";
import { remoteModule } from "../../../remote/objects/remote_module.ts";
import { SandboxHost } from "../../../remote/sandbox/host/sandbox_host.ts";
import { withGuest } from "./_attack.ts";
import { bundleOf, nodesCode } from "./_bundles.ts";

const MiB = 1 << 20;
const limits = { messageBytes: 4 * MiB, memoryBytes: 1024 * MiB };

async function run(node: Partial<NodeSpec>, chunks: readonly unknown[]): Promise<unknown[]> {
  await using host = new SandboxHost({ warm: 0 });
  const spec = { name: "n", module: "nodes", options: {}, ...node } as NodeSpec;
  const bundle = await bundleOf(nodesCode);
  const segment = host.open([spec], () => Promise.resolve(bundle), { policy: { limits } });
  const piped = ReadableStream.from(chunks).pipeTo(segment.writable);
  piped.catch(() => {}); // told by the readable
  return await Array.fromAsync(segment.readable);
}

for (
  const [what, make] of Object.entries({
    "typed arrays": (length: number) => ({ samples: new Float32Array(length / 4) }),
    "texts": (length: number) => ({ in: { text: "x".repeat(length) } }),
    "lists": (length: number) => [[Array.from({ length: length / 9 }, () => 0.5)]],
    "maps": (length: number) => new Map([["key", new Set(["x".repeat(length)])]]),
    // its size is not seen in its first members
    "long tails": (length: number) => [...new Array(20).fill(0), "x".repeat(length)],
  })
) {
  Deno.test(`SandboxHost divides ${what} over messages of the size that one may have`, async () => {
    const chunks = Array.from({ length: 64 }, () => make(0.5 * MiB));
    assert.deepEqual(await run({ type: "Slow", options: { ms: 1 } }, chunks), chunks);
  });
}

Deno.test("SandboxHost refuses a chunk that is larger than one message may be, and says so", async () => {
  await assert.rejects(run({ type: "Echo" }, [{ text: "x".repeat(5 * MiB) }]), {
    name: "SerializationError",
    message: /5\d+ bytes, more than limits.messageBytes: 4194304/,
  });
});

Deno.test("SandboxHost tells of an output that is larger than one message may be", async () => {
  await assert.rejects(run({ type: "Grow" }, [2 * MiB, 5 * MiB]), {
    name: "SerializationError",
    message: /5\d+ bytes, more than limits.messageBytes: 4194304/,
  });
});

Deno.test("Sandbox goes on after arguments, results and callbacks that are too large", async () => {
  await using host = new SandboxHost({ warm: 0 });
  const callbacks = new CallbackTable();
  const code = `
    export const lengthOf = (text) => text.length;
    export const textOf = (length) => "x".repeat(length);
    export const tell = async (length, told) => (await told("x".repeat(length))).length;`;
  const policy = { limits };
  const sandbox = await host.load(await bundleOf(code), { policy, callBack: callbacks.call });
  const guest = remoteModule<Record<string, (...args: unknown[]) => unknown>>({
    operate: (operation) => sandbox.operate(operation),
    close: () => sandbox[Symbol.asyncDispose](),
  }, callbacks);
  const tooLarge = { name: "SerializationError", message: /more than limits.messageBytes/ };
  const large = "x".repeat(5 * MiB);
  await assert.rejects(Promise.resolve(guest.lengthOf!(large)), tooLarge);
  await assert.rejects(Promise.resolve(guest.textOf!(large.length)), tooLarge);
  await assert.rejects(Promise.resolve(guest.tell!(large.length, () => "")), tooLarge);
  await assert.rejects(Promise.resolve(guest.tell!(1, () => large)), tooLarge);
  assert.equal(await guest.tell!(3, (text: string) => text), 3);
});

for (
  const [what, large, memoryBytes] of [
    ["large", "{ in: texts.slice(0, 16) }", 256 * MiB],
    ["larger than they look", "[0, 1, 2, 3, 4, 5, 6, 7, 8, texts]", 1024 * MiB],
  ] as const
) {
  Deno.test(`SandboxHost keeps few bytes where small outputs become ${what}`, async () => {
    await using host = new SandboxHost({ warm: 0 });
    const bundle = await bundleOf(`
    import { Node } from "@remotemedia/sdk";
    const texts = Array.from({ length: 32 }, () => "x".repeat(1 << 20));
    export class Surprise extends Node {
      async *process() {
        for (let i = 0; i < 8; i++) yield i;
        for (;;) {
          yield ${large};
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    }`);
    const spec = { name: "n", type: "Surprise", module: "nodes", options: {} } as NodeSpec;
    const policy = { limits: { memoryBytes } };
    const segment = host.open([spec], () => Promise.resolve(bundle), { policy });
    const writer = segment.writable.getWriter();
    writer.write(1).catch(() => {});
    const reader = segment.readable.getReader();
    for (let i = 0; i < 8; i++) assert.equal((await reader.read()).value, i);
    const before = Deno.memoryUsage().rss;
    let most = 0;
    for (let i = 0; i < 15; i++) { // 64 outputs are 1 or 2 GiB
      await new Promise((resolve) => setTimeout(resolve, 100));
      most = Math.max(most, Deno.memoryUsage().rss - before);
    }
    console.log(`host grew by ${(most / 1e6).toFixed(0)} MB`);
    assert.ok(most < 400e6, `it grew by ${most} bytes`);
    const goesOn = async () => {
      for (let i = 0; i < 8; i++) assert.equal((await reader.read()).done, false);
    };
    if (what === "large") await goesOn();
    await segment.stop(new Error("enough"));
  });
}

/** Sends a message as often as it can, and reads as slowly as it can. */
function flooding(message: string): string {
  return `import { encodeValue } from "@remotemedia/sdk";
  export const attack = () => {
    let id = 0;
    const push = Array.prototype.push;
    Array.prototype.push = function (...items) {
      if (items[0]?.head instanceof Uint8Array) {
        items = Array.from({ length: 1000 }, () => ({ head: encodeValue(${message}), tail: [] }));
      }
      return push.apply(this, items);
    };
    Uint8Array.prototype.subarray = ((subarray) => function (...range) {
      const reads = this.length === 65536 && range.length === 1; // from now on a byte at once
      return reads ? subarray.call(this, range[0], range[0] + 1) : subarray.apply(this, range);
    })(Uint8Array.prototype.subarray);
    setInterval(() => console.log("a line, to send anything at all"), 20);
    return new Promise(() => {});
  };`;
}

for (
  const [what, message] of [
    ["calls back without reading the answers", `[12, ++id, 1, new Uint8Array([0x90])]`],
    ["tells again that it is loaded", `[2, ["x"]]`],
  ] as const
) {
  Deno.test(`Sandbox ends a guest that ${what}: protocol`, async () => {
    const attack = withGuest(flooding(message), async (guest) => {
      await guest.attack!(() => "x".repeat(1000));
    });
    await assert.rejects(attack, { name: "SandboxError", reason: "protocol" });
  });
}
