/** Something that can be listened to, and ends with its disposal. */
export interface LiveSource extends AsyncDisposable {
  /** What `readMedia()` reads. */
  media: string | ReadableStream<Uint8Array>;
}

/** Whether this machine has a microphone that ffmpeg can open. */
export function hasMicrophone(): boolean {
  if (Deno.build.os === "darwin") return true;
  try {
    return Deno.readTextFileSync("/proc/asound/pcm").includes("capture");
  } catch {
    return false; // a machine without sound
  }
}

/** The default microphone, as WAV from ffmpeg. */
export function microphone(): LiveSource {
  const device = Deno.build.os === "darwin"
    ? ["-f", "avfoundation", "-i", ":default"]
    : ["-f", "alsa", "-i", "default"];
  const child = new Deno.Command("ffmpeg", {
    args: ["-v", "error", ...device, "-ac", "1", "-ar", "16000", "-f", "wav", "pipe:1"],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  return { media: child.stdout, [Symbol.asyncDispose]: () => end(child) };
}

/** A station on this machine: ffmpeg sends a file as RTMP, as fast as it plays, to the first who listens. */
export async function broadcast(file: string, seconds: number): Promise<LiveSource> {
  const port = freePort();
  const media = `rtmp://127.0.0.1:${port}/live/speech`;
  const child = new Deno.Command("ffmpeg", {
    args: ["-v", "error", "-re", "-t", String(seconds), "-i", file]
      .concat("-c:a", "aac", "-f", "flv", "-listen", "1", media),
    stdin: "null",
    stderr: "null",
  }).spawn();
  await Promise.race([listens(port), child.status.then(() => gone(file))]);
  return { media, [Symbol.asyncDispose]: () => end(child) };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Waits until somebody listens on a port: by the kernel's table, as a connection would take the only place. */
async function listens(port: number): Promise<void> {
  const entry = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`;
  const isThere = () =>
    Deno.readTextFile("/proc/net/tcp").then((table) => table.includes(entry), () => undefined);
  for (let seen = await isThere(); seen !== true; seen = await isThere()) {
    await new Promise((resolve) => setTimeout(resolve, seen === undefined ? 1000 : 20));
    if (seen === undefined) return; // no Linux: a second will do
  }
}

function gone(file: string): never {
  throw new Error(`Cannot send ${file} as ffmpeg ended: is it there, and has it RTMP?`);
}

async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill();
  } catch {
    // it has ended by itself
  }
  await child.status;
}
