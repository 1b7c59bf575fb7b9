import { ok } from "node:assert/strict";
import { COLLECTS } from "./_endless.ts";

for (const place of ["local", "remote"]) {
  Deno.test(`Pipeline holds memory flat over a million frames through five nodes, ${place}`, async () => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", COLLECTS, new URL("./_endless.ts", import.meta.url).pathname, place],
      stdout: "piped",
      stderr: "piped",
    }).output();
    ok(success, new TextDecoder().decode(stderr));
    const growth = Number.parseFloat(new TextDecoder().decode(stdout));
    console.log(`RSS grew by ${growth} MB`);
    ok(growth < 10, `RSS grew by ${growth} MB`);
  });
}
