import { SerializationError } from "../../core/errors.ts";

/** Reads the fields of a message in turn, each of which must be of its type and within its bounds. */
export class Fields {
  readonly #values: readonly unknown[];
  #at = 0;

  private constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  /** The fields that a value holds. */
  static of(value: unknown): Fields {
    if (!Array.isArray(value)) throw fault("it is not a list of fields");
    return new Fields(value);
  }

  /** A text of at most so many letters. */
  static text(value: unknown, max: number): string {
    if (typeof value !== "string") throw fault("a text is none");
    if (value.length > max) throw fault(`a text has more than ${max} letters`);
    return value;
  }

  /** The next field, whatever it is. */
  next(): unknown {
    if (this.#at >= this.#values.length) throw fault("a field is missing");
    return this.#values[this.#at++];
  }

  /** A whole number from 0 to `max`. */
  count(max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.next();
    if (!Number.isSafeInteger(value) || value as number < 0 || value as number > max) {
      throw fault("a count is none");
    }
    return value as number;
  }

  number(): number {
    const value = this.next();
    if (typeof value !== "number" || !Number.isFinite(value)) throw fault("a number is none");
    return value;
  }

  flag(): boolean {
    const value = this.next();
    if (typeof value !== "boolean") throw fault("a flag is none");
    return value;
  }

  text(max: number): string {
    return Fields.text(this.next(), max);
  }

  bytes(): Uint8Array {
    const value = this.next();
    if (!(value instanceof Uint8Array)) throw fault("bytes are none");
    return value;
  }

  list<T>(max: number, item: (value: unknown) => T): T[] {
    const value = this.next();
    if (!Array.isArray(value)) throw fault("a list is none");
    if (value.length > max) throw fault(`a list has more than ${max} items`);
    return value.map(item);
  }

  /** A map from names to anything. */
  map(max: number, maxName: number): Map<string, unknown> {
    const value = this.next();
    if (!(value instanceof Map)) throw fault("a map is none");
    if (value.size > max) throw fault(`a map has more than ${max} items`);
    for (const key of value.keys()) Fields.text(key, maxName);
    return value as Map<string, unknown>;
  }

  /** There must be no field left. */
  end(): void {
    if (this.#at !== this.#values.length) throw fault("fields are left over");
  }
}

function fault(what: string): SerializationError {
  return new SerializationError(`Cannot decode message as ${what}`);
}
