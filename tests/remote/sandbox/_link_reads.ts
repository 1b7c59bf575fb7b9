/** Sends messages to and fro over a Unix socket. Says by how many bytes a message the heap grew. */

import { Link } from "../../../remote/sandbox/_link.ts";

const COUNT = 20_000;
const { gc } = globalThis as unknown as { gc(): void };
const folder = await Deno.makeTempDir();
const path = `${folder}/s`;
using listener = Deno.listen({ transport: "unix", path });
const options = { encode: (head: Uint8Array) => ({ head, tail: [] }), maxBytes: 1024 };
const [one, other] = await Promise.all([
  Deno.connect({ transport: "unix", path }),
  listener.accept(),
])
  .finally(() => Deno.remove(folder, { recursive: true })) // both ends have it by now
  .then((ends) => ends.map((end) => new Link<Uint8Array>(end, options)));
let left = COUNT;
let before = 0;
const done = Promise.withResolvers<void>();
const ball = new Uint8Array(8);
void other!.receive(() => other!.send(ball)).catch(() => {}); // closed at the end
void one!.receive(() => {
  if (left === COUNT >> 1) {
    gc();
    before = Deno.memoryUsage().heapUsed; // V8 has compiled
  }
  if (--left === 0) done.resolve();
  else one!.send(ball);
}).catch(() => {});
one!.send(ball);
await done.promise;
gc();
console.log((Deno.memoryUsage().heapUsed - before) / (COUNT >> 1));
one!.close();
other!.close();
