/** Packaging against the bare `deno info` and `deno bundle`, and what a bundle costs from then on. */
import { createBundle, openBundle } from "../packaging/mod.ts";
import { compare } from "./_compare.ts";

const { imports } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
const folder = await Deno.makeTempDir();
const write = (name: string, text: string) => Deno.writeTextFile(`${folder}/${name}`, text);
await write("deno.json", JSON.stringify({ imports: { yaml: imports.yaml } }));
const names = Array.from({ length: 20 }, (_, index) => `m${index}`);
for (const name of names) await write(`${name}.ts`, `export const ${name}: number = 1;`);
await write("small.ts", names.map((name) => `export * from "./${name}.ts";`).join("\n"));
await write("npm.ts", 'export * from "./small.ts"; export { parse } from "yaml";');

async function deno(...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: folder }).output();
  if (!success) throw new Error(`deno ${args[0]} failed`);
}

/** Makes every call a new request, so that nothing is recalled. */
let maxBytes = 100_000_000;

for (const name of ["small.ts", "npm.ts"]) {
  console.log(`making a bundle of ${name}`);
  const bare = async () => {
    await deno("info", "--json", "--no-lock", name);
    await deno("bundle", "--quiet", "--no-lock", "--sourcemap=inline", name);
    return 1;
  };
  const ours = async () => {
    await createBundle(`file://${folder}/${name}`, { check: false, maxBytes: maxBytes++ });
    return 1;
  };
  await compare(
    { name: "deno info, then deno bundle", run: bare },
    { name: "createBundle, types unchecked", run: ours },
    { atLeast: 0.3, unit: "bundles" },
  );
}

/** The median time of many runs, in ms. */
async function medianMs(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 31; round++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[15]!;
}

for (const name of ["small.ts", "npm.ts"]) {
  const again = () => createBundle(`file://${folder}/${name}`, { check: false });
  const { bytes, manifest } = await again();
  console.log(`${name}: ${manifest.modules.length} modules, ${bytes.length} bytes`);
  const recalled = await medianMs(again);
  const opened = await medianMs(() => openBundle(bytes));
  console.log(`  createBundle again ${recalled.toFixed(2)} ms, wanted at most 5 ms`);
  console.log(`  openBundle         ${opened.toFixed(2)} ms`);
  if (recalled > 5) Deno.exitCode = 1;
}
await Deno.remove(folder, { recursive: true });
