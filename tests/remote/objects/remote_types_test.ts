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
    // @ts-expect-error the constructor takes a number
    await new module.Counter("one");
    // @ts-expect-error an object that is still on its way has no members
    new module.Counter(1).increment();
    // @ts-expect-error a static is a promise too
    const _made: number = module.Counter.made;
    // @ts-expect-error there is no such static
    await module.Counter.nothing();
    // @ts-expect-error a static gives an object there, not one here
    const _counter: counterModule.Counter = await module.Counter.zero();
    // @ts-expect-error a property is awaited
    const _value: number = (await new module.Counter(1)).value;
    // @ts-expect-error the callback is given a number
    await module.mapAll([1], (value: string) => value.length);
    // @ts-expect-error the callback must give a number
    await module.mapAll([1], () => "text");
    // @ts-expect-error it must be an async loop: the generator is there
    for (const _value of module.squares(3));
    // @ts-expect-error its values are numbers
    for await (const _text of module.squares(3)) _text.toUpperCase();
    // @ts-expect-error an async generator takes a number
    module.countSlowly("three");
    // @ts-expect-error it is let go asynchronously
    using _now = await new module.Counter(1);
    // @ts-expect-error a function there gives a function there: a promise, not the function
    module.adder(2)(40);
  };
});
