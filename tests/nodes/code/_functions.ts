export const double = (value: number): number => 2 * value;
export async function halve(value: number): Promise<number> {
  await Promise.resolve();
  return value / 2;
}
export function* twice(value: number): Generator<number> {
  yield value;
  yield value;
}
export const isBig = (value: number): boolean => value > 2;
export const isBigLater = (value: number): Promise<boolean> => Promise.resolve(value > 2);
