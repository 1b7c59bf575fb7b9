/** Programs that tasks need beside Deno, and the Debian packages that bring them. */
const packages = {
  bwrap: "bubblewrap",
  chromium: "chromium fonts-dejavu-core",
  "espeak-ng": "espeak-ng",
  ffmpeg: "ffmpeg",
  ffprobe: "ffmpeg",
  ip: "iproute2",
  pocketsphinx_continuous: "pocketsphinx pocketsphinx-en-us",
  sox: "sox",
  tmux: "tmux",
} as const;

/** A program that can be installed. */
export type Program = keyof typeof packages;

/**
 * Installs the programs that are missing, by apt where this is a Debian and we may.
 *
 * @throws {Error} one sentence that says what to install and how, where we cannot
 */
export async function ensurePrograms(programs: readonly Program[]): Promise<void> {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  const wanted = [...new Set(missing.flatMap((program) => packages[program].split(" ")))];
  const command = `apt-get install -y ${wanted.join(" ")}`;
  if (!isInstalled("apt-get") || Deno.uid() !== 0) {
    throw new Error(
      `${missing.join(" and ")} cannot be found: install with "sudo ${command}"` +
        ` (macOS: "brew install ${wanted.join(" ")}") and run this task again`,
    );
  }
  console.log(`Installing ${wanted.join(", ")} …`);
  await aptGet(["update"]);
  await aptGet(["install", "-y", "--no-install-recommends", ...wanted]);
}

/** Whether a program is on the PATH. */
export function isInstalled(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false; // not in this folder, or the folder is not there
    }
  });
}

async function aptGet(args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("apt-get", {
    args: ["-q", ...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const lastLine = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new Error(`"apt-get ${args.join(" ")}" failed: ${lastLine}`);
}

if (import.meta.main) {
  try {
    await ensurePrograms(Object.keys(packages) as Program[]);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
