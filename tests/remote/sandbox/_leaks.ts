import { SandboxHost } from "../../../remote/sandbox/host/sandbox_host.ts";
import { bundleOf } from "./_bundles.ts";

/** What is there of this process: its memory, children, open descriptors, and folders of sandboxes. */
export interface Remains {
  rssBytes: number;
  children: number;
  descriptors: number;
  folders: number;
}

/** Looks at what there is now. */
export function remains(): Remains {
  return {
    rssBytes: Deno.memoryUsage().rss,
    children: children().length,
    descriptors: [...Deno.readDirSync("/proc/self/fd")].length,
    folders: mine().length,
  };
}

/** The processes that this process started, whichever of its threads did. */
export function children(): number[] {
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    try {
      const text = Deno.readTextFileSync(`/proc/self/task/${name}/children`).trim();
      if (text !== "") found.push(...text.split(" ").map(Number));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // the thread ended meanwhile
    }
  }
  return found;
}

/** Folders of sandboxes that this process made. */
function mine(): string[] {
  const temporary = Deno.env.get("TMPDIR") ?? "/tmp";
  return [...Deno.readDirSync(temporary)].map(({ name }) => name)
    .filter((name) => name.startsWith("remotemedia-sandbox-"));
}

/** Makes sandboxes one after another, uses each, and ends it one way or the other. */
export async function makeAndEnd(count: number): Promise<void> {
  await using host = new SandboxHost({ warm: 1 });
  const bundle = await bundleOf(
    "export const one = () => 1; export const spin = () => { for (;;); };",
  );
  const args = new Uint8Array([0x90]);
  for (let index = 0; index < count; index++) {
    const sandbox = await host.load(bundle);
    await sandbox.operate({ kind: "apply", target: 0, path: ["one"], args, callbacks: [] });
    if (index % 3 === 0) {
      const spin = sandbox.operate({
        kind: "apply",
        target: 0,
        path: ["spin"],
        args,
        callbacks: [],
      });
      spin.catch(() => {}); // it is killed
    }
    if (index % 3 === 1) Deno.kill(sandbox.pid, "SIGKILL");
    await sandbox[Symbol.asyncDispose]();
  }
}
