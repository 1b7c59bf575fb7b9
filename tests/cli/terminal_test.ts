import { equal, match } from "node:assert/strict";
import { folder, recording, root } from "./_cli.ts";

const paced = `version: 1
name: paced
nodes:
  - { type: AudioTransform, options: { channels: 1 } }
  - { type: Throttle, options: { perMs: 10 } }
`;

async function tmux(socket: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command("tmux", { args: ["-S", socket, ...args], stderr: "piped" });
  const { success, stdout, stderr } = await command.output();
  equal(success, true, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** What the terminal shows, once it matches. */
async function shows(socket: string, wanted: RegExp): Promise<string> {
  let screen = "";
  for (let tries = 0; tries < 300; tries++) {
    screen = await tmux(socket, "capture-pane", "-p", "-t", "run");
    if (wanted.test(screen)) return screen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  match(screen, wanted);
  return screen;
}

Deno.test("run on a terminal shows how far it is, also after a resize, and ends at Ctrl-C", async () => {
  await using dir = await folder({ "p.yaml": paced });
  const socket = `${dir.path}/tmux`;
  const run =
    `"${Deno.execPath()}" run -A --no-check ${root}cli.ts run p.yaml -i ${recording} -o out.wav; echo "code $?"`;
  await tmux(
    socket,
    "new-session",
    "-d",
    "-s",
    "run",
    "-x",
    "100",
    "-y",
    "20",
    "-c",
    dir.path,
    "bash --norc",
  );
  try {
    await tmux(socket, "send-keys", "-t", "run", run, "Enter");
    await shows(socket, /=.* \d+% \| 0:0\d of 0:21 \| \d+\.\dx \| \d:\d\d left/);
    await tmux(socket, "resize-window", "-t", "run", "-x", "120", "-y", "30");
    await shows(socket, /0:0[2-9] of 0:21/);
    await tmux(socket, "send-keys", "-t", "run", "C-c");
    await shows(socket, /^code 130$/m);
  } finally {
    await tmux(socket, "kill-server");
  }
  const { size } = await Deno.stat(`${dir.path}/out.wav`);
  const header = new DataView((await Deno.readFile(`${dir.path}/out.wav`)).buffer);
  equal(header.getUint32(4, true), size - 8); // a valid WAV, shorter than the recording
  equal(size > 10_000 && size < 668_524, true);
});
