import { create, toBinary } from "@bufbuild/protobuf";
import { Client, type ClientWritableStream, credentials, Metadata } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { type Bundle, createBundle } from "../../packaging/mod.ts";
import {
  BundleService,
  UploadRequestSchema,
} from "../../proto/gen/remotemedia/v1/bundle_service_pb.ts";
import { BundleUploads, toBuffer } from "../../remote/objects/bundle_uploads.ts";
import { RemoteExecutor } from "../../remote/mod.ts";
import { serve } from "../../remote/server/mod.ts";

/** More than are received at once. */
const MANY = 20;

async function bundles(count: number): Promise<Bundle[]> {
  const folder = await Deno.makeTempDir();
  try {
    return await Promise.all(Array.from({ length: count }, async (_, index) => {
      const path = `${folder}/m${index}.js`;
      await Deno.writeTextFile(path, `export const name = ${index};`);
      return await createBundle(`file://${path}`, { check: false });
    }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function clientOf(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure());
}

async function bring(some: readonly Bundle[], client: Client): Promise<void> {
  const server = { where: "the server", calls: () => ({ client, metadata: new Metadata() }) };
  await Promise.all(some.map((bundle) => new BundleUploads().bring([bundle], server)));
}

Deno.test("Server takes many uploads at once, each in its turn", async () => {
  await using server = await serve({ port: 0 });
  const client = clientOf(server.port);
  await bring(await bundles(MANY), client);
  client.close();
});

for (
  const [what, harm] of Object.entries({
    "has changed": (path: string) => {
      const bytes = Deno.readFileSync(path);
      bytes[1_000]! ^= 1;
      Deno.writeFileSync(path, bytes);
    },
    "is cut off": (path: string) => Deno.truncateSync(path, 100),
  })
) {
  Deno.test(`Server asks again for a bundle that ${what} on its disk`, async () => {
    const bundleDirectory = await Deno.makeTempDir();
    try {
      const url = new URL("./objects/_demo/busy.ts", import.meta.url);
      for (const round of [1, 2]) {
        await using server = await serve({ port: 0, userCode: { bundleDirectory } });
        await using executor = new RemoteExecutor({ port: server.port });
        await using module = await executor.import<typeof import("./objects/_demo/busy.ts")>(url);
        assert.equal(await module.lengthOf("abc"), 3);
        const [bundle] = [...Deno.readDirSync(bundleDirectory)].map(({ name }) => name);
        if (round === 1) harm(`${bundleDirectory}/${bundle}`);
      }
    } finally {
      await Deno.remove(bundleDirectory, { recursive: true });
    }
  });
}

Deno.test("Server ends uploads that stall, and those that wait behind them go on", async () => {
  await using server = await serve({ port: 0 });
  const client = clientOf(server.port);
  const { name, method: { upload } } = {
    name: BundleService.typeName,
    method: BundleService.method,
  };
  const ends: Promise<string>[] = [];
  for (let index = 0; index < MANY; index++) {
    ends.push(
      new Promise((resolve) => {
        const call: ClientWritableStream<Uint8Array> = client.makeClientStreamRequest(
          `/${name}/${upload.name}`,
          toBuffer,
          (bytes: Uint8Array) => bytes,
          new Metadata(),
          (error) => resolve(error?.details ?? "nothing"),
        );
        const part = { digest: "0".repeat(64), size: 1_000n, data: new Uint8Array(10) };
        call.write(toBinary(UploadRequestSchema, create(UploadRequestSchema, part)));
        if (index >= 8) call.cancel(); // while it waits: it must not keep its turn
      }),
    );
  }
  await bring(await bundles(3), client);
  const told = await Promise.all(ends);
  assert.equal(told.filter((end) => /come too slowly/.test(end)).length, 8, told.join());
  client.close();
});
