/**
 * Generates `proto/gen` again from `proto/remotemedia`, after linting it. `--check` changes nothing and
 * fails if what is there is not what would be generated, or breaks what the last commit promised.
 */

const BUF = "npm:@bufbuild/buf@1.74.0";

async function buf(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", BUF, ...args],
    cwd: "proto",
  }).spawn().status;
  return success;
}

async function filesBelow(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (!isDirectory) files.set(path, await Deno.readTextFile(path));
    else for (const [inner, text] of await filesBelow(path)) files.set(inner, text);
  }
  return files;
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  const before = check ? await filesBelow("proto/gen") : new Map<string, string>();
  let good = await buf("lint") && await buf("generate");
  if (check) {
    const after = await filesBelow("proto/gen");
    for (const [path, text] of after) {
      if (before.get(path) === text) continue;
      console.error(`${path} is not what is generated: run "deno task proto" and commit it`);
      good = false;
    }
    good = await buf("breaking", "--against", "../.git#subdir=proto,ref=HEAD") && good;
  }
  if (!good) Deno.exit(1);
}
