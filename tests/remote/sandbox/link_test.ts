import assert from "node:assert/strict";
import { Link } from "../../../remote/sandbox/_link.ts";

Deno.test("Link keeps nothing of the messages that it read", async () => {
  const script = new URL("./_link_reads.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", "--v8-flags=--expose-gc", script];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  const bytes = Number(new TextDecoder().decode(stdout));
  console.log(`${bytes.toFixed(1)} bytes a message`);
  assert.ok(bytes < 50, `${bytes} bytes a message`);
});

Deno.test("Link tells its receiver why writing failed", async () => {
  const folder = await Deno.makeTempDir();
  await using _folder = {
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  const path = `${folder}/s`;
  using listener = Deno.listen({ transport: "unix", path });
  const client = await Deno.connect({ transport: "unix", path });
  using peer = await listener.accept();
  const encode = (head: Uint8Array) => ({ head, tail: [] });
  const link = new Link<Uint8Array>(client, { encode, maxBytes: 1024 });
  const received = link.receive(() => {});
  client.closeWrite(); // the way there is shut, the way back is open
  link.send(new Uint8Array(8));
  await assert.rejects(received, Deno.errors.BrokenPipe);
  assert.equal(link.closed, true);
  void peer;
});
