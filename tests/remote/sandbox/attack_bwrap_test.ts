/** What a program could do that had broken out of V8 and Deno, under `isolation: "bwrap"`: a shell in Deno's place. */

import assert from "node:assert/strict";
import { guestFiles } from "../../../remote/sandbox/host/guest_files.ts";
import { commandOf } from "../../../remote/sandbox/host/launch.ts";
import { makeFolder, removeFolder } from "../../../remote/sandbox/host/sandbox_folder.ts";
import { completeLimits } from "../../../remote/sandbox/limits.ts";
import { completePermissions } from "../../../remote/sandbox/permissions.ts";

/** What a script in a sandbox's place writes, its errors too. */
async function inItsPlace(script: string): Promise<string> {
  const files = await guestFiles();
  const folder = makeFolder(files.guestUrl);
  try {
    const launch = {
      isolation: "bwrap" as const,
      permissions: completePermissions(),
      limits: completeLimits(),
    };
    const { command, args, env } = commandOf(launch, { folder, files });
    const deno = args.indexOf(Deno.execPath(), args.indexOf("-c"));
    const { stdout, stderr } = await new Deno.Command(command, {
      args: [...args.slice(0, deno), "/bin/sh", "-c", script],
      env,
      clearEnv: true,
      cwd: folder.root,
    }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  } finally {
    removeFolder(folder);
  }
}

Deno.test("Sandbox under bwrap has no files but the runtime's and its own", async () => {
  const outside = await Deno.makeTempFile();
  try {
    // where the runtime itself is, its folders are there, and nothing else in them
    const runtime = Deno.execPath();
    const folders = ["/home", "/root", "/var", "/sys", "/run"];
    const absent = folders.filter((folder) => !runtime.startsWith(`${folder}/`));
    const said = await inItsPlace(
      `cat /etc/passwd ${outside} ${new URL("../../../deno.json", import.meta.url).pathname};
      ls ${absent.join(" ")}; find /dev/shm /root /home -type f 2>/dev/null; echo end`,
    );
    const lines = said.trim().split("\n").filter((line) => line !== "end" && line !== runtime);
    assert.ok(lines.length >= 3);
    for (const line of lines) assert.match(line, /No such file|cannot access/, said);
  } finally {
    await Deno.remove(outside);
  }
});

Deno.test("Sandbox under bwrap can write nowhere", async () => {
  const said = await inItsPlace(
    `for path in . bundle /usr /bin /etc /tmp /dev/shm; do (echo x > $path/x) 2>/dev/null && cat $path/x; done; echo end`,
  );
  assert.match(said, /^end$/m);
  assert.doesNotMatch(said, /^x$/m, "at the most, empty files in memory of its own");
});

Deno.test("Sandbox under bwrap has no network, and sees and signals no process but its own", async () => {
  const said = await inItsPlace(
    `cat /proc/net/dev | tail -n +3 | cut -d: -f1; ls /proc | grep -c '^[0-9]'; kill -9 ${Deno.pid}`,
  );
  const [device, processes, error] = said.trim().split("\n");
  assert.equal(device?.trim(), "lo");
  assert.ok(Number(processes) < 10, said);
  assert.match(error ?? "", /No such process/);
});

Deno.test("Sandbox under bwrap has no capabilities and makes no namespaces", async () => {
  const said = await inItsPlace(
    `grep CapEff /proc/self/status; unshare -U true && echo made; mount -t tmpfs x /usr && echo mounted; chroot / true && echo rooted`,
  );
  assert.match(said, /CapEff:\s+0{16}/);
  assert.doesNotMatch(said, /^(made|mounted|rooted)$/m);
});

Deno.test("Sandbox gets no descriptor that its host was started with", async () => {
  const script = `import { commandOf } from "./remote/sandbox/host/launch.ts";
    const { command, args } = commandOf(
      { isolation: "process", permissions: { net: [], read: [], env: [] }, limits: { memoryBytes: 1e8 } },
      { folder: {}, files: {} });
    const at = args.indexOf(Deno.execPath());
    await new Deno.Command(command, {
      args: [...args.slice(0, at), "/bin/sh", "-c", "cat <&7"], stdout: "inherit", stderr: "inherit",
    }).output();`;
  const host = `exec 7</etc/hostname; exec "$0" eval --no-check '${script}'`;
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", host, Deno.execPath()],
    cwd: new URL("../../../", import.meta.url),
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "");
  assert.match(new TextDecoder().decode(stderr), /7: Bad file descriptor/);
});
