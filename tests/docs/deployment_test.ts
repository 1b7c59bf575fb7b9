import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { clientVariables } from "../../cli/remote_client.ts";
import { Pipeline } from "../../core/mod.ts";
import { PassThrough } from "../../nodes/data/pass_through.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { readConfig, serveOptionsOf, settingsHelp } from "../../remote/server/config.ts";
import { serve } from "../../remote/server/mod.ts";
import { commandOf, parseDockerfile, valuesOf } from "../e2e/_dockerfile.ts";
import { startCommand } from "../remote/_workers.ts";

const page = await Deno.readTextFile("docs/deployment.md");
const blocks = [...page.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, text]) => ({
  language,
  text: text!,
}));
const image = parseDockerfile(await Deno.readTextFile("Dockerfile")).at(-1)!;
const entry = commandOf(valuesOf(image, "ENTRYPOINT")[0]!);
const settings = new Set(settingsHelp().map(({ variable }) => variable));

/** Writes the page's YAML files into a folder, by the names in their first lines. */
async function writeFiles(folder: string): Promise<void> {
  for (const { language, text } of blocks) {
    const name = language === "yaml" && /^# ([\w.]+)/.exec(text)?.[1];
    if (name) await Deno.writeTextFile(`${folder}/${name}`, text);
  }
}

