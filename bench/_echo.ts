import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from "@grpc/grpc-js";

/** A bidi echo of bare gRPC, with grpc-js as its users have it: no option but the size of messages. */
export interface Echo extends AsyncDisposable {
  /** Milliseconds from a message of 640 B to its echo: the median of many. */
  roundTrip(count: number): Promise<number>;
  /** Messages a second, as many on their way as the streams take. */
  rate(size: number, count: number): Promise<number>;
}

const options = { "grpc.max_receive_message_length": -1 };
const same = (bytes: Buffer) => bytes;

/** An echo whose server is grpc-js, in this process. */
export async function startEcho(): Promise<Echo> {
  const server = new Server(options);
  server.addService({
    echo: {
      path: "/bench.Echo/Echo",
      requestStream: true,
      responseStream: true,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  }, {
    echo: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on("data", (bytes: Buffer) => {
        if (call.write(bytes)) return;
        call.pause();
        call.once("drain", () => call.resume());
      });
      call.on("end", () => call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      "127.0.0.1:0",
      ServerCredentials.createInsecure(),
      (error, bound) => error === null ? resolve(bound) : reject(error),
    );
  });
  return echoAt(port, () => Promise.resolve(server.forceShutdown()));
}

/** An echo whose server is Python's grpcio, in a process of its own; why not, where there is none. */
export async function startPythonEcho(): Promise<Echo | { skipped: string }> {
  const tool = await installPython();
  if ("skipped" in tool) return tool;
  const server = new Deno.Command(tool.python, {
    args: [path("./_echo_server.py")],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: port } = await reader.read();
  if (port === undefined) return { skipped: "the Python server did not start" };
  return echoAt(Number(port), async () => {
    await server.stdin.close();
    await reader.cancel();
    await server.status;
  });
}

/** A Python with grpcio in the temporary folder, the same that the test of the Python client makes. */
async function installPython(): Promise<{ python: string } | { skipped: string }> {
  const venv = `${Deno.env.get("TMPDIR") ?? "/tmp"}/remotemedia-python-client`;
  const python = `${venv}/bin/python`;
  const requirements = path("../examples/python_client/requirements.txt");
  const steps = [
    ["python3", "-m", "venv", venv],
    [python, "-m", "pip", "install", "--quiet", "-r", requirements],
  ];
  if (await run(python, "-c", "import grpc") === undefined) return { python };
  for (const [command, ...args] of steps) {
    const failure = await run(command!, ...args);
    if (failure !== undefined) return { skipped: failure };
  }
  return { python };
}

/** What went wrong; `undefined` if nothing. */
async function run(command: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command(command, { args }).output();
    return success ? undefined : new TextDecoder().decode(stderr).trim().slice(-300);
  } catch (error) {
    return String(error);
  }
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

function echoAt(port: number, stop: () => Promise<void>): Echo {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  const open = (): ClientDuplexStream<Buffer, Buffer> =>
    client.makeBidiStreamRequest("/bench.Echo/Echo", same, same);
  return {
    async roundTrip(count) {
      const call = open();
      const message = Buffer.alloc(640);
      const times: number[] = [];
      let back = () => {};
      call.on("data", () => back());
      for (let index = 0; index < count; index++) {
        const start = performance.now();
        const received = new Promise<void>((resolve) => back = resolve);
        call.write(message);
        await received;
        times.push(performance.now() - start);
      }
      await end(call);
      return times.toSorted((a, b) => a - b)[count >> 1]!;
    },
    async rate(size, count) {
      const call = open();
      const message = Buffer.alloc(size);
      const start = performance.now();
      let received = 0;
      const done = new Promise<void>((resolve) => {
        call.on("data", () => {
          if (++received === count) resolve();
        });
      });
      for (let index = 0; index < count; index++) {
        if (!call.write(message)) await new Promise<void>((resolve) => call.once("drain", resolve));
      }
      await done;
      const ms = performance.now() - start;
      await end(call);
      return count / ms * 1_000;
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await stop();
    },
  };
}

/** Ends a call, and waits until the server has too: one that is cut off by its server's end is an error. */
async function end(call: ClientDuplexStream<Buffer, Buffer>): Promise<void> {
  const over = new Promise((resolve) => call.once("status", resolve));
  call.end();
  await over;
}
