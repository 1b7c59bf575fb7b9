import assert from "node:assert/strict";
import { RemoteExecutor } from "../../remote/mod.ts";
import { attacks } from "./_attacks.ts";
import { startChild } from "./_child_server.ts";
import { GoodSession } from "./_good_session.ts";

/**
 * Attacks a server in all ways that there are, one after another, while a good session runs.
 *
 * @param rounds how often
 * @returns the memory of the server at the start and after each round, in MB
 */
export async function attackInRounds(rounds: number): Promise<number[]> {
  await using child = await startChild(0, "200", "", String(4 * 2 ** 20));
  await using executor = new RemoteExecutor({ port: child.port });
  const state = async () => {
    for (let tries = 0; tries < 5; tries++) {
      const [told] = await executor.status();
      if (told?.up) return { sessions: told.sessions, rssMb: told.rssBytes / 1e6 };
      console.log(`no answer: ${told?.error}`);
    }
    assert.fail("the server does not answer");
  };
  const good = new GoodSession(executor);
  const memory = [(await state()).rssMb];
  for (let round = 0; round < rounds; round++) {
    for (const [name, attack] of Object.entries(attacks)) {
      const start = performance.now();
      const told = await attack(child);
      const { rssMb } = await state();
      const took = Math.round(performance.now() - start);
      console.log(`${name}: ${told}; ${rssMb.toFixed(0)} MB, took ${took} ms`);
    }
    memory.push((await state()).rssMb);
  }
  for (let waited = 0; (await state()).sessions > 1; waited += 50) {
    assert.ok(waited < 10_000, "sessions of the attackers are left");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await good.stop();
  console.log(
    `the good session had ${good.answers} answers, the slowest in ${good.longestMs.toFixed(0)} ms`,
  );
  console.log(`memory in MB: ${memory.map((mb) => mb.toFixed(0)).join(", ")}`);
  return memory;
}
