import assert from "node:assert/strict";
import { attempt, ended, refused, withGuest } from "./_attack.ts";

const denied = /NotCapable|Requires \w+ access|not authorized|max 0/;

for (
  const [name, expression] of Object.entries({
    "node:http2": `import("node:http2").then((m) => new Promise((resolve, reject) =>
      m.connect("http://127.0.0.1:1").on("error", reject).on("connect", resolve)))`,
    "node:https": `import("node:https").then((m) => new Promise((resolve, reject) =>
      m.get("https://127.0.0.1:1/", resolve).on("error", reject)))`,
    "node:tls": `import("node:tls").then((m) => new Promise((resolve, reject) =>
      m.connect(443, "127.0.0.1").on("error", reject).on("connect", resolve)))`,
    "node:cluster": `import("node:cluster").then((m) => m.default.fork())`,
    "node:child_process fork": `import("node:child_process").then((m) => m.fork("/tmp/x.js"))`,
    "node:wasi with a folder": `import("node:wasi").then((m) =>
      new m.WASI({ version: "preview1", preopens: { "/x": new URL(".", import.meta.url).pathname } })
    )`,
    "node:fs openAsBlob": `import("node:fs").then((m) => m.openAsBlob("/etc/passwd"))`,
    "node:fs cpSync": `import("node:fs").then((m) => m.cpSync("/etc/passwd", "/tmp/x"))`,
    "node:fs statfs": `import("node:fs").then((m) => m.statfsSync("/"))`,
    "node:fs existsSync": `import("node:fs").then((m) => m.existsSync("/etc/passwd"))`,
    "node:fs watch": `import("node:fs").then((m) => new Promise((resolve, reject) =>
      m.watch("/etc").on("error", reject).on("change", resolve)))`,
    "node:fs to shared memory": `import("node:fs").then((m) => m.writeFileSync("/dev/shm/x", "x"))`,
    "a require of a system file":
      `import("node:module").then((m) => m.createRequire("file:///etc/x.js")("./passwd"))`,
    "node:module's own loader": `import("node:module").then((m) => m.default._load("/etc/passwd"))`,
    "process.getBuiltinModule":
      `import("node:process").then((m) => m.default.getBuiltinModule("fs").readFileSync("/etc/passwd"))`,
    "process.report": `import("node:process").then((m) => m.default.report.getReport())`,
    "process.chdir": `import("node:process").then((m) => m.chdir("/"))`,
    "process.loadEnvFile":
      `import("node:process").then((m) => m.default.loadEnvFile("/etc/passwd"))`,
    "a session of node:inspector":
      `import("node:inspector").then((m) => new m.Session().connect())`,
    "attaching a file by node:sqlite": `import("node:sqlite").then((m) =>
      new m.DatabaseSync(":memory:").exec("attach '/tmp/x.db' as x; create table x.t(a)"))`,
    "dumping by node:sqlite": `import("node:sqlite").then((m) =>
      new m.DatabaseSync(":memory:").exec("create table t(a); vacuum into '/tmp/x.db'"))`,
    "an extension of node:sqlite": `import("node:sqlite").then((m) =>
      new m.DatabaseSync(":memory:").prepare("select load_extension('/tmp/x.so')").get())`,
    "a backup by node:sqlite": `import("node:sqlite").then((m) =>
      m.backup(new m.DatabaseSync(":memory:"), "/tmp/x.db"))`,
    "a proxy for fetch": `Deno.createHttpClient({ proxy: { url: "http://127.0.0.1:1" } })`,
    "TLS": `Deno.connectTls({ hostname: "127.0.0.1", port: 1 })`,
    "a pointer": "Deno.UnsafePointer.create(8n)",
    "a callback of C": `new Deno.UnsafeCallback({ parameters: [], result: "void" }, () => {})`,
    "input of a terminal": `Deno.openSync("/dev/tty")`,
    "a file behind an encoded ..":
      `Deno.readTextFileSync(new URL("./%2e%2e/import_map.json", import.meta.url))`,
  })
) {
  refused(name, expression, denied);
}

const missing = /npm specifiers|Requires (read|import) access|Unsupported scheme|only allowed from/;
refused("import defer", `new Function('return import.defer("npm:zod")')()`, missing);
refused("import source", `new Function('return import.source("file:///etc/x.wasm")')()`, missing);
refused("import of Deno's own modules", `import("ext:core/mod.js")`, missing);
refused("import of internal modules", `import("internal:deno/x")`, missing);

/** Fills what a database keeps beside its memory: the C library under it asks nobody. */
const spill = `const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(":memory:");
  database.exec("pragma temp_store = 1; pragma temp.cache_size = 10; create temp table filled(a)");
  const fill = database.prepare("insert into filled values (randomblob(1000000))");
  for (let index = 0; index < 40; index++) fill.run();`;
ended("a bundle that writes files through node:sqlite", spill, { reason: "denied" });
ended("the same under bwrap", spill, { reason: "denied", policy: { isolation: "bwrap" } });

