import { z } from "zod";
import { ConfigurationError } from "../../core/errors.ts";
import { defaultLimits, type SandboxLimits } from "../sandbox/limits.ts";
import type { Policy, TokenGrant } from "./access.ts";
import type { ServeOptions } from "./serve.ts";
import type { UserCodeOptions } from "./user_code.ts";
import { numberSetting } from "./number_setting.ts";
import { faultIn, parseYaml, readTextFile, readYamlFile } from "./yaml_file.ts";

const limitNames = Object.keys(defaultLimits) as (keyof SandboxLimits)[];

const flag = (description: string) => ({ description });

/** Every setting of a server, once: flags, environment, file and help are made from it. */
const settings = {
  host: z.string().min(1).default("127.0.0.1").meta(flag("address to listen on, or unix:PATH")),
  port: numberSetting(z.number().int().min(0).max(65_535)).default(50_052).meta(
    flag("port for gRPC"),
  ),
  httpPort: numberSetting(z.number().int().min(0).max(65_535)).optional()
    .meta(flag("port for /healthz, /readyz and /metrics; none by default")),
  tlsCert: z.string().optional().meta(flag("PEM file with the certificate and its chain")),
  tlsKey: z.string().optional().meta(flag("PEM file with the certificate's key")),
  clientCa: z.string().optional().meta(flag("PEM file: clients must have a certificate of it")),
  tokens: z.string().optional().meta(flag("YAML file: list of { name, token, policy? }")),
  policy: z.string().optional().meta(flag("YAML file: policies by name, for the tokens")),
  workers: numberSetting(z.number().int().min(0).max(256)).default(1)
    .meta(flag("processes that share the port and its limits; 0 for one a core")),
  pipelines: z.string().min(1).optional()
    .meta(flag("SQLite file to keep registered pipelines in; without it none are kept")),
  userCode: z.string().min(1).optional()
    .meta(flag("off to take no code of clients, or YAML file: what it may do in its sandboxes")),
  bundles: z.string().min(1).optional()
    .meta(flag("folder that keeps clients' code; a temporary one by default")),
  maxSessions: numberSetting(z.number().int().min(1)).default(1_000).meta(flag("sessions at once")),
  maxMessageMb: numberSetting(z.number().min(1).max(2_000)).default(64)
    .meta(flag("largest message, in MiB")),
  idleSeconds: numberSetting(z.number().min(0)).default(0)
    .meta(flag("end sessions that are silent for so long; 0 for never")),
  wallSeconds: numberSetting(z.number().min(0)).default(0)
    .meta(flag("end sessions that run for so long; 0 for never")),
  drainSeconds: numberSetting(z.number().min(0)).default(30)
    .meta(flag("at SIGTERM, wait so long for sessions to end")),
  insecure: z.stringbool().or(z.boolean()).default(false)
    .meta(flag("listen beyond this machine without tokens or client certificates")),
} as const;

const schema = z.strictObject(settings);

/** The settings of a server, as flags, environment and file give them. */
export type ServerConfig = z.output<typeof schema>;

/** A setting, as the help shows it. */
export interface SettingHelp {
  /** Its flag, for example `--max-sessions`. */
  flag: string;
  /** Its environment variable, for example `REMOTEMEDIA_MAX_SESSIONS`. */
  variable: string;
  /** What it is. */
  description: string;
  /** What it is when not given. */
  fallback: unknown;
  /** Whether it is on or off, without a value. */
  isSwitch: boolean;
}

