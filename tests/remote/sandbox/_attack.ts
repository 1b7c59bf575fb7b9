import assert from "node:assert/strict";
import { SandboxError, type SandboxReason } from "../../../core/errors.ts";
import { CallbackTable } from "../../../remote/objects/object_channel.ts";
import { type RemoteModule, remoteModule } from "../../../remote/objects/remote_module.ts";
import { SandboxHost, type SandboxPolicy } from "../../../remote/sandbox/host/sandbox_host.ts";
import type { SandboxPermissions } from "../../../remote/sandbox/permissions.ts";
import { bundleOf } from "./_bundles.ts";

/** What an attack runs with. */
export interface AttackOptions {
  /** What the one who runs it allows. */
  policy?: SandboxPolicy;
  /** What the bundle asks for. */
  permissions?: SandboxPermissions;
  /** Data files. */
  files?: Record<string, Uint8Array>;
}

/** A module of hostile JavaScript, loaded in a sandbox of its own. */
export async function withGuest(
  code: string,
  use: (
    guest: RemoteModule<Record<string, (...args: unknown[]) => unknown>>,
    pid: number,
  ) => Promise<void>,
  { policy = {}, permissions, files }: AttackOptions = {},
): Promise<void> {
  await using host = new SandboxHost({ warm: 0 });
  const callbacks = new CallbackTable();
  const bundle = await bundleOf(code, { permissions, files });
  const sandbox = await host.load(bundle, { policy, callBack: callbacks.call });
  const guest = remoteModule<Record<string, (...args: unknown[]) => unknown>>({
    operate: (operation) => sandbox.operate(operation),
    close: () => sandbox[Symbol.asyncDispose](),
  }, callbacks);
  await use(guest, sandbox.pid);
}

/** Runs an expression in a sandbox: what it gave, or the name and message of what it threw. */
export async function attempt(
  expression: string,
  options?: AttackOptions,
): Promise<{ got?: unknown; error?: string }> {
  let result: { got?: unknown; error?: string } = {};
  const code = `export async function attack() {
    try {
      const got = await (${expression});
      return { got: typeof got === "function" ? "a function" : Deno.inspect(got).slice(0, 500) };
    } catch (error) {
      return { error: error.name + ": " + error.message };
    }
  }
  export const alive = () => 42;`;
  await withGuest(code, async (guest) => {
    result = await guest.attack!() as typeof result;
    assert.equal(await guest.alive!(), 42, "the guest itself goes on");
  }, options);
  return result;
}

/** An attack that must throw inside the sandbox, which goes on. */
export function refused(name: string, expression: string, message: RegExp): void {
  Deno.test(`Sandbox refuses ${name}`, async () => {
    const { got, error } = await attempt(expression);
    assert.equal(got, undefined, `it got ${got}`);
    assert.match(error!, message);
  });
}

/** An attack that must end its sandbox, and nothing else, with the right reason. */
export function ended(
  name: string,
  code: string,
  { reason, prelude = "", ...options }: AttackOptions & { reason: SandboxReason; prelude?: string },
): void {
  Deno.test(`Sandbox ends ${name}: ${reason}`, async () => {
    await using host = new SandboxHost({ warm: 0 });
    const neighbour = await host.load(await bundleOf("export const alive = () => 42;"));
    const error = await withGuest(
      `${prelude}; export const attack = async () => { ${code} };`,
      async (guest) => {
        await guest.attack!();
      },
      options,
    ).then(() => undefined, (thrown) => thrown);
    assert.ok(error instanceof SandboxError, `it threw ${error}`);
    assert.equal(error.reason, reason, String(error));
    const outcome = await neighbour.operate({
      kind: "apply",
      target: 0,
      path: ["alive"],
      args: new Uint8Array([0x90]),
      callbacks: [],
    });
    assert.deepEqual(outcome, { kind: "value", value: new Uint8Array([42]) });
  });
}
