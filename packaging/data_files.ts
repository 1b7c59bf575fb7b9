import { cannot } from "../core/errors.ts";

/** The data files of the bundle that runs here; `undefined` where code runs from its own sources. */
let installed: ReadonlyMap<string, Uint8Array> | undefined;

/**
 * Reads a data file that belongs to the code: the same line works in the user's own process, where it is a
 * file beside the module, and in a sandbox, where it came along in the bundle by `include`.
 *
 * In a sandbox only the name counts, and the bytes are those of the bundle, not a copy: who changes them
 * changes them for all of the bundle. Elsewhere the file is read anew each time.
 *
 * @param name the name as given to `include`: a path from the entry's folder, with `/`
 * @param base `import.meta.url` of the entry (or of a module in the same folder)
 * @returns its bytes
 * @throws {TypeError} if the bundle has no such file; names those it has
 * @throws {Deno.errors.NotFound} if there is no such file beside the module
 *
 * @example
 * ```ts
 * import { dataFile } from "@remotemedia/sdk/packaging";
 *
 * const directory = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${directory}/words.txt`, "yes no");
 * const bytes = dataFile("words.txt", `file://${directory}/entry.ts`);
 * console.log(new TextDecoder().decode(bytes)); // "yes no"
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export function dataFile(name: string, base: string | URL): Uint8Array {
  if (installed === undefined) return Deno.readFileSync(new URL(encodeURI(name), base));
  const bytes = installed.get(name);
  if (bytes !== undefined) return bytes;
  const names = [...installed.keys()].join(", ") || "none";
  const rule = `the bundle must include it (it has ${names})`;
  throw new TypeError(cannot("read data file", { rule, value: name }));
}

/**
 * Tells {@linkcode dataFile} that this is a sandbox. Called once by the sandbox's guest, before the bundle is
 * imported, with `Bundle.files`; not for users.
 *
 * @param files the bundle's data files by name; kept, not copied
 */
export function installDataFiles(files: ReadonlyMap<string, Uint8Array>): void {
  installed = files;
}
