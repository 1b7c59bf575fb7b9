import { equal, ok, rejects } from "node:assert/strict";
import { Node } from "../../core/mod.ts";
import { nodeContract } from "../../testing/mod.ts";

/** Sums in pairs; its state is the number that waits. */
class Pairs extends Node<number, number> {
  protected waiting: number | undefined;
  process(input: number): number | undefined {
    if (this.waiting === undefined) {
      this.waiting = input;
      return undefined;
    }
    const sum = this.waiting + input;
    this.waiting = undefined;
    return sum;
  }
  override flush(): number | undefined {
    return this.waiting;
  }
  override snapshot(): unknown {
    return { waiting: this.waiting };
  }
  override restore(state: { waiting: number | undefined }): void {
    this.waiting = state.waiting;
  }
}

const inputs = () => [1, 2, 3, 4, 5];

for (const { name, run } of nodeContract({ create: (config) => new Pairs({}, config), inputs })) {
  Deno.test(`nodeContract holds for a good node: ${name}`, run);
}

Deno.test("nodeContract finds a node whose snapshot forgets, one that swallows its end, one that takes too much", async () => {
  class Forgets extends Pairs {
    override snapshot(): unknown {
      return { waiting: undefined };
    }
  }
  class Random extends Pairs {
    override process(input: number): number {
      return input * Math.random();
    }
  }
  class ClosesTwice extends Pairs {
    override flush(): undefined {
      this.close(undefined);
    }
    override close(_reason: unknown): void {}
  }
  for (
    const [make, broken] of [
      [() => new Forgets(), /snapshot/],
      [() => new Random(), /same outputs|markers|snapshot/],
      [() => new ClosesTwice(), /opens and closes once/],
    ] as const
  ) {
    const cases = nodeContract({ create: make, inputs });
    let found = 0;
    for (const { name, run } of cases) {
      if (!broken.test(name)) continue;
      await rejects(run(), (error) => error instanceof Error);
      found++;
    }
    ok(found > 0);
  }
});

Deno.test("nodeContract asks that wrong options be refused as argument faults", async () => {
  const refused = [[() => {
    throw new RangeError("Cannot create X");
  }, /Cannot create X/], [() => new Pairs(), /nothing/]] as const;
  const cases = nodeContract({ create: () => new Pairs(), inputs, refused })
    .filter(({ name }) => name.startsWith("refuses"));
  equal(cases.length, 2);
  await cases[0]!.run();
  await rejects(async () => await cases[1]!.run());
});
