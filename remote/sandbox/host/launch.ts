import type { CompleteLimits } from "../limits.ts";
import type { CompletePermissions } from "../permissions.ts";
import type { GuestSetup } from "../guest/start.ts";
import type { GuestFiles } from "./guest_files.ts";
import type { SandboxFolder } from "./sandbox_folder.ts";

/** What keeps the process of a sandbox apart beside Deno's own permissions. */
export type Isolation = "process" | "bwrap";

/** What a process is started for. Those with equal launches can stand in for each other. */
export interface Launch {
  /** What keeps it apart. */
  readonly isolation: Isolation;
  /** What it may reach. */
  readonly permissions: CompletePermissions;
  /** What it may use. */
  readonly limits: CompleteLimits;
}

/** The shell sets what can only be set by a process for itself, then becomes Deno. */
const SHELL = "/bin/sh";
/** No core dumps, no byte in any file, few descriptors, and none that this process was started with. */
const ULIMITS =
  'ulimit -c 0; ulimit -f 0; ulimit -n 256; exec "$0" "$@" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-';

/** Equal for launches of which one process can stand in for the other. */
export function launchKey({ isolation, permissions, limits }: Launch): string {
  const { memoryBytes, messageBytes } = limits; // the other limits are the host's to watch
  return JSON.stringify([isolation, permissions, memoryBytes, messageBytes]);
}

/** The command that starts a sandbox's process, and its environment. */
export function commandOf(
  launch: Launch,
  { folder, files }: { folder: SandboxFolder; files: GuestFiles },
): { command: string; args: string[]; env: Record<string, string> } {
  const deno = Deno.execPath();
  const env = environment(launch.permissions);
  const args = denoArguments(launch, { folder, files });
  const limited = ["-c", ULIMITS, deno, ...args];
  if (launch.isolation === "process") return { command: SHELL, args: limited, env };
  return {
    command: "bwrap",
    args: [...bwrapArguments(launch, { folder, files, deno }), "--", SHELL, ...limited],
    env,
  };
}

function denoArguments(
  { permissions, limits }: Launch,
  { folder, files }: { folder: SandboxFolder; files: GuestFiles },
): string[] {
  const { net, read, env } = permissions;
  const reach = {
    read: [folder.socket, folder.bundle, ...read],
    write: [folder.socket],
    net: [`unix:${folder.socket}`, ...net],
    env,
  };
  const name: GuestSetup = { socket: folder.socket, maxMessageBytes: limits.messageBytes };
  const setup = {
    module: files.guestUrl,
    name: JSON.stringify(name),
    permissions: {
      ...reach,
      env: env.length === 0 ? false : env,
      run: false,
      ffi: false,
      sys: false,
      import: false,
    },
  };
  return [
    "run",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--no-code-cache",
    "--cached-only",
    "--deny-import",
    "--no-prompt",
    `--import-map=${folder.importMap}`,
    "--unstable-worker-options",
    `--v8-flags=--max-old-space-size=${heapMegabytes(limits.memoryBytes)}`,
    `--allow-read=${[...reach.read, files.guest].join(",")}`,
    `--allow-write=${reach.write.join(",")}`,
    `--allow-net=${reach.net.join(",")}`,
    ...(env.length === 0 ? [] : [`--allow-env=${env.join(",")}`]),
    files.supervisor,
    JSON.stringify(setup),
  ];
}

/** A heap that V8 ends by itself a little after the watchdog would: for what grows between two looks. */
function heapMegabytes(memoryBytes: number): number {
  return Math.max(16, Math.ceil(memoryBytes / (1 << 20)));
}

/** Only what was granted, and what Deno itself needs. */
function environment({ env }: CompletePermissions): Record<string, string> {
  const granted = env.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(granted),
    DENO_DIR: "/dev/null", // its caches stay in memory; those of code, storage and fetch cannot be made
    DENO_NO_UPDATE_CHECK: "1",
    DENO_WEBGPU_BACKEND: "none", // a driver reads files, compiles code and takes memory elsewhere
    NO_COLOR: "1",
  };
}

/** Namespaces of its own for everything, and a file system that holds only what the process needs. */
function bwrapArguments(
  { permissions }: Launch,
  { folder, files, deno }: { folder: SandboxFolder; files: GuestFiles; deno: string },
): string[] {
  const readable = [
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ssl",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    Deno.realPathSync(deno),
    deno,
    files.guest,
    files.supervisor,
    ...permissions.read,
  ];
  return [
    "--unshare-all",
    ...(deniesNamespaces() ? ["--unshare-user", "--disable-userns"] : []),
    ...(permissions.net.length === 0 ? [] : ["--share-net"]),
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--tmpfs",
    "/tmp",
    ...readable.flatMap((path) => ["--ro-bind-try", path, path]),
    "--ro-bind",
    folder.root,
    folder.root,
  ];
}

let canDenyNamespaces: boolean | undefined;

/** Whether bwrap can keep its program from making namespaces of its own: from version 0.8 on. */
function deniesNamespaces(): boolean {
  if (canDenyNamespaces === undefined) {
    const { stdout } = new Deno.Command("bwrap", { args: ["--version"] }).outputSync();
    const [, major, minor] = /(\d+)\.(\d+)/.exec(new TextDecoder().decode(stdout)) ?? [];
    canDenyNamespaces = Number(major) > 0 || Number(minor) >= 8;
  }
  return canDenyNamespaces;
}
