import type { Remote } from "../../../remote/objects/mod.ts";
import type { AudioFrame } from "../../../core/mod.ts";
import type * as counterModule from "./_demo/counter.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
/** Does not compile unless its argument is `true`. */
function holds<T extends true>(..._proof: T extends true ? [] : [never]): void {}

type Module = Remote<typeof counterModule>;
type Counter = Awaited<InstanceType<Module["Counter"]>>;

interface Everything {
  text(of: number): string;
  later(): Promise<Date>;
  frame(): AudioFrame;
  list(): Map<string, number[]>;
  numbers(): Generator<number, string>;
  laterNumbers(): AsyncGenerator<number>;
  call(back: (share: number) => void): void;
  made(): { deep: { close(): void } };
  maker(): (by: number) => number;
  readonly size: number;
}
type There = Remote<Everything>;

Deno.test("Remote makes every member asynchronous", () => {
  holds<Equal<ReturnType<There["text"]>, Promise<string>>>();
  holds<Equal<Parameters<There["text"]>, [of: number]>>();
  holds<Equal<ReturnType<There["later"]>, Promise<Date>>>();
  holds<Equal<There["size"], PromiseLike<number>>>();
  holds<Equal<Awaited<ReturnType<Counter["increment"]>>, number>>();
  holds<Equal<Counter["value"], PromiseLike<number>>>();
  holds<Equal<Awaited<Module["settings"]>, { depth: number; names: string[] }>>();
});

Deno.test("Remote copies values and leaves objects with methods there", () => {
  holds<Equal<Awaited<ReturnType<There["frame"]>>, AudioFrame>>();
  holds<Equal<Awaited<ReturnType<There["list"]>>, Map<string, number[]>>>();
  holds<Equal<Awaited<ReturnType<Awaited<ReturnType<There["maker"]>>>>, number>>();
  holds<Counter extends AsyncDisposable ? true : false>();
});

Deno.test("Remote makes generators asynchronous", () => {
  type Values<G> = G extends AsyncGenerator<infer Y, infer R> ? [Y, R] : never;
  holds<Equal<Values<ReturnType<There["numbers"]>>, [number, string]>>();
  holds<ReturnType<There["laterNumbers"]> extends AsyncGenerator<number> ? true : false>();
  holds<ReturnType<Module["squares"]> extends AsyncGenerator<number> ? true : false>();
});

Deno.test("Remote refuses wrong uses", () => {
  // never called: it only has to be refused by the compiler
  const _wrong = async (module: Module, there: There) => {
    // @ts-expect-error a number is needed
    await there.text("one");
    // @ts-expect-error there is no such member
    await there.none();
    // @ts-expect-error it is a promise
    const _text: string = there.text(1);
    // @ts-expect-error private fields are not seen
    await (await new module.Counter(1)).hidden;
  };
});
