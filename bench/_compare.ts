/** Something that does a known amount of work. */
export interface Contender {
  /** What it is. */
  name: string;
  /** Does the work once, and gives how many units of it. */
  run(): Promise<number>;
}

/** What a bench asks for. */
export interface Bar {
  /** The least ratio of ours to the bare mechanism, in units a second. */
  atLeast: number;
  /** Runs of each, taken in turns; the medians count. @default 7 */
  rounds?: number;
  /** What a unit is. @default "items" */
  unit?: string;
}

/**
 * Runs ours and the bare mechanism in turns, prints the medians in units a second and their ratio, and
 * makes the process exit non-zero when the ratio is below the bar.
 */
export async function compare(
  bare: Contender,
  ours: Contender,
  { atLeast, rounds = 7, unit = "items" }: Bar,
): Promise<number> {
  const rates: Record<"bare" | "ours", number[]> = { bare: [], ours: [] };
  await bare.run(); // warm
  await ours.run();
  for (let round = 0; round < rounds; round++) {
    rates.bare.push(await rateOf(bare));
    rates.ours.push(await rateOf(ours));
  }
  const [bareRate, ourRate] = [median(rates.bare), median(rates.ours)];
  const ratio = ourRate / bareRate;
  console.log(`  ${bare.name.padEnd(44)} ${format(bareRate)} ${unit}/s`);
  console.log(`  ${ours.name.padEnd(44)} ${format(ourRate)} ${unit}/s`);
  const passed = ratio >= atLeast;
  console.log(
    `  ratio ${ratio.toFixed(2)}, wanted at least ${atLeast}: ${passed ? "ok" : "BELOW"}`,
  );
  if (!passed) Deno.exitCode = 1;
  return ratio;
}

async function rateOf({ run }: Contender): Promise<number> {
  const start = performance.now();
  const units = await run();
  return units * 1000 / (performance.now() - start);
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function format(rate: number): string {
  return Math.round(rate).toLocaleString("en").padStart(14);
}
