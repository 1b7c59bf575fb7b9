/** As much of `process` as is needed here. */
interface Process {
  env: Record<string, string | undefined>;
}

/**
 * Lets `process.env` give `undefined` for what may not be read, where Deno throws: packages look for `NODE_ENV`,
 * `DEBUG` and the like while they load. What is set there stays in this module's memory. `Deno.env` still throws, and
 * `Deno.permissions` tells which names may be read.
 *
 * Deno makes `process`, and with it much of Node, when it is first asked for; so it stays.
 */
export function quietProcess(): void {
  const made = Object.getOwnPropertyDescriptor(globalThis, "process")!;
  let process: Process | undefined;
  Object.defineProperty(globalThis, "process", {
    ...made,
    get: () => {
      if (process === undefined) {
        process = made.get!.call(globalThis) as Process;
        const value = quietEnvironment(process.env);
        Object.defineProperty(process, "env", { value, configurable: true, enumerable: true });
      }
      return process;
    },
  });
}

/** What may be read of an environment, under what was set since. */
export function quietEnvironment(env: Process["env"]): Process["env"] {
  const own = (set: Process["env"], name: string | symbol) =>
    typeof name === "string" && Object.hasOwn(set, name);
  const read = (name: string | symbol) => {
    if (typeof name !== "string") return undefined;
    return allowed(() => env[name]);
  };
  return new Proxy<Process["env"]>(Object.create(null), {
    get: (set, name) => own(set, name) ? set[name as string] : read(name),
    has: (set, name) => own(set, name) || read(name) !== undefined,
    set: (set, name, value) => Reflect.set(set, name, String(value)),
    getOwnPropertyDescriptor: (set, name) => {
      if (own(set, name)) return Reflect.getOwnPropertyDescriptor(set, name);
      const value = read(name);
      return value === undefined
        ? undefined
        : { value, configurable: true, enumerable: true, writable: true };
    },
    ownKeys: (set) => [
      ...new Set([...Object.keys(set), ...allowed(() => Object.keys(env)) ?? []]),
    ],
  });
}

function allowed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
