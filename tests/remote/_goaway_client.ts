/** A client whose server ends its connection with an error code, five times. Prints what it is told. */
import { RemoteExecutor } from "../../remote/mod.ts";

await using executor = new RemoteExecutor({ port: Number(Deno.args[0]), retry: false });
for (let tries = 0; tries < 5; tries++) {
  await executor.listNodes().catch(({ code }) => console.log(code));
  await new Promise((resolve) => setTimeout(resolve, 100)); // meanwhile the connection ends
}
