import assert from "node:assert/strict";
import { Client, credentials, status } from "@grpc/grpc-js";
import { BatchWriter } from "../../remote/wire/batch_writer.ts";
import { writeRequest, writeSpec } from "../../remote/wire/messages.ts";
import type { ChildServer } from "./_child_server.ts";
import {
  END_HEADERS,
  frameType,
  headerBlock,
  RawConnection,
  type RawFrame,
  streamHeaders,
} from "./_raw_http2.ts";

const open = writeRequest({
  case: "open",
  value: {
    protocolVersion: 1,
    segment: [writeSpec({ name: "PassThrough", type: "PassThrough", options: {} })],
  },
});

const begin = (stream: number): RawFrame => ({
  type: frameType.headers,
  flags: END_HEADERS,
  stream,
  payload: streamHeaders,
});

function messageOf(value: unknown): Uint8Array {
  const writer = new BatchWriter();
  writer.add(value);
  return writer.finish(1).message;
}

/** Does something until the server closes the connection, or often enough. */
async function flood(times: number, send: () => Promise<void>): Promise<string> {
  for (let count = 0; count < times; count++) {
    try {
      await send();
    } catch {
      return `closed by the server after ${count} of ${times}`;
    }
  }
  return `${times} taken`;
}

/** Sends until nothing is taken any more. */
async function sendUntilHeld(send: () => Promise<void>, bytes: number): Promise<string> {
  for (let sent = 0; sent < 400e6; sent += bytes) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const held = new Promise<true>((resolve) => timer = setTimeout(resolve, 1_000, true));
    const isHeld = await Promise.race([send(), held]);
    clearTimeout(timer);
    if (isHeld) return `held back after ${(sent / 1e6).toFixed(0)} MB`;
  }
  assert.fail("the server takes everything");
}

/** What clients that mean harm do to a server; each tells how it went. */
export const attacks: Record<string, (server: ChildServer) => Promise<string>> = {
  async "never reads"({ port }) {
    using connection = await RawConnection.open(port, { window: 0 });
    await connection.send(begin(1));
    await connection.sendMessage(1, open);
    const message = messageOf(new Uint8Array(250_000));
    return await sendUntilHeld(() => connection.sendMessage(1, message), message.length);
  },
  async "sends to a node that takes nothing"({ port }) {
    using connection = await RawConnection.open(port);
    await connection.send(begin(1));
    const segment = [writeSpec({ name: "Waits", type: "Waits", options: {} })];
    await connection.sendMessage(
      1,
      writeRequest({ case: "open", value: { protocolVersion: 1, segment } }),
    );
    const message = messageOf(Array.from({ length: 200_000 }, () => ({}))); // many times larger when read
    return await sendUntilHeld(() => connection.sendMessage(1, message), message.length);
  },
  async "never half-closes"({ port }) {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const same = (bytes: Uint8Array) => Buffer.from(bytes);
    const codes = await Promise.all(Array.from({ length: 50 }, () => {
      const path = "/remotemedia.v1.ExecutionService/Stream";
      const call = client.makeBidiStreamRequest<Uint8Array, Uint8Array>(path, same, same);
      call.on("error", () => {});
      call.resume();
      call.write(open);
      call.write(writeRequest({ case: "finish", value: {} }));
      return new Promise<status>((resolve) => call.on("status", ({ code }) => resolve(code)));
    }));
    client.close();
    assert.deepEqual([...new Set(codes)], [status.OK]);
    return "ended all the same, with OK";
  },
  async "opens 10000 streams on one connection"({ port }) {
    using connection = await RawConnection.open(port);
    let stream = -1;
    return await flood(100, () => {
      return connection.send(...Array.from({ length: 100 }, () => begin(stream += 2)));
    });
  },
  async "opens 10000 streams on 1000 connections"({ port }) {
    const connections: RawConnection[] = [];
    const told = await flood(1_000, async () => {
      const connection = await RawConnection.open(port);
      connections.push(connection);
      await connection.send(...Array.from({ length: 10 }, (_, index) => begin(1 + 2 * index)));
    });
    for (const connection of connections) connection[Symbol.dispose]();
    return told;
  },
  async "announces a message of 4 GiB"({ port }) {
    using connection = await RawConnection.open(port);
    const payload = new Uint8Array([0, 0xff, 0xff, 0xff, 0xff]);
    await connection.send(begin(1), { type: frameType.data, stream: 1, payload });
    return await flood(2_000, () => connection.sendMessage(1, new Uint8Array(10)));
  },
  async "never ends its headers"({ port }) {
    const connections = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const connection = await RawConnection.open(port);
        await connection.send({ ...begin(1), flags: 0 });
        return connection;
      }),
    );
    for (const connection of connections) connection[Symbol.dispose]();
    return "100 of them waited";
  },
  async "floods CONTINUATION"({ port }) {
    using connection = await RawConnection.open(port);
    await connection.send({ ...begin(1), flags: 0 });
    return await flood(20_000, () => connection.send({ type: frameType.continuation, stream: 1 }));
  },
  async "sends headers without end"({ port }) {
    using connection = await RawConnection.open(port);
    await connection.send({ ...begin(1), flags: 0 });
    const payload = headerBlock(Array.from({ length: 100 }, () => ["x-more", "a".repeat(100)]));
    return await flood(5_000, () => {
      return connection.send({ type: frameType.continuation, stream: 1, payload });
    });
  },
  async "opens and resets streams rapidly"({ port }) {
    using connection = await RawConnection.open(port);
    let stream = -1;
    const payload = new Uint8Array([0, 0, 0, 8]);
    return await flood(200, () => {
      const frames = Array.from({ length: 50 }, () => {
        stream += 2;
        return [begin(stream), { type: frameType.reset, stream, payload }];
      });
      return connection.send(...frames.flat());
    });
  },
  async "floods PING and does not read"({ port }) {
    using connection = await RawConnection.open(port, { reads: false });
    const ping = { type: frameType.ping, payload: new Uint8Array(8) };
    return await flood(500, () => connection.send(...Array.from({ length: 1_000 }, () => ping)));
  },
  async "floods SETTINGS and does not read"({ port }) {
    using connection = await RawConnection.open(port, { reads: false });
    const settings = { type: frameType.settings };
    return await flood(500, () => {
      return connection.send(...Array.from({ length: 1_000 }, () => settings));
    });
  },
  async "sends noise"({ port }) {
    return await flood(100, async () => {
      using connection = await RawConnection.open(port);
      await connection.write(crypto.getRandomValues(new Uint8Array(10_000)));
    });
  },
};
