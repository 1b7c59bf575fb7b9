import { SandboxError } from "../../../core/errors.ts";
import type { Bundle } from "../../../packaging/bundle.ts";

/** Up to this size, writing takes less time than handing it to another thread and back. */
const SMALL = 1 << 18;

/**
 * Writes a bundle's module and its data files into a sandbox's folder, so that a path relative to
 * `import.meta.url` finds them. Gives the module's path.
 *
 * @throws {SandboxError} if a file's name leads out of the folder
 */
export async function writeBundle(
  { code, files }: Bundle,
  { folder, language = "js" }: { folder: string; language?: "js" | "ts" },
): Promise<string> {
  const path = `${folder}/bundle.${language}`;
  for (const [name, bytes] of files) {
    if (!isPlainPath(name) || name === "bundle.js") {
      throw new SandboxError(`Cannot run bundle as no file of it may be named "${name}"`, {
        reason: "denied",
      });
    }
    const slash = name.lastIndexOf("/");
    if (slash > 0) Deno.mkdirSync(`${folder}/${name.slice(0, slash)}`, { recursive: true });
    if (bytes.length <= SMALL) Deno.writeFileSync(`${folder}/${name}`, bytes);
    else await Deno.writeFile(`${folder}/${name}`, bytes);
  }
  if (code.length <= SMALL) Deno.writeTextFileSync(path, code);
  else await Deno.writeTextFile(path, code);
  return path;
}

/** Whether a name stays below the folder that it is in. */
function isPlainPath(name: string): boolean {
  return name !== "" && name.length <= 255 && !/[\0\\]/.test(name) &&
    name.split("/").every((step) => step !== "" && step !== "." && step !== "..");
}
