import assert from "node:assert/strict";
import { makeOwnFolder } from "../../../remote/sandbox/host/own_folder.ts";
import { startOf } from "../../../remote/sandbox/host/process_usage.ts";

const root = new URL("../../../", import.meta.url);
const script = new URL("./_host_to_kill.ts", import.meta.url).pathname;

/** Starts a host whose temporary folders are in `parent`. Gives it and its sandboxes' processes. */
async function startHost(
  parent: string,
  isolation: string,
): Promise<{ host: Deno.ChildProcess; pids: number[] }> {
  const host = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, isolation],
    cwd: root,
    env: { TMPDIR: parent },
    stdout: "piped",
  }).spawn();
  let said = "";
  for await (const bytes of host.stdout) {
    said += new TextDecoder().decode(bytes);
    if (said.endsWith("\n")) break;
  }
  return { host, pids: JSON.parse(said) };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, `${what} in 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The group of processes that a terminal's Ctrl-C goes to. */
const groupOf = (pid: number) =>
  Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ")[2];

const foldersIn = (parent: string) => [...Deno.readDirSync(parent)].map(({ name }) => name).sort();

for (const isolation of ["process", "bwrap"]) {
  Deno.test(`SandboxHost under ${isolation} that is killed leaves no process, and the next one removes its folders`, async () => {
    const parent = await Deno.makeTempDir();
    try {
      const killed = await startHost(parent, isolation);
      assert.equal(killed.pids.length, 2);
      for (const pid of killed.pids) {
        assert.notEqual(
          groupOf(pid),
          groupOf(killed.host.pid),
          "Ctrl-C would end it with the host",
        );
      }
      const left = foldersIn(parent);
      assert.equal(left.length, 2);
      const living = await startHost(parent, isolation);
      const both = foldersIn(parent);
      assert.equal(both.length, 4, "of a living host nothing is removed");
      killed.host.kill("SIGKILL");
      await killed.host.status;
      await until(
        "its processes end",
        () => killed.pids.every((pid) => startOf(pid) === undefined),
      );
      assert.deepEqual(foldersIn(parent), both, "nobody was there to remove them");
      const next = await startHost(parent, isolation);
      const now = foldersIn(parent);
      assert.deepEqual(now.filter((name) => left.includes(name)), []);
      assert.equal(now.length, 4);
      for (const { host, pids } of [living, next]) {
        host.kill("SIGKILL");
        await host.status;
        await until("its processes end", () => pids.every((pid) => startOf(pid) === undefined));
      }
    } finally {
      await Deno.remove(parent, { recursive: true });
    }
  });
}

Deno.test("makeOwnFolder gives a folder that only its owner can enter", async () => {
  const path = makeOwnFolder("test");
  assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o700);
  await Deno.remove(path);
});