Deno.test("deployment.md: its settings, tokens and certificate make a server that serves", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeFiles(folder);
    const openssl = blocks.map(({ text }) => /^openssl req .*$/m.exec(text)?.[0])
      .find((line) => line !== undefined)!;
    const made = await new Deno.Command("sh", { args: ["-c", openssl], cwd: folder }).output();
    assert.ok(made.success, new TextDecoder().decode(made.stderr));
    const file = (await Deno.readTextFile(`${folder}/serve.yaml`))
      .replaceAll("/etc/remotemedia", folder);
    const config = readConfig({ host: "127.0.0.1", port: 0, httpPort: 0 }, { file });
    const options = await serveOptionsOf(config);
    await using server = await serve(options);
    const ca = await Deno.readTextFile(`${folder}/server.pem`);
    const run = async (token: string) => {
      await using executor = new RemoteExecutor({
        host: "localhost",
        port: server.port,
        token,
        tls: { ca },
      });
      return await Array.fromAsync(new Pipeline([new PassThrough({}, { executor })]).run([1]));
    };
    for (const { token } of options.tokens!) assert.deepEqual(await run(token), [1]);
    await assert.rejects(() => run("another-token-of-length"), { code: 16 });
    const [, variables, command] = /^export (.*)\ndeno task cli (.*)$/m.exec(page)!; // of the command line
    const env = Object.fromEntries(variables!.split(" ").map((each) => each.split("=")));
    const manifest = `version: 1
executors: { there: { host: localhost, port: ${server.port}, token: "\${REMOTEMEDIA_TOKEN}" } }
nodes: [{ type: PassThrough, executor: there }]
`;
    await Deno.writeTextFile(`${folder}/there.yaml`, manifest);
    await Deno.writeTextFile(`${folder}/in.txt`, "there and back\n");
    const lines = [
      [command!.replace("50052", String(server.port)), /^localhost:\d+ +up /],
      [`remote status https://localhost:${server.port}`, /^https:.* +up |^localhost:\d+ +up /],
      ["run there.yaml -i in.txt", /^"there and back"$/m],
      [`run there.yaml -i in.txt --remote localhost:${server.port}`, /^"there and back"$/m],
    ] as const;
    for (const [line, said] of lines) {
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", `${Deno.cwd()}/cli.ts`, ...line.split(" ")],
        cwd: folder,
        env,
      }).output();
      assert.match(new TextDecoder().decode(stdout), said, new TextDecoder().decode(stderr));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("deployment.md: one client uses two workers by two endpoints", async () => {
  await using server = await startCommand(["--workers=2"]);
  const endpoint = { port: server.port };
  await using executor = new RemoteExecutor({ endpoints: [endpoint, endpoint] });
  const status = await executor.status();
  assert.equal(status.filter(({ up }) => up).length, 2);
  const { text } = await server.get("/metrics");
  for (const [name] of page.matchAll(/(?<=^\| `)remotemedia_\w+/gm)) {
    assert.ok(text.includes(`# TYPE ${name} `), `${name} is not told`);
  }
  for (const [name] of text.matchAll(/(?<=^# TYPE )\w+/gm)) {
    assert.ok(page.includes(`\`${name}\``), `${name} is not on the page`);
  }
});

Deno.test("deployment.md: Docker's command mounts what the image needs and may read", () => {
  const command = blocks.map(({ text }) => /^docker run .*$/m.exec(text)?.[0]).find(Boolean)!;
  for (const flag of ["--read-only", "--tmpfs /tmp", "--cap-drop ALL", "no-new-privileges"]) {
    assert.ok(command.includes(flag), flag);
  }
  const [, target] = /-v "[^:]+:([^:]+):ro"/.exec(command)!;
  assert.ok(command.includes(`REMOTEMEDIA_TOKENS=${target} `));
  const readable = entry.find((word) => word.startsWith("--allow-read="))!.split("=")[1]!;
  assert.ok(readable.split(",").some((folder) => target!.startsWith(`${folder}/`)));
  for (const [variable] of page.matchAll(/REMOTEMEDIA_[A-Z_]+/g)) {
    assert.ok(settings.has(variable) || clientVariables.includes(`${variable} `), variable);
  }
});

Deno.test("remotemedia.service gives the server the image's permissions, and time to drain", async () => {
  const unit = await Deno.readTextFile("deploy/remotemedia.service");
  const [, start] = /^ExecStart=\/usr\/local\/bin\/(.*)$/m.exec(unit)!;
  const names = (words: string[]) =>
    words.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0]!);
  const words = start!.split(" ").slice(0, start!.split(" ").indexOf("server.ts"));
  assert.deepEqual(names(words), names(entry));
  const programs = (list: string[]) => list.find((word) => word.startsWith("--allow-run="));
  assert.equal(programs(words), programs(entry));
  const { drainSeconds } = readConfig({});
  assert.ok(Number(/^TimeoutStopSec=(\d+)/m.exec(unit)![1]) > drainSeconds);
  assert.match(unit, /^KillMode=mixed$/m); // else workers are told to end before they are drained
});

interface Container {
  env: { name: string; value: string }[];
  ports: { name: string; containerPort: number }[];
  readinessProbe: { httpGet: { path: string; port: string } };
  livenessProbe: { httpGet: { path: string; port: string } };
  securityContext: { readOnlyRootFilesystem: boolean };
  volumeMounts: { mountPath: string }[];
}

Deno.test("kubernetes.yaml runs the image as the Dockerfile means it", async () => {
  const [deployment, service] = parseAllDocuments(await Deno.readTextFile("deploy/kubernetes.yaml"))
    .map((document) => document.toJS());
  const pod = deployment.spec.template.spec;
  const [container] = pod.containers as [Container];
  const [user] = valuesOf(image, "USER");
  assert.equal(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`, user);
  const exposed = valuesOf(image, "EXPOSE")[0]!.split(" ").map(Number);
  assert.deepEqual(container.ports.map(({ containerPort }) => containerPort), exposed);
  assert.deepEqual(container.readinessProbe.httpGet, { path: "/readyz", port: "http" });
  assert.deepEqual(container.livenessProbe.httpGet, { path: "/healthz", port: "http" });
  assert.equal(container.securityContext.readOnlyRootFilesystem, true);
  assert.ok(container.volumeMounts.some(({ mountPath }) => mountPath === "/tmp"));
  const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  for (const name of Object.keys(env)) assert.ok(settings.has(name), name);
  assert.ok(pod.terminationGracePeriodSeconds > Number(env.REMOTEMEDIA_DRAIN_SECONDS));
  assert.deepEqual(service.spec.selector, deployment.spec.selector.matchLabels);
});
