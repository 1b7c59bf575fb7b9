import { fileURLToPath, pathToFileURL } from "node:url";
import { makeOwnFolder } from "./own_folder.ts";

/** The two files that a sandbox starts from, on this machine's disk. */
export interface GuestFiles {
  /** The Worker's first module, which is also the bundle's SDK, as path. */
  guest: string;
  /** The same as URL. */
  guestUrl: string;
  /** The process' first module, as path. */
  supervisor: string;
}

let files: Promise<GuestFiles> | undefined;

/** The files; those of an SDK that was itself imported from the network are copied to disk first. */
export function guestFiles(): Promise<GuestFiles> {
  files ??= locate();
  return files;
}

async function locate(): Promise<GuestFiles> {
  const folder = new URL("../gen/", import.meta.url);
  const path = folder.protocol === "file:" ? fileURLToPath(folder) : await copy(folder);
  const guest = `${path}guest.js`;
  return { guest, guestUrl: pathToFileURL(guest).href, supervisor: `${path}supervisor.js` };
}

async function copy(folder: URL): Promise<string> {
  const path = makeOwnFolder("guest");
  for (const name of ["guest.js", "supervisor.js"]) {
    const response = await fetch(new URL(name, folder));
    if (!response.ok) throw new Error(`Cannot fetch ${response.url}: status ${response.status}`);
    await Deno.writeTextFile(`${path}/${name}`, await response.text());
  }
  return `${path}/`;
}
