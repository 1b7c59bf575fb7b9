/** Computes for so many milliseconds. */
export function computeFor(ms: number): number {
  const until = performance.now() + ms;
  let turns = 0;
  while (performance.now() < until) turns++;
  return turns;
}