Deno.test("Sandbox contains a bundle that takes the sockets of its process by their numbers", async () => {
  const attack = withGuest(
    `export const attack = async () => {
      const { Socket } = await import("node:net");
      for (let fd = 0; fd < 64; fd++) try { new Socket({ fd }).on("error", () => {}).write("x".repeat(64)); } catch {}
      await new Promise(() => {});
    };`,
    async (guest) => {
      await guest.attack!();
    },
    { policy: { limits: { idleMs: 2_000 } } },
  );
  await assert.rejects(attack, { name: "SandboxError" }); // it only broke what was its own
});

Deno.test("Sandbox has no graphics card, in nested workers neither", async () => {
  const { got, error } = await attempt(`import("node:worker_threads").then((m) =>
    new Promise((resolve, reject) => {
      const code = "navigator.gpu.requestAdapter().then((got) => require('node:worker_threads').parentPort.postMessage(String(got)))";
      new m.Worker(code, { eval: true }).on("message", resolve).on("error", reject);
    }))`);
  assert.match(String(got ?? error), /null|undefined/);
});

Deno.test("Sandbox ignores V8's flags for memory and files", async () => {
  const { got } = await attempt(`import("node:v8").then((m) => {
    const before = m.getHeapStatistics().heap_size_limit;
    for (const flag of ["--max-old-space-size=100000", "--log-all", "--logfile=/tmp/remotemedia-v8.log"]) {
      m.setFlagsFromString(flag);
    }
    return m.getHeapStatistics().heap_size_limit === before;
  })`);
  assert.equal(got, "true");
  await assert.rejects(Deno.stat("/tmp/remotemedia-v8.log"), Deno.errors.NotFound);
});

Deno.test("Sandbox keeps BroadcastChannels of two bundles apart", async () => {
  const code = `import { BroadcastChannel } from "node:worker_threads";
    const channel = new BroadcastChannel("meeting");
    const heard = [];
    channel.onmessage = ({ data }) => heard.push(data);
    export const say = (what) => channel.postMessage(what);
    export const all = async () => { await new Promise((r) => setTimeout(r, 100)); return heard; };`;
  await withGuest(code, async (one) => {
    await withGuest(code, async (other) => {
      await one.say!("hello");
      assert.deepEqual(await other.all!(), []);
    });
  });
});

Deno.test("Sandbox gives no object of its SDK away in stacks", async () => {
  const { got } = await attempt(`(() => {
    Error.prepareStackTrace = (_, frames) => frames;
    const { stack } = new Error();
    Error.prepareStackTrace = undefined;
    return stack.filter((frame) => frame.getFileName()?.includes("guest.js"))
      .filter((frame) => frame.getThis() ?? frame.getFunction()).length;
  })()`);
  assert.equal(got, "0");
});

Deno.test("Sandbox has no way back to Deno's internals", async () => {
  for (
    const expression of [
      `import("node:vm").then((m) => m.runInThisContext("typeof Deno[Deno.internal]"))`,
      `import("node:vm").then((m) => m.runInNewContext("typeof Deno"))`,
      `(async function* () {}).constructor("return typeof Deno.core")().next().then((x) => x.value)`,
      `typeof Deno[Symbol.for("Deno.internal")]`,
      `import("node:process").then((m) => typeof m.default.binding("fs").open)`,
    ]
  ) {
    assert.deepEqual(await attempt(expression), { got: '"undefined"' }, expression);
  }
});

Deno.test("Sandbox is in its own folder, which it cannot list", async () => {
  const { got } = await attempt("Deno.cwd()");
  assert.match(String(got), /remotemedia-sandbox-/);
  assert.match((await attempt("[...Deno.readDirSync(Deno.cwd())]")).error!, denied);
});

Deno.test("Sandbox reads variables that are denied as undefined in process.env, and only there", async () => {
  Deno.env.set("REMOTEMEDIA_QUIET", "seen");
  try {
    const options = {
      permissions: { env: ["REMOTEMEDIA_QUIET"] },
      policy: { permissions: { env: ["REMOTEMEDIA_QUIET"] } },
    };
    await withGuest(
      `import process from "node:process";
      export const attack = async () => {
        const { env } = process;
        env.SET = 1;
        return {
          denied: [env.PATH, env.NODE_ENV, globalThis.process.env.HOME, "HOME" in env, Object.hasOwn(env, "HOME")],
          granted: [env.REMOTEMEDIA_QUIET, "REMOTEMEDIA_QUIET" in env],
          set: [env.SET, Object.keys(env)],
          told: (await Deno.permissions.query({ name: "env", variable: "PATH" })).state,
          deno: (() => { try { return Deno.env.get("PATH"); } catch (error) { return error.name; } })(),
        };
      };`,
      async (guest) => {
        assert.deepEqual(await guest.attack!(), {
          denied: [undefined, undefined, undefined, false, false],
          granted: ["seen", true],
          set: ["1", ["SET"]],
          told: "denied",
          deno: "NotCapable",
        });
      },
      options,
    );
  } finally {
    Deno.env.delete("REMOTEMEDIA_QUIET");
  }
});
