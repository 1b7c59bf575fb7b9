import assert from "node:assert/strict";
import { parse } from "yaml";
import { readConfig, serveOptionsOf, settingsHelp } from "../../remote/server/config.ts";

async function withFile(text: string, use: (path: string) => Promise<unknown>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(path, text);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

const settled = (config: Record<string, unknown>) => serveOptionsOf(readConfig(config));

Deno.test("readConfig puts flags before the environment before the file", () => {
  const file = "port: 1\nmaxSessions: 5\nhost: 127.0.0.9\n";
  const env = { REMOTEMEDIA_PORT: "2", REMOTEMEDIA_MAX_SESSIONS: "6", OTHER: "x" };
  const { port, maxSessions, host, drainSeconds } = readConfig({ port: "3" }, { env, file });
  assert.deepEqual({ port, maxSessions, host }, { port: 3, maxSessions: 6, host: "127.0.0.9" });
  assert.equal(drainSeconds, 30);
});

Deno.test("readConfig says in one sentence what is wrong, and on which line of the file", () => {
  const name = "serve.yaml";
  for (
    const [file, message] of [
      [
        "port: 1\nmaxSessions: none\n",
        /^Cannot read serve\.yaml, line 2: maxSessions breaks its rule: .*: current value is "none"$/,
      ],
      [
        "port: 1\n\nmaxSesions: 4\n",
        /^Cannot read serve\.yaml, line 3: maxSesions breaks its rule: there is no such setting/,
      ],
      ["port: 1\nhost: [a\n", /^Cannot read serve\.yaml, line \d: [^\n]+$/],
      ["- port\n", /^Cannot read serve\.yaml as it must hold a map of settings$/],
    ] as const
  ) {
    assert.throws(() => readConfig({}, { file, name }), { name: "ConfigurationError", message });
  }
  // not the file's fault
  assert.throws(() => readConfig({ port: "x" }, { file: "port: 1\n", name }), {
    message: /^Cannot read configuration: port breaks its rule: .*: current value is "x"$/,
  });
});

Deno.test("readConfig makes a number of a number's text alone", () => {
  assert.equal(readConfig({}, { env: { REMOTEMEDIA_IDLE_SECONDS: "1.5" } }).idleSeconds, 1.5);
  for (const port of ["", " ", "1 2", "Infinity", null, true, [5], "0.5"]) {
    assert.throws(
      () => readConfig({ port }),
      { message: /: port breaks its rule: / },
      String(port),
    );
    const file = `port: ${JSON.stringify(port)}`;
    assert.throws(() => readConfig({}, { file }), { message: /line 1: port breaks its rule: / });
  }
});

Deno.test("serveOptionsOf says which line of the tokens or policies is wrong", async () => {
  for (
    const [text, message] of [
      ["- name: a\n  token: short\n", /, line 2: 0\.token breaks its rule: /],
      [
        "- name: a\n  token: long-enough-to-be-one\n  policy:\n    maxSesions: 3\n",
        /, line 4: 0\.policy\.maxSesions breaks its rule: there is no such setting$/,
      ],
      ["- name: a\n  token: long-enough-to-be-one\n  policy: gone\n", /there is no policy "gone"$/],
    ] as const
  ) {
    await withFile(text, (tokens) => assert.rejects(settled({ tokens }), { message }));
  }
  await assert.rejects(settled({ tokens: "/not/there.yaml" }), {
    name: "ConfigurationError",
    message: /^Cannot read \/not\/there\.yaml: /,
  });
});

Deno.test("serveOptionsOf refuses settings that would have no effect", async () => {
  await assert.rejects(settled({ tlsCert: "a.pem" }), {
    message: /tlsCert and tlsKey go together/,
  });
  await assert.rejects(settled({ clientCa: "ca.pem" }), { message: /without tlsCert/ });
  await assert.rejects(settled({ policy: "policy.yaml" }), { message: /there are no tokens/ });
});

Deno.test("serveOptionsOf takes what clients' own code may do from a file", async () => {
  assert.equal((await settled({ userCode: "off" })).userCode, false);
  assert.deepEqual((await settled({ bundles: "/srv/b" })).userCode, { bundleDirectory: "/srv/b" });
  const text =
    "isolation: bwrap\nmax: 8\nlimits:\n  cpuMs: 1000\npermissions:\n  net: [a.example]\n";
  await withFile(text, async (userCode) => {
    assert.deepEqual((await settled({ userCode })).userCode, parse(text));
  });
  await withFile(
    "limits:\n  cpuMS: 5\n",
    (userCode) =>
      assert.rejects(settled({ userCode }), { message: /, line \d: limits.* breaks its rule: / }),
  );
});

Deno.test("serve shows each setting in --help and --print-config", async () => {
  const run = async (...args: string[]) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "server.ts", ...args],
    }).output();
    return new TextDecoder().decode(stdout);
  };
  const [help, printed] = await Promise.all([
    run("--help"),
    run("--print-config", "--port=7", "--insecure"),
  ]);
  for (const { flag, variable } of settingsHelp()) {
    assert.ok(help.includes(flag), flag);
    assert.ok(help.includes(variable), variable);
  }
  const told = parse(printed);
  assert.deepEqual(told, readConfig({ port: 7, insecure: true }));
  // what is printed can be read again
  assert.deepEqual(readConfig({}, { file: printed }), readConfig({ port: 7, insecure: true }));
});
