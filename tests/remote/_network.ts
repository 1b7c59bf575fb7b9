import { isInstalled } from "../../tasks/system_packages.ts";
import type { Conditions } from "./_network_relay.ts";
import { startProcess } from "./_process.ts";

/** What our namespaces are called; the process that made one and a number follow. */
const PREFIX = "rm-test-";

/** Why network namespaces cannot be used here; `undefined` if they can. */
export async function whyNoNetworks(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "network namespaces are Linux's";
  if (Deno.uid() !== 0) return "network namespaces need root";
  if (!isInstalled("ip")) return "ip is not installed";
  try {
    await Deno.stat("/dev/net/tun");
    const name = `${PREFIX}${Deno.pid}-0`;
    await ip("netns", "add", name);
    await ip("netns", "delete", name);
  } catch (error) {
    return `the machine gives none (${error})`;
  }
}

/** A network namespace behind a link that can be slow, lossy or dead. */
export interface Network extends AsyncDisposable {
  /** The namespace, for processes that are to run in it. */
  readonly namespace: string;
  /** Its address, which is reached from here. */
  readonly address: string;
  /** Sets how the link treats packets from now on. */
  set(conditions: Conditions): Promise<void>;
}

let made = 0;

/** Makes a network; it, and those that a killed run left behind, are gone afterwards. */
export async function makeNetwork(conditions: Conditions = {}): Promise<Network> {
  await removeLeftOvers();
  const number = ++made;
  const namespace = `${PREFIX}${Deno.pid}-${number}`;
  const [near, far] = [`rmn${Deno.pid}x${number}`, `rmf${Deno.pid}x${number}`];
  // 198.18.0.0/15 is kept for tests of networks (RFC 2544)
  const net = `198.${18 + (Deno.pid >> 8) % 2}.${Deno.pid % 256}.`;
  const [here, address] = [`${net}${4 * number + 1}`, `${net}${4 * number + 2}`];
  await ip("netns", "add", namespace);
  const relay = startProcess("_network_relay.ts", [near, far]);
  const dispose = async () => {
    await relay[Symbol.asyncDispose]();
    await ip("netns", "delete", namespace);
  };
  const set = async (told: Conditions) => {
    await relay.tell(JSON.stringify(told));
    await relay.line();
  };
  try {
    await relay.line();
    await ip("link", "set", far, "netns", namespace);
    await ip("address", "add", `${here}/30`, "dev", near);
    await ip("link", "set", near, "up");
    await ip("-n", namespace, "address", "add", `${address}/30`, "dev", far);
    await ip("-n", namespace, "link", "set", far, "up");
    await ip("-n", namespace, "link", "set", "lo", "up");
    await set(conditions);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { namespace, address, set, [Symbol.asyncDispose]: dispose };
}

async function removeLeftOvers(): Promise<void> {
  for (const name of (await ip("netns", "list")).matchAll(/^rm-test-(\d+)-\d+/gm)) {
    try {
      await Deno.stat(`/proc/${name[1]}`);
    } catch {
      // whoever made it is gone, and left its servers there
      for (const pid of (await ip("netns", "pids", name[0])).split("\n").filter(Boolean)) {
        Deno.kill(Number(pid), "SIGKILL");
      }
      await ip("netns", "delete", name[0]);
    }
  }
}

async function ip(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("ip", { args }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${text(stderr)}`);
  return text(stdout);
}
