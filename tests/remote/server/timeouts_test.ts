import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { Timeouts } from "../../../remote/server/timeouts.ts";

Deno.test("Timeouts ends a call that is not opened", () => {
  const clock = FakeTimers.install();
  try {
    const failures: string[] = [];
    const watch = () => {
      return new Timeouts(
        { idleTimeoutMs: 0, wallTimeoutMs: 0 },
        (error) => failures.push(error.message),
      );
    };
    const [, opened, ended] = [watch(), watch(), watch()];
    opened.opened();
    ended.clear();
    clock.tick(9_999);
    assert.deepEqual(failures, []);
    clock.tick(60_000);
    assert.deepEqual(failures, [
      "The server ended the session as it was not opened within 10000 ms",
    ]);
  } finally {
    clock.uninstall();
  }
});
