/** A word as a model heard it. */
export interface HeardWord {
  /** The word with the space before it, where it has one. */
  text: string;
  /** When it begins, in µs, where the model tells. */
  start?: number;
  /** When it ends, in µs, where the model tells. */
  end?: number;
}

/** Words that are the same but for case and signs are the same. */
function plain({ text }: HeardWord): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
}

function areSame(one: HeardWord, other: HeardWord): boolean {
  return plain(one) === plain(other);
}

/** How many words two hypotheses of the same audio have in common from the start. */
export function agreedLength(one: readonly HeardWord[], other: readonly HeardWord[]): number {
  const end = one.findIndex((word, index) => {
    const twin = other[index];
    return twin === undefined || !areSame(word, twin);
  });
  return end === -1 ? one.length : end;
}

/** The longest run of words that ends `said` and is in `heard`: where it ends there, or 0. */
export function overlapEnd(
  said: readonly HeardWord[],
  heard: readonly HeardWord[],
  { expected, slack, longest = 8 }: { expected: number; slack: number; longest?: number },
): number {
  for (let count = Math.min(longest, said.length, heard.length); count > 0; count--) {
    const tail = said.slice(-count);
    let best = 0;
    // one word alone proves little, so it has to stand nearer to where it is expected
    const reach = count === 1 ? Math.min(slack, 2) : slack;
    for (let start = 0; start + count <= heard.length; start++) {
      const end = start + count;
      if (Math.abs(end - expected) > reach) continue;
      if (best !== 0 && Math.abs(end - expected) >= Math.abs(best - expected)) continue;
      if (tail.every((word, index) => areSame(word, heard[start + index]!))) best = end;
    }
    if (best > 0) return best;
  }
  return 0;
}
