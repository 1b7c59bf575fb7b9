import assert from "node:assert/strict";
import { attempt, ended, refused } from "./_attack.ts";

const denied = /NotCapable|Requires \w+ access|EPERM|EACCES|not supported/;

for (
  const [name, expression] of Object.entries({
    "reading a file": `Deno.readTextFileSync("/etc/passwd")`,
    "opening a file": `Deno.open("/etc/passwd")`,
    "listing a folder": `[...Deno.readDirSync("/")]`,
    "looking at a file": `Deno.statSync("/etc/passwd")`,
    "resolving a path": `Deno.realPathSync("/etc")`,
    "reading its own environment file": `Deno.readFileSync("/proc/self/environ")`,
    "reading the memory of its host": "Deno.readFileSync(`/proc/${Deno.ppid}/mem`)",
    "watching files": `Deno.watchFs("/etc")`,
    "a symlink to a file": `Deno.symlinkSync("/etc/passwd", new URL("./x", import.meta.url))`,
    "writing a file": `Deno.writeTextFileSync("/tmp/remotemedia-attack", "x")`,
    "writing its own bundle": `Deno.writeTextFileSync(new URL(import.meta.url), "x")`,
    "writing where its socket was": `Deno.writeTextFileSync(new URL("../s", import.meta.url), "x")`,
    "making a temporary file": `Deno.makeTempFileSync()`,
    "connecting": `Deno.connect({ port: 22 })`,
    "connecting to a Unix socket": `Deno.connect({ transport: "unix", path: "/run/x" })`,
    "connecting to its own socket again":
      `Deno.connect({ transport: "unix", path: new URL("../s", import.meta.url).pathname })`,
    "listening": `Deno.listen({ port: 0 })`,
    "listening where its socket was":
      `Deno.listen({ transport: "unix", path: new URL("../s", import.meta.url).pathname })`,
    "serving": `Deno.serve({ port: 0 }, () => new Response("x"))`,
    "resolving a name": `Deno.resolveDns("example.com", "A")`,
    "spawning": `new Deno.Command("/bin/true").outputSync()`,
    "killing its host": `Deno.kill(Deno.ppid, "SIGKILL")`,
    "loading a library": `Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {})`,
    "killing its process group": `Deno.kill(0, "SIGURG")`,
    "the environment": `Deno.env.toObject()`,
    "a variable": `Deno.env.get("PATH")`,
    "setting a variable": `Deno.env.set("X", "1")`,
    "the user": `Deno.uid()`,
    "the host name": `Deno.hostname()`,
    "the kernel": `Deno.osRelease()`,
    "the memory of the system": `Deno.systemMemoryInfo()`,
    "the network interfaces": `Deno.networkInterfaces()`,
    "fetch": `fetch("http://127.0.0.1:8000/")`,
    "fetch of a file": `fetch("file:///etc/passwd").then((r) => r.text())`,
    "WebSocket": `new WebSocket("ws://127.0.0.1:8000")`,
    "node:fs": `import("node:fs").then((m) => m.readFileSync("/etc/passwd"))`,
    "node:fs/promises": `import("node:fs/promises").then((m) => m.writeFile("/tmp/x", "x"))`,
    "node:child_process": `import("node:child_process").then((m) => m.execFileSync("/bin/true"))`,
    "node:net": `import("node:net").then((m) => new Promise((resolve, reject) =>
      m.connect(22, "127.0.0.1").on("error", reject).on("connect", resolve)))`,
    "node:http": `import("node:http").then((m) => new Promise((resolve, reject) =>
      m.get("http://127.0.0.1:8000/", resolve).on("error", reject)))`,
    "node:dns": `import("node:dns").then((m) => m.promises.lookup("localhost"))`,
    "node:os host name": `import("node:os").then((m) => m.hostname())`,
    "node:os user": `import("node:os").then((m) => m.userInfo())`,
    "node:process environment": `import("node:process").then((m) => m.env.PATH)`,
    "node:process kill": `import("node:process").then((m) => m.kill(m.ppid, "SIGKILL"))`,
    "node:process dlopen":
      `import("node:process").then((m) => m.dlopen({ exports: {} }, "/tmp/x.node"))`,
    "node:module require":
      `import("node:module").then((m) => m.createRequire("file:///work/main/x.js")("zod"))`,
    "node:sqlite": `import("node:sqlite").then((m) => new m.DatabaseSync("/tmp/x.db"))`,
    "node:inspector": `import("node:inspector").then((m) => m.open(0))`,
    "node:v8 heap snapshot": `import("node:v8").then((m) => m.writeHeapSnapshot("/tmp/x"))`,
  })
) {
  refused(name, expression, denied);
}

ended(
  "a bundle that listens through node:net",
  `const { createServer } = await import("node:net");
  await new Promise((resolve) => createServer().listen(0, "127.0.0.1", resolve));`,
  { reason: "denied" },
);
ended(
  "a bundle that listens through node:dgram",
  `const { createSocket } = await import("node:dgram");
  await new Promise((resolve) => createSocket("udp4").bind(0, "127.0.0.1", resolve));`,
  { reason: "denied" },
);

