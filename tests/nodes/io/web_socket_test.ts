import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { Pipeline } from "../../../core/mod.ts";
import { WebSocketSink } from "../../../nodes/io/web_socket_sink.ts";
import {
  WebSocketSource,
  type WebSocketSourceOptions,
} from "../../../nodes/io/web_socket_source.ts";
import {
  type ContractCase,
  endlessSource,
  type NodeContract,
  nodeContract,
} from "../../../testing/mod.ts";

/** A WebSocket server of the test's own, on loopback. */
function serve(use: (socket: WebSocket, request: { url: string; headers: Headers }) => void) {
  const sockets = new Set<WebSocket>();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { url } = request;
    const headers = new Headers(request.headers); // an upgraded request has none any more
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: protocolOf(headers) });
    socket.binaryType = "arraybuffer";
    sockets.add(socket);
    use(socket, { url, headers });
    return response;
  });
  return {
    url: `ws://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) if (socket.readyState <= 1) socket.close();
      await server.shutdown();
    },
  };
}

function protocolOf(headers: Headers): string {
  return headers.get("sec-websocket-protocol")?.split(",")[0] ?? "";
}

/** Sends what it is told, then closes. */
function say(messages: (string | Uint8Array<ArrayBuffer>)[], code = 1000, reason = "") {
  return (socket: WebSocket) => {
    socket.onopen = () => {
      for (const message of messages) socket.send(message);
      socket.close(code, reason);
    };
  };
}

function receive(
  urls: unknown[],
  options: Partial<WebSocketSourceOptions> = {},
): Promise<unknown[]> {
  const source = ReadableStream.from(urls as string[]);
  return Array.fromAsync(
    source.pipeThrough(new WebSocketSource({ reconnectDelayMs: 1, ...options })),
  );
}

/** The cases of a contract that needs a server of its own each time. */
function contractCases<I, O>(
  open: () => { contract: NodeContract<I, O>; dispose: () => Promise<void> },
): ContractCase[] {
  const create = () => {
    throw new Error("only the names are needed");
  };
  return nodeContract({ create, inputs: () => [] }).map(({ name }, index) => ({
    name,
    async run() {
      const { contract, dispose } = open();
      try {
        await nodeContract(contract)[index]!.run();
      } finally {
        await dispose();
      }
    },
  }));
}

const sourceCases = contractCases(() => {
  const server = serve(say(["a", "b", new Uint8Array([1])]));
  return {
    contract: {
      create: (config) => new WebSocketSource({}, config),
      inputs: () => [`${server.url}/1`, `${server.url}/2`],
    },
    dispose: () => server[Symbol.asyncDispose](),
  };
});
for (const { name, run } of sourceCases) Deno.test(`WebSocketSource ${name}`, run);

const sinkCases = contractCases(() => {
  const server = serve(() => {});
  return {
    contract: {
      create: (config) => new WebSocketSink<unknown>({ url: server.url }, config),
      inputs: () => ["a", { b: 1 }, new Uint8Array([2])] as unknown[],
    },
    dispose: () => server[Symbol.asyncDispose](),
  };
});
for (const { name, run } of sinkCases) Deno.test(`WebSocketSink ${name}`, run);

Deno.test("WebSocketSource gives texts, JSON and bytes", async () => {
  await using server = serve((socket, request) => {
    say([`{"path":"${new URL(request.url).pathname}"}`, new Uint8Array([1, 2])])(socket);
  });
  deepEqual(await receive([`${server.url}/a`]), ['{"path":"/a"}', new Uint8Array([1, 2])]);
  const both = [{ path: "/a" }, new Uint8Array([1, 2]), { path: "/b" }, new Uint8Array([1, 2])];
  deepEqual(await receive([`${server.url}/a`, `${server.url}/b`], { json: true }), both);
  await using marked = serve(say(["\uFEFFas it is"]));
  deepEqual(await receive([marked.url]), ["\uFEFFas it is"]);
});

Deno.test("WebSocketSource sends its headers and protocols", async () => {
  await using server = serve((socket, request) => {
    say([request.headers.get("x-token") ?? "", protocolOf(request.headers)])(socket);
  });
  const options = { headers: { "x-token": "secret" }, protocols: ["chat.v1"] };
  deepEqual(await receive([server.url], options), ["secret", "chat.v1"]);
});

Deno.test("WebSocketSource holds up a sender that nobody reads", async () => {
  let sent = 0;
  let buffered = 0;
  await using server = serve((socket) => {
    const message = new Uint8Array(65_536);
    const send = () => {
      if (socket.readyState !== 1) return clearInterval(timer);
      for (; sent < 4000 && socket.bufferedAmount < 2 ** 20; sent++) socket.send(message);
      buffered = socket.bufferedAmount;
    };
    const timer = setInterval(send, 1);
    socket.onclose = () => clearInterval(timer);
  });
  const reader = ReadableStream.from([server.url]).pipeThrough(new WebSocketSource()).getReader();
  await reader.read();
  let before = -1;
  for (let turn = 0; turn < 60 && before !== sent; turn++) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  equal(sent, before);
  ok(
    sent < 1000 && buffered >= 2 ** 20,
    `${sent} messages were sent, ${buffered} bytes wait there`,
  );
  for (let count = 0; count < 200; count++) await reader.read();
  await reader.cancel();
});

Deno.test("WebSocketSource tells of a socket that breaks, cannot be opened, or says too much", async () => {
  await using server = serve(say(["one"], 4001, "no more"));
  await rejects(
    receive([server.url]),
    /Node "WebSocketSource" failed on chunk 0: The connection to ws:.* broke: it was closed with code 4001 "no more"/,
  );
  const gone = serve(() => {});
  await gone[Symbol.asyncDispose]();
  await rejects(receive([gone.url]), /Cannot connect to ws:.* as /);
  await using long = serve(say(["x".repeat(1000)]));
  await rejects(receive([long.url], { maxMessageBytes: 100 }), /broke: Max payload size exceeded/);
  await rejects(receive(["http://x"]), /takes ws and wss URLs: it was given "http:\/\/x"/);
  await using text = serve(say(["{"]));
  await rejects(
    receive([text.url], { json: true, reconnects: 9 }),
    /A message is no JSON: Expected/,
  );
  await rejects(receive([1]), /it was given a number/);
  await using silent = Object.assign(Deno.listen({ port: 0, hostname: "127.0.0.1" }), {
    [Symbol.asyncDispose]: () => Promise.resolve(silent.close()),
  });
  const address = `ws://127.0.0.1:${(silent.addr as Deno.NetAddr).port}`;
  await rejects(
    receive([address], { timeoutMs: 50 }),
    /Cannot connect to .* as Opening handshake has timed out/,
  );
});