/** All settings, for a help text. */
export function settingsHelp(): SettingHelp[] {
  const defaults = schema.parse({}) as Record<string, unknown>;
  return Object.entries(settings).map(([name, setting]) => ({
    flag: `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    variable: variableOf(name),
    description: String(setting.meta()?.description ?? ""),
    fallback: defaults[name],
    isSwitch: name === "insecure",
  }));
}

function variableOf(name: string): string {
  return `REMOTEMEDIA_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * Puts settings together: flags come before the environment, which comes before the file.
 *
 * @param flags by name, as given on the command line
 * @param options the environment, the text of the YAML file, and what to call that in errors
 * @throws {ConfigurationError} naming the setting, its rule and its value
 */
export function readConfig(
  flags: Readonly<Record<string, unknown>>,
  { env = {}, file, name = "the configuration file" }: {
    env?: Readonly<Record<string, string>>;
    file?: string;
    name?: string;
  } = {},
): ServerConfig {
  const fromEnv = Object.fromEntries(
    Object.keys(settings).map((name) => [name, env[variableOf(name)]])
      .filter(([, value]) => value !== undefined),
  );
  const yaml = file === undefined ? undefined : parseYaml(file, name);
  const fromFile = yaml?.value ?? {};
  if (typeof fromFile !== "object" || Array.isArray(fromFile)) {
    throw new ConfigurationError(`Cannot read ${name} as it must hold a map of settings`);
  }
  const given: Record<string, unknown> = { ...fromFile, ...fromEnv, ...flags };
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const { where, rule, keys } = faultIn(result.error);
  const inFile = where in fromFile && !(where in fromEnv) && !(where in flags);
  const place = inFile ? `${name}, line ${yaml!.lineOf(keys)}` : "configuration";
  throw new ConfigurationError(
    `Cannot read ${place}: ${where} breaks its rule: ${rule}: ` +
      `current value is ${JSON.stringify(given[where])}`,
    { cause: result.error },
  );
}

const userCodeSchema = z.strictObject({
  isolation: z.enum(["process", "bwrap"]).optional(),
  permissions: z.strictObject({
    net: z.array(z.string()).optional(),
    read: z.array(z.string()).optional(),
    env: z.array(z.string()).optional(),
  }).optional(),
  limits: z.partialRecord(z.enum(limitNames), z.number().positive()).optional(),
});

const policySchema = z.strictObject({
  nodes: z.array(z.string()).optional(),
  maxSessions: z.int().min(1).optional(),
  maxBytesInFlight: z.int().min(1).optional(),
  cpuSecondsPerMinute: z.number().positive().optional(),
  userCode: z.union([z.literal(false), userCodeSchema]).optional(),
  pipelines: z.enum(["none", "run", "own", "all"]).optional(),
});

const tokensSchema = z.array(z.strictObject({
  name: z.string().min(1),
  token: z.string().min(16),
  policy: z.union([z.string(), policySchema]).optional(),
}));

/**
 * What `serve` is told by a configuration: reads the files that it names.
 *
 * @throws {ConfigurationError} if one of them cannot be read, or does not hold what it should
 */
export async function serveOptionsOf(config: ServerConfig): Promise<ServeOptions> {
  const { host, port, httpPort, maxSessions, maxMessageMb, insecure } = config;
  const { tlsCert, tlsKey, clientCa, tokens, policy } = config;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new ConfigurationError("Cannot serve TLS as tlsCert and tlsKey go together");
  }
  if (clientCa !== undefined && tlsCert === undefined) {
    throw new ConfigurationError("Cannot ask for clients' certificates (clientCa) without tlsCert");
  }
  if (policy !== undefined && tokens === undefined) {
    throw new ConfigurationError(
      "Cannot use policies (policy) as there are no tokens to have them",
    );
  }
  return {
    host,
    port,
    maxSessions,
    maxMessageMb,
    insecure,
    idleTimeoutMs: 1_000 * config.idleSeconds,
    wallTimeoutMs: 1_000 * config.wallSeconds,
    ...(config.pipelines !== undefined && { pipelines: config.pipelines }),
    userCode: await readUserCode(config),
    ...(httpPort !== undefined && { httpPort }),
    ...(tlsCert !== undefined && {
      tls: {
        cert: await readTextFile(tlsCert),
        key: await readTextFile(tlsKey!),
        ...(clientCa !== undefined && { clientCa: await readTextFile(clientCa) }),
      },
    }),
    ...(tokens !== undefined && { tokens: await readTokens(tokens, policy) }),
  };
}

/** What the server does with clients' own code. */
async function readUserCode(
  { userCode, bundles }: ServerConfig,
): Promise<UserCodeOptions | false> {
  if (userCode === "off") return false;
  const more = z.strictObject({
    ...userCodeSchema.shape,
    warm: z.int().min(0).optional(),
    max: z.int().min(1).optional(),
  });
  const options = userCode === undefined ? {} : await readYamlFile(userCode, more);
  return { ...options, ...(bundles !== undefined && { bundleDirectory: bundles }) };
}

async function readTokens(path: string, policyPath: string | undefined): Promise<TokenGrant[]> {
  const policies = policyPath === undefined
    ? {}
    : await readYamlFile(policyPath, z.record(z.string(), policySchema));
  const grants = await readYamlFile(path, tokensSchema);
  return grants.map(({ name, token, policy }) => {
    if (policy === undefined) return { name, token };
    if (typeof policy !== "string") return { name, token, policy: policy as Policy };
    const named = policies[policy];
    if (named === undefined) {
      throw new ConfigurationError(`Cannot read ${path} as there is no policy "${policy}"`);
    }
    return { name, token, policy: named as Policy };
  });
}
