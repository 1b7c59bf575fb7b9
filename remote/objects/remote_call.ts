import type { Outcome } from "../sandbox/protocol.ts";

/** A generator that runs elsewhere. Each `next()` asks for one value: nothing is computed ahead. */
export class RemoteGenerator implements AsyncGenerator<unknown, unknown, undefined> {
  readonly #operate: (kind: "next" | "return") => Promise<Outcome>;
  readonly #valueHere: (outcome: Outcome) => unknown;
  #ended = false;

  /** @param operate asks there; @param valueHere what an outcome is here */
  constructor(
    operate: (kind: "next" | "return") => Promise<Outcome>,
    valueHere: (outcome: Outcome) => unknown,
  ) {
    this.#operate = operate;
    this.#valueHere = valueHere;
  }

  /** The next value. */
  async next(): Promise<IteratorResult<unknown, unknown>> {
    if (this.#ended) return { done: true, value: undefined };
    const outcome = await this.#operate("next");
    this.#ended ||= outcome.kind === "done" || outcome.kind === "failed";
    return { done: outcome.kind === "done", value: this.#valueHere(outcome) };
  }

  /** Ends it there. */
  async return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    if (!this.#ended) {
      this.#ended = true;
      this.#valueHere(await this.#operate("return"));
    }
    return { done: true, value: await value };
  }

  /** Ends it there, and throws here. */
  async throw(error: unknown): Promise<IteratorResult<unknown, unknown>> {
    await this.return();
    throw error;
  }

  /** Ends it there. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** A call that is under way elsewhere: a promise of what it gives, and if that is a generator, its values. */
export class RemoteCall
  implements PromiseLike<unknown>, AsyncGenerator<unknown, unknown, undefined> {
  readonly #result: Promise<unknown>;

  /** @param result what it will give */
  constructor(result: Promise<unknown>) {
    this.#result = result;
  }

  /** As of a promise. */
  then<A = unknown, B = never>(
    resolve?: ((value: unknown) => A | PromiseLike<A>) | null,
    reject?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(resolve, reject);
  }

  /** As of a promise. */
  catch<B>(reject: (reason: unknown) => B | PromiseLike<B>): Promise<unknown> {
    return this.#result.catch(reject);
  }

  /** As of a promise. */
  finally(done: () => void): Promise<unknown> {
    return this.#result.finally(done);
  }

  /** The generator's next value. */
  async next(): Promise<IteratorResult<unknown, unknown>> {
    return await (await this.#generator()).next();
  }

  /** Ends the generator there. */
  async return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    return await (await this.#generator()).return(value);
  }

  /** Ends the generator there, and throws here. */
  async throw(error: unknown): Promise<IteratorResult<unknown, unknown>> {
    return await (await this.#generator()).throw(error);
  }

  /** Ends the generator there. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Shown as what it is. */
  get [Symbol.toStringTag](): string {
    return "RemoteCall";
  }

  async #generator(): Promise<RemoteGenerator> {
    const result = await this.#result;
    if (result instanceof RemoteGenerator) return result;
    throw new TypeError("Cannot iterate over what a remote function gave as it is no generator");
  }
}
