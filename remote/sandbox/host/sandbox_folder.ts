import { makeOwnFolder } from "./own_folder.ts";

/** The folder of one sandbox: its socket, and its bundle with its data files. */
export interface SandboxFolder {
  /** All of it. */
  root: string;
  /** The socket on which the host waits. */
  socket: string;
  /** The bundle and its data files: all that the guest may read. */
  bundle: string;
  /** The import map that leads the SDK's one specifier to the guest. */
  importMap: string;
}

/** Makes the folder of a new sandbox; `guestUrl` is what a bundle gets as the SDK. */
export function makeFolder(guestUrl: string): SandboxFolder {
  const root = makeOwnFolder("sandbox");
  const folder: SandboxFolder = {
    root,
    socket: `${root}/s`,
    bundle: `${root}/bundle`,
    importMap: `${root}/import_map.json`,
  };
  Deno.writeTextFileSync(
    folder.importMap,
    JSON.stringify({ imports: { "@remotemedia/sdk": guestUrl } }),
  );
  Deno.mkdirSync(folder.bundle);
  return folder;
}

/** Removes it, if it is there. */
export function removeFolder({ root }: SandboxFolder): void {
  try {
    Deno.removeSync(root, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