for (
  const name of [
    "EventSource",
    "WebTransport",
    "WebSocketStream",
    "caches",
    "localStorage",
    "sessionStorage",
    "indexedDB",
    "BroadcastChannel",
    "Worker",
    "postMessage",
    "close",
    "prompt",
    "Deno.exit",
    "Deno.stdin",
    "Deno.stdout",
    "Deno.openKv",
    "Deno.core",
    "Deno[Deno.internal]",
    "navigator.gpu",
    "globalThis.__bootstrap",
  ]
) {
  Deno.test(`Sandbox has no ${name}`, async () => {
    assert.deepEqual(await attempt(`typeof globalThis.${name}`), { got: '"undefined"' });
  });
}

/** Runs code in a nested worker, which node:worker_threads can still make. */
function nested(code: string): string {
  return `import("node:worker_threads").then((m) => new Promise((resolve, reject) => {
    const worker = new m.Worker(${
    JSON.stringify(`
      const { parentPort } = require("node:worker_threads");
      (async () => { ${code} })().then((got) => parentPort.postMessage(got));
    `)
  }, { eval: true });
    worker.on("message", resolve);
    worker.on("error", reject);
  }))`;
}

refused(
  "reading in a nested worker",
  nested(`return Deno.readTextFileSync("/etc/passwd")`),
  denied,
);
refused(
  "wider rights for a nested worker",
  nested(
    `new Worker("data:text/javascript,0", { type: "module", deno: { permissions: { env: true } } })`,
  ),
  /escalate/,
);
refused(
  "writing caches to disk in a nested worker",
  nested(
    `const c = await caches.open("x"); await c.put("http://a/b", new Response(new Uint8Array(1e6)))`,
  ),
  /Failed to create cache storage/,
);

Deno.test("Sandbox tells the truth about permissions", async () => {
  const state = (of: string) => attempt(`Deno.permissions.query(${of}).then((s) => s.state)`);
  assert.deepEqual(await state(`{ name: "net" }`), { got: '"denied"' });
  assert.deepEqual(await state(`{ name: "read", path: "/etc/passwd" }`), { got: '"denied"' });
  assert.deepEqual(await state(`{ name: "read", path: new URL(import.meta.url).pathname }`), {
    got: '"granted"',
  });
  assert.deepEqual(
    await attempt(`Deno.permissions.request({ name: "net" }).then((s) => s.state)`),
    {
      got: '"denied"',
    },
  );
});

Deno.test("Sandbox grants what is asked for and allowed, and no more", async () => {
  const root = await Deno.makeTempDir();
  Deno.env.set("REMOTEMEDIA_TEST", "seen");
  try {
    await Deno.writeTextFile(`${root}/a.txt`, "a");
    await Deno.writeTextFile(`${root}/b.txt`, "b");
    const options = {
      permissions: { read: [`${root}/a.txt`, "/etc/passwd"], env: ["REMOTEMEDIA_TEST", "HOME"] },
      policy: { permissions: { read: [root], env: ["REMOTEMEDIA_TEST"] } },
    };
    const read = (path: string) => attempt(`Deno.readTextFile(${JSON.stringify(path)})`, options);
    assert.deepEqual(await read(`${root}/a.txt`), { got: '"a"' });
    assert.match((await read(`${root}/b.txt`)).error!, denied, "not asked for");
    assert.match((await read("/etc/passwd")).error!, denied, "not allowed");
    assert.deepEqual(await attempt(`Deno.env.get("REMOTEMEDIA_TEST")`, options), { got: '"seen"' });
    assert.match((await attempt(`Deno.env.get("HOME")`, options)).error!, denied);
  } finally {
    Deno.env.delete("REMOTEMEDIA_TEST");
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("Sandbox grants one port of one host", async () => {
  const open = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const net = [`127.0.0.1:${open.addr.port}`];
    const options = { permissions: { net: ["127.0.0.1"] }, policy: { permissions: { net } } };
    const connect = (port: number) =>
      attempt(
        `Deno.connect({ hostname: "127.0.0.1", port: ${port} }).then((c) => c.close())`,
        options,
      );
    assert.deepEqual(await connect(open.addr.port), { got: "undefined" });
    assert.match((await connect(other.addr.port)).error!, denied);
  } finally {
    open.close();
    other.close();
  }
});

Deno.test("Sandbox lets a bundle read its data files", async () => {
  const files = { "words/one.txt": new TextEncoder().encode("one") };
  const read = `Deno.readTextFile(new URL("./words/one.txt", import.meta.url))`;
  assert.deepEqual(await attempt(read, { files }), { got: '"one"' });
});

Deno.test("Sandbox does not write files outside of its folder", async () => {
  for (const name of ["../x", "/tmp/x", "a/../../x", "./x", "a//x", "bundle.js", ""]) {
    await assert.rejects(attempt("1", { files: { [name]: new Uint8Array(1) } }), {
      reason: "denied",
    });
  }
});
