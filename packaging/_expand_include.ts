import { dirname, join, matchesGlob } from "node:path";
import { PackagingError } from "../core/errors.ts";

/** The most files that folders and patterns may stand for together. */
const maxFiles = 10_000;

/** A file that goes along: its name in the bundle, and where it is. */
type Located = readonly [name: string, path: string];

/**
 * The files that a folder or a pattern (`models/*.onnx`, `data/**`) stands for, sorted by name; anything else is the
 * one file that it names. Files and folders whose names start with a dot are left out, unless they are named.
 * A symbolic link below a folder is refused, as it may lead to what nobody meant to give away; one that is named
 * itself is followed.
 *
 * @param name the name in the bundle; of a folder, the start of its files' names; or a pattern
 * @param path where the file or folder is; of a pattern, as if it were a file's name
 * @throws {PackagingError} if there is a link, nothing or too much
 */
export function expandInclude(name: string, path: string): Located[] {
  if (isFolder(path)) {
    const prefix = name.replace(/\/+$/, "");
    const files = [...filesBelow(path, name, () => true)];
    if (files.length === 0) throw fault(name, "the folder has none");
    return sorted(files.map((file) => [`${prefix}/${file}`, join(path, file)]));
  }
  if (!/[*?[{]/.test(name) || exists(path)) return [[name, path]];
  // what stands before the first folder with a star is not searched
  const fixed = name.split("/").slice(0, -1);
  const firstWild = fixed.findIndex((part) => /[*?[{]/.test(part));
  const start = fixed.slice(0, firstWild < 0 ? undefined : firstWild);
  const prefix = start.map((part) => `${part}/`).join("");
  const root = upwards(path, name.split("/").length - start.length);
  const fits = (file: string) => matchesGlob(prefix + file, name);
  // what is behind a linked folder might fit too
  const concerns = (link: string) =>
    fits(link) || (name.includes("**") && isFolder(join(root, link)));
  const found = isFolder(root) ? [...filesBelow(root, name, concerns)].filter(fits) : [];
  if (found.length === 0) throw fault(name, "no file fits it");
  return sorted(found.map((file) => [prefix + file, join(root, file)]));
}

/** Files below a folder, relative to it; hidden ones left out, and links that do not concern who asked. */
function* filesBelow(
  root: string,
  asked: string,
  concerns: (link: string) => boolean,
): Generator<string> {
  let count = 0;
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { name, isSymlink, isDirectory, isFile } of Deno.readDirSync(join(root, folder))) {
      if (name.startsWith(".")) continue;
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isSymlink && concerns(path)) {
        throw fault(asked, `${path} is a symbolic link: name what it leads to instead`);
      }
      if (isDirectory) folders.push(path);
      else if (isFile) {
        if (++count > maxFiles) throw fault(asked, `it stands for more than ${maxFiles} files`);
        yield path;
      }
    }
  }
}

function upwards(path: string, steps: number): string {
  return steps === 0 ? path : upwards(dirname(path), steps - 1);
}

function sorted(files: Located[]): Located[] {
  return files.sort(([a], [b]) => a < b ? -1 : 1);
}

function isFolder(path: string): boolean {
  return statOrNone(path)?.isDirectory ?? false;
}

function exists(path: string): boolean {
  return statOrNone(path) !== undefined;
}

function statOrNone(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

function fault(name: string, reason: string): PackagingError {
  return new PackagingError(
    `Cannot package as its data files "${name}" cannot be taken: ${reason}`,
  );
}
