/** Computes for so many milliseconds. */
export function computeFor(ms: number): number {
  const until = performance.now() + ms;
  let turns = 0;
  while (performance.now() < until) turns++;
  return turns;
}

/** Never comes back, and so its module reads nothing any more. */
export async function spin(): Promise<never> {
  await Promise.resolve();
  for (;;);
}

export function lengthOf(text: string): number {
  return text.length;
}
