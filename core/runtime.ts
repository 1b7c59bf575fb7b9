/** The oldest Deno that this library runs on, and the one that it is tested with. The one place that says so to code. */
export const requiredDeno = "2.9.6";

/**
 * Checks that this is Deno, and new enough.
 *
 * @param current the version that runs. @default the running one
 * @throws {Error} if it is older than {@linkcode requiredDeno}
 */
export function assertRuntime(current: string = globalThis.Deno?.version.deno ?? "none"): void {
  if (isOlder(current, requiredDeno)) {
    throw new Error(
      `RemoteMedia needs Deno ${requiredDeno} or newer, this is ${current}: ` +
        `run "deno upgrade ${requiredDeno}", or put "npx -y deno@${requiredDeno}" for "deno"`,
    );
  }
}

function isOlder(current: string, required: string): boolean {
  const [a, b] = [current, required].map((version) => version.split(".").map(Number.parseFloat));
  for (const [index, wanted] of b!.entries()) {
    const got = a![index];
    if (got === undefined || Number.isNaN(got)) return true;
    if (got !== wanted) return got < wanted;
  }
  return false;
}
