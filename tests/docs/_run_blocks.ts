/** Runs the modules named as arguments, one after another, and prints as JSON what each of them logged. */
const logged: string[][] = [];
console.log = (...values: unknown[]) => {
  const texts = values.map((value) => typeof value === "string" ? value : Deno.inspect(value));
  logged.at(-1)!.push(texts.join(" "));
};
console.table = () => {};
for (const path of Deno.args) {
  logged.push([]);
  await import(`file://${path}`);
}
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(logged)));
