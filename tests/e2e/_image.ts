import { createBundle } from "../../packaging/mod.ts";
import { Double } from "../remote/sandbox/_user_nodes.ts";
import { copiesOf, type Stage, valuesOf } from "./_dockerfile.ts";

/** What stands for an image: a folder with the files that it would have beside the system's. */
export interface Image extends AsyncDisposable {
  readonly folder: string;
}

export const token = "a-long-enough-token-for-tests";

/** The user that the image runs as. */
const USER = "10001";

/** Files below a path that git knows; all that are there, where there is no git. */
export async function tracked(path: string): Promise<string[]> {
  try {
    const args = ["ls-files", "-z", "--", path];
    const { success, stdout } = await new Deno.Command("git", { args }).output();
    if (success) return new TextDecoder().decode(stdout).split("\0").filter((name) => name !== "");
  } catch {
    // git is not installed
  }
  return await Array.fromAsync(filesBelow(path));
}

async function* filesBelow(path: string): AsyncGenerator<string> {
  if ((await Deno.stat(path)).isFile) return yield path;
  for await (const { name } of Deno.readDir(path)) yield* filesBelow(`${path}/${name}`);
}

/** Makes the files of the image from a stage's COPY lines, and runs its last RUN line on them. */
export async function makeImage(stage: Stage): Promise<Image> {
  const folder = await Deno.makeTempDir({ prefix: "remotemedia-image-" });
  for (const { source } of copiesOf(stage)) {
    for (const file of await tracked(source)) {
      const target = `${folder}/app/${file}`;
      await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
      await Deno.copyFile(file, target);
    }
  }
  await Deno.mkdir(`${folder}/deno-dir`);
  const [cache] = valuesOf(stage, "RUN").slice(-1);
  const { success, stderr } = await new Deno.Command("sh", {
    args: ["-c", cache!],
    cwd: `${folder}/app`,
    env: { DENO_DIR: `${folder}/deno-dir` },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`RUN ${cache} fails: ${new TextDecoder().decode(stderr)}`);
  // what the image has not, for the client that runs inside
  const client = await Deno.readTextFile(new URL("./_in_container.ts", import.meta.url));
  await Deno.writeTextFile(`${folder}/app/_client.ts`, client.replaceAll('"../../', '"./'));
  const { bytes } = await createBundle(Double.module);
  await Deno.writeFile(`${folder}/app/_bundle.rmb`, bytes);
  await Deno.mkdir(`${folder}/secrets`);
  const grants = [{ name: "test", token, policy: { nodes: [...nodes] } }];
  await Deno.writeTextFile(`${folder}/secrets/tokens.yaml`, JSON.stringify(grants));
  await new Deno.Command("chmod", { args: ["-R", "a+rX", folder] }).output();
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

const nodes = ["PassThrough", "AudioFilter", "VoiceActivityDetector"];

/**
 * The command that runs another as in a container of the image: a root that cannot be written, an own
 * network, an own list of processes, a user without rights.
 */
export function inContainer({ folder }: Image, command: readonly string[]): string[] {
  const deno = Deno.realPathSync(Deno.execPath());
  const bind = (from: string, to: string) => ["--ro-bind", from, to];
  const link = (from: string, to: string) => ["--symlink", from, to];
  const isRoot = Deno.uid() === 0;
  return [
    "bwrap",
    ...["--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent"],
    ...bind("/usr", "/usr"),
    ...["bin", "lib", "lib64"].flatMap((name) => link(`usr/${name}`, `/${name}`)),
    ...bind("/etc", "/etc"),
    ...bind(`${folder}/app`, "/app"),
    ...bind(`${folder}/deno-dir`, "/deno-dir"),
    ...["--perms", "0755", "--dir", "/run"],
    ...bind(`${folder}/secrets`, "/run/secrets"),
    ...["--tmpfs", "/usr/local/bin"],
    ...bind(deno, "/usr/local/bin/deno"),
    ...[
      "--perms",
      "1777",
      "--tmpfs",
      "/tmp",
      "--perms",
      "1777",
      "--tmpfs",
      "/data",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
    ],
    ...["--remount-ro", "/", "--chdir", "/app", "--clearenv"],
    ...["--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin"],
    ...["--setenv", "DENO_DIR", "/deno-dir", "--setenv", "HOME", "/tmp"],
    ...["--setenv", "REMOTEMEDIA_TOKENS", "/run/secrets/tokens.yaml"],
    ...(isRoot ? ["--cap-add", "ALL"] : ["--unshare-user"]),
    "--",
    ...(isRoot ? ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"] : ["setpriv"]),
    ...["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"],
    ...command,
  ];
}
