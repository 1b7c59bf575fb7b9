import { equal, match } from "node:assert/strict";
import { folder, recording, root, slow } from "./_cli.ts";

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

/** Opens a terminal in a folder. */
async function terminal(folder: string): Promise<string> {
  const socket = `${folder}/tmux`;
  const size = ["-x", "100", "-y", "20"];
  await tmux(socket, "new-session", "-d", "-s", "run", ...size, "-c", folder, "bash --norc");
  return socket;
}

/** Types a command line of ours. */
async function type(socket: string, args: string): Promise<void> {
  const line = `"${Deno.execPath()}" run -A --no-check ${root}cli.ts ${args}; echo "code $?"`;
  await tmux(socket, "send-keys", "-t", "run", line, "Enter");
}

Deno.test("run on a terminal counts where nobody knows how much there is, and keeps results apart", async () => {
  const lines = "line\n".repeat(2_000);
  await using dir = await folder({ "p.yaml": slow, "in.txt": lines });
  const socket = await terminal(dir.path);
  try {
    await type(socket, "run p.yaml -i in.txt -o out.txt");
    await shows(socket, /^\d+ chunks \| \d:\d\d/m);
    await tmux(socket, "send-keys", "-t", "run", "C-c");
    await shows(socket, /^code 130$/m);
    await tmux(socket, "send-keys", "-t", "run", "clear", "Enter");
    await type(socket, "run p.yaml -i in.txt"); // onto the same terminal
    const screen = await shows(socket, /("LINE"\n){10}/);
    equal(screen.includes("chunks"), false);
    await tmux(socket, "send-keys", "-t", "run", "C-c");
    await shows(socket, /code 130$/m);
  } finally {
    await tmux(socket, "kill-server");
  }
});

Deno.test("run on a terminal shows how far it is, also after a resize, and ends at Ctrl-C", async () => {
  await using dir = await folder({ "p.yaml": paced });
  const socket = await terminal(dir.path);
  try {
    await type(socket, `run p.yaml -i ${recording} -o out.wav`);
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
