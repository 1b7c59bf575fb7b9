/**
 * Generates `proto/gen` again from `proto/remotemedia`, after linting it. `--check` changes nothing and fails if
 * what is there is not what would be generated, or breaks what an earlier commit promised.
 */

const BUF = "npm:@bufbuild/buf@1.74.0";

async function buf(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", BUF, ...args],
    cwd: "proto",
  }).spawn().status;
  return success;
}

async function filesBelow(folder: string, inner = ""): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(`${folder}${inner}`)) {
    const path = `${inner}/${name}`;
    if (!isDirectory) files.set(path, await Deno.readTextFile(`${folder}${path}`));
    else for (const [below, text] of await filesBelow(folder, path)) files.set(below, text);
  }
  return files;
}

/** Whether `proto/gen` is what would be generated now. */
async function isGenerated(): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  try {
    if (!await buf("generate", "--output", folder)) return false;
    const [wanted, there] = [await filesBelow(`${folder}/gen`), await filesBelow("proto/gen")];
    const wrong = [...new Set([...wanted.keys(), ...there.keys()])]
      .filter((path) => wanted.get(path) !== there.get(path));
    for (const path of wrong) {
      console.error(
        `proto/gen${path} is not what is generated: run "deno task proto" and commit it`,
      );
    }
    return wrong.length === 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function git(...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined; // git is not installed
  }
}

/**
 * The commit whose promises are to be kept: the last one, or, where nothing was changed since, the one before
 * the last that changed the protocol. `undefined` where there is no history.
 */
async function promised(): Promise<string | undefined> {
  if (await git("diff", "--quiet", "HEAD", "--", "proto/remotemedia") === undefined) {
    return await git("rev-parse", "--verify", "HEAD");
  }
  const changed = await git("log", "-1", "--format=%H", "--", "proto/remotemedia");
  return changed && await git("rev-parse", "--verify", "--quiet", `${changed}^`);
}

/** Whether the protocol keeps what a commit promised. */
async function isCompatible(): Promise<boolean> {
  const commit = await promised();
  const repository = await git("rev-parse", "--path-format=absolute", "--git-common-dir");
  if (commit === undefined || repository === undefined) {
    console.log("breaking changes: not checked, as there is no history");
    return true;
  }
  return await buf("breaking", "--against", `${repository}#format=git,subdir=proto,ref=${commit}`);
}

if (import.meta.main) {
  const good = await buf("lint") &&
    (Deno.args.includes("--check")
      ? await isGenerated() && await isCompatible()
      : await buf("generate"));
  if (!good) Deno.exit(1);
}
