/** Runs every bench one after another; fails when a ratio is below its bar. */
const names = [...Deno.readDirSync("bench")].map(({ name }) => name)
  .filter((name) => name.endsWith("_bench.ts"))
  .filter((name) => Deno.args.length === 0 || Deno.args.some((part) => name.includes(part)))
  .toSorted();
const below: string[] = [];
for (const name of names) {
  console.log(`\n${name}`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `bench/${name}`],
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) below.push(name);
}
console.log(
  `\n${names.length - below.length} benches passed, ${below.length} failed ${below.join(" ")}`,
);
Deno.exit(below.length === 0 ? 0 : 1);
