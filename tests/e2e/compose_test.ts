import assert from "node:assert/strict";
import { parse } from "yaml";
import { settingsHelp } from "../../remote/server/config.ts";
import { commandOf, parseDockerfile, valuesOf } from "./_dockerfile.ts";

interface Service {
  build: string;
  user: string;
  read_only: boolean;
  tmpfs: string[];
  volumes: string[];
  cap_drop: string[];
  security_opt: string[];
  ports: string[];
  environment: Record<string, string>;
  secrets: { source: string; target: string }[];
  healthcheck: { test: string[] };
  stop_grace_period: string;
  deploy: { resources: { limits: Record<string, string | number> } };
}

Deno.test("compose.yaml runs the image as the Dockerfile means it, and with no more rights", async () => {
  const { services, secrets } = parse(await Deno.readTextFile("deploy/compose.yaml")) as {
    services: Record<string, Service>;
    secrets: Record<string, { file: string }>;
  };
  assert.deepEqual(Object.keys(services), ["executor"]);
  const executor = services.executor!;
  const image = parseDockerfile(await Deno.readTextFile("Dockerfile")).at(-1)!;
  const entry = commandOf(valuesOf(image, "ENTRYPOINT")[0]!);
  const allowed = (name: string) =>
    entry.find((word) => word.startsWith(`--allow-${name}=`))!.split("=")[1]!.split(",");

  assert.equal((await Deno.stat(`deploy/${executor.build}/Dockerfile`)).isFile, true);
  assert.deepEqual([executor.user], valuesOf(image, "USER"));
  assert.equal(executor.read_only, true);
  const writable = [
    ...executor.tmpfs.map((mount) => mount.split(":")[0]),
    ...executor.volumes.map((mount) => mount.split(":")[1]),
  ];
  assert.deepEqual(writable, allowed("write"));
  assert.deepEqual(executor.cap_drop, ["ALL"]);
  assert.deepEqual(executor.security_opt, ["no-new-privileges:true"]);
  const [, ...health] = executor.healthcheck.test;
  assert.deepEqual(health, commandOf(valuesOf(image, "HEALTHCHECK")[0]!));
  assert.deepEqual(Object.keys(executor.deploy.resources.limits), ["cpus", "memory", "pids"]);

  const exposed = valuesOf(image, "EXPOSE")[0]!.split(" ");
  for (const port of executor.ports) {
    assert.match(port, /^127\.0\.0\.1:/, "only this machine reaches it");
    assert.ok(exposed.includes(port.split(":").at(-1)!), `${port} is not exposed`);
  }
  const variables = new Set(settingsHelp().map(({ variable }) => variable));
  for (const name of Object.keys(executor.environment)) {
    assert.ok(variables.has(name), `there is no setting ${name}`);
  }
  for (const { source, target } of executor.secrets) {
    assert.ok(secrets[source], `there is no secret ${source}`);
    assert.equal(executor.environment.REMOTEMEDIA_TOKENS, target);
    assert.ok(allowed("read").some((folder) => target.startsWith(`${folder}/`)));
  }
  const drain = Number(executor.environment.REMOTEMEDIA_DRAIN_SECONDS);
  assert.ok(parseInt(executor.stop_grace_period) > drain, "it is killed while it drains");
});