Deno.test("WebSocketSource connects again as often as it may", async () => {
  let connections = 0;
  await using server = serve((socket) => {
    connections++;
    say([`${connections}`], connections < 3 ? 4000 : 1000)(socket);
  });
  deepEqual(await receive([server.url], { reconnects: 2 }), ["1", "2", "3"]);
  connections = 0;
  await rejects(receive([server.url], { reconnects: 1 }), /code 4000/);
});

Deno.test("WebSocketSource ends at an interrupt, and takes the next URL", async () => {
  await using server = serve((socket, request) => {
    if (request.url.endsWith("/live")) socket.onopen = () => socket.send("live");
    else say(["next"])(socket);
  });
  const pipeline = new Pipeline([new WebSocketSource()]);
  const reader = pipeline.readable.getReader();
  const writer = pipeline.writable.getWriter();
  writer.write(`${server.url}/live`).catch(() => {});
  deepEqual(await reader.read(), { done: false, value: "live" });
  const next = reader.read();
  await pipeline.interrupt();
  await writer.write(`${server.url}/next`);
  deepEqual(await next, { done: false, value: "next" });
  const end = reader.read();
  await writer.close();
  deepEqual(await end, { done: true, value: undefined });
});

Deno.test("WebSocketSink sends in order and closes properly", async () => {
  const got: unknown[] = [];
  const closed = Promise.withResolvers<number>();
  await using server = serve((socket) => {
    socket.onopen = () => socket.send("ignored");
    socket.onmessage = ({ data }) =>
      got.push(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
    socket.onclose = ({ code }) => closed.resolve(code);
  });
  const chunks = ["a", { b: 1 }, new Uint8Array([3]), null, new Uint8Array([4]).buffer];
  const sink = new WebSocketSink({ url: server.url });
  deepEqual(await Array.fromAsync(ReadableStream.from(chunks).pipeThrough(sink)), chunks);
  equal(await closed.promise, 1000);
  deepEqual(got, ["a", '{"b":1}', new Uint8Array([3]), "null", new Uint8Array([4])]);
});

Deno.test("WebSocketSink is held up by a receiver that does not read", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  const accepted = (async () => { // answers the handshake, then reads nothing more
    const connection = await listener.accept();
    const bytes = new Uint8Array(4096);
    const length = await connection.read(bytes);
    const key =
      /sec-websocket-key: (\S+)/i.exec(new TextDecoder().decode(bytes.subarray(0, length!)))![1];
    const guid = new TextEncoder().encode(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    const accept = new Uint8Array(await crypto.subtle.digest("SHA-1", guid)).toBase64();
    await connection.write(new TextEncoder().encode(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    ));
    return connection;
  })();
  const source = endlessSource(() => new Uint8Array(262_144));
  const sink = new WebSocketSink<Uint8Array>({ url: `ws://127.0.0.1:${port}` });
  const reader = source.stream.pipeThrough(sink).getReader();
  const reading = (async () => {
    while (!(await reader.read()).done);
  })();
  reading.catch(() => {});
  const connection = await accepted;
  let before = -1;
  for (let turn = 0; turn < 60 && before !== source.produced; turn++) {
    before = source.produced;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  equal(source.produced, before);
  ok(source.produced < 200, `${source.produced} chunks of 256 KiB were taken`);
  await reader.cancel();
  connection.close();
  listener.close();
});

Deno.test("WebSocketSink tells of a broken connection, or makes it again", async () => {
  let connections = 0;
  let broken = Promise.withResolvers<void>();
  const got: unknown[] = [];
  await using server = serve((socket) => {
    const first = ++connections === 1;
    socket.onmessage = ({ data }) => {
      got.push(data);
      if (first) socket.close(4000, "enough");
    };
    if (first) socket.onclose = () => broken.resolve();
  });
  const slowly = async function* () {
    yield "a";
    await broken.promise; // the other side knows, and this one a moment later
    await new Promise((resolve) => setTimeout(resolve, 60));
    yield* ["b", "c"];
  };
  const run = (reconnects: number) => {
    const sink = new WebSocketSink<string>({ url: server.url, reconnects, reconnectDelayMs: 1 });
    return Array.fromAsync(ReadableStream.from(slowly()).pipeThrough(sink));
  };
  await rejects(
    run(0),
    /Node "WebSocketSink" failed on chunk 1: Cannot send to ws:.* as it was closed with code 4000 "enough"/,
  );
  connections = 0;
  broken = Promise.withResolvers();
  got.length = 0;
  deepEqual(await run(1), ["a", "b", "c"]);
  deepEqual(got, ["a", "b", "c"]);
  throws(() => new WebSocketSink({ url: "http://x" }), /"url".*ws or wss/);
});

Deno.test("WebSocketSink has one connection at a time, and keeps the order, whatever its concurrency", async () => {
  let [connections, open] = [0, 0];
  const got: unknown[] = [];
  await using server = serve((socket) => {
    const isFirst = ++connections === 1;
    open++;
    socket.onclose = () => open--;
    socket.onmessage = ({ data }) => {
      got.push(data);
      if (isFirst) socket.close(1011);
    };
  });
  const chunks = Array.from({ length: 500 }, (_, index) => `${index}`);
  const options = { url: server.url, reconnects: 20, reconnectDelayMs: 1 };
  const sink = new WebSocketSink<string>(options, { concurrency: 8 });
  const closed = async () => {
    while (open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  async function* source() {
    yield chunks[0]!;
    while (got.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await closed();
    yield* chunks.slice(1);
  }
  deepEqual(await Array.fromAsync(ReadableStream.from(source()).pipeThrough(sink)), chunks);
  equal(connections, 2);
  await closed();
  deepEqual(got, got.toSorted((one, other) => Number(one) - Number(other)));
  equal(got.at(-1), "499");
});
