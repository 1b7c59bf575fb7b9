/** A hold on something that several use. */
export interface Lease<T> {
  /** What is held. */
  readonly value: T;
  /** Lets go; the last one to do so frees it. May be called again, which does nothing. */
  release(): Promise<void>;
}

/**
 * Things that are made once for all who ask under the same key, and freed when the last one lets go. Bounded by
 * the leases: it keeps nothing that nobody holds.
 */
export class Shared<T> {
  readonly #held = new Map<string, { value: Promise<T>; users: number }>();
  readonly #free: (value: T) => void | Promise<void>;

  /** @param free called when the last user has let go */
  constructor(free: (value: T) => void | Promise<void> = () => {}) {
    this.#free = free;
  }

  /** How many things are held. */
  get size(): number {
    return this.#held.size;
  }

  /** Joins those who hold the thing, or makes it. A failure is told to all who wait, and not kept. */
  async acquire(key: string, create: () => Promise<T>): Promise<Lease<T>> {
    let held = this.#held.get(key);
    if (held === undefined) {
      held = { value: create(), users: 0 };
      this.#held.set(key, held);
    }
    held.users++;
    const mine = held;
    try {
      const value = await mine.value;
      let isHeld = true;
      const release = async () => {
        if (!isHeld) return;
        isHeld = false;
        if (--mine.users > 0) return;
        this.#held.delete(key);
        await this.#free(value);
      };
      return { value, release };
    } catch (error) {
      if (this.#held.get(key) === mine) this.#held.delete(key);
      throw error;
    }
  }
}
