import assert from "node:assert/strict";
import { connect } from "node:http2";
import { serve } from "../../remote/server/mod.ts";
import { FLOW_CONTROL_WINDOW } from "../../remote/wire/flow_control.ts";
import { until } from "./_server.ts";
import { startCommand } from "./_workers.ts";

/** What a client may have on its way to a server: in each stream, and in the connection. */
async function windowsOf(address: string, ca?: string): Promise<void> {
  const session = connect(address, { ca });
  session.on("error", () => {}); // told by the windows, which do not come
  try {
    await until(() =>
      session.remoteSettings?.initialWindowSize === FLOW_CONTROL_WINDOW &&
      session.state.remoteWindowSize === FLOW_CONTROL_WINDOW, `the windows of ${address}`);
  } finally {
    session.destroy();
  }
}

Deno.test("serve lets a mebibyte be on its way to it, with TLS as without, and with workers", async () => {
  const pem = (name: string) =>
    Deno.readTextFileSync(new URL(`../testdata/tls/${name}`, import.meta.url));
  assert.equal(FLOW_CONTROL_WINDOW, 1_048_576);
  await using plain = await serve({ port: 0, userCode: false });
  await windowsOf(`http://127.0.0.1:${plain.port}`);
  const tls = { cert: pem("server.pem"), key: pem("server.key") };
  await using secure = await serve({ port: 0, userCode: false, tls });
  await windowsOf(`https://localhost:${secure.port}`, pem("ca.pem"));
  await using workers = await startCommand(["--workers=2"]);
  await windowsOf(`http://127.0.0.1:${workers.port}`);
});
