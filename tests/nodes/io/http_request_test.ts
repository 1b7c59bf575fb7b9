import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { type NodeConfig, Pipeline } from "../../../core/mod.ts";
import {
  HttpRequest,
  type HttpRequestOptions,
  type HttpResponse,
} from "../../../nodes/io/http_request.ts";
import { nodeContract } from "../../../testing/mod.ts";

type Handler = (request: Request) => Response | Promise<Response>;

/** A server of the test's own, on loopback. */
function serve(handler: Handler) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function request(
  chunks: unknown[],
  options: Partial<HttpRequestOptions> = {},
  config: NodeConfig = {},
): Promise<HttpResponse[]> {
  const node = new HttpRequest({ retryDelayMs: 1, ...options }, config);
  return Array.fromAsync(ReadableStream.from(chunks).pipeThrough(node));
}

const echo: Handler = async (request) =>
  Response.json({
    method: request.method,
    path: new URL(request.url).pathname,
    type: request.headers.get("content-type"),
    key: request.headers.get("x-key"),
    body: await request.text(),
  });

for (
  const index of nodeContract({ create: () => new HttpRequest(), inputs: () => [1, 2] }).keys()
) {
  const { name } = nodeContract({ create: () => new HttpRequest(), inputs: () => [1, 2] })[index]!;
  Deno.test(`HttpRequest ${name}`, async () => {
    await using server = serve((request) => new Response(new URL(request.url).pathname));
    const contract = nodeContract({
      create: (config) => new HttpRequest({}, config),
      inputs: () => ["a", "b", "c"].map((path) => `${server.url}/${path}`),
      compare: (actual: HttpResponse[], expected) =>
        deepEqual(actual.map(({ body }) => body), expected.map(({ body }) => body)),
    });
    await contract[index]!.run();
  });
}

Deno.test("HttpRequest refuses what is no http URL, method or count", () => {
  for (
    const [options, message] of [
      [{ url: "file:///etc/passwd" }, /"url".*http or https/],
      [{ method: "get" }, /"method".*capitals/],
      [{ retries: -1 }, /"retries"/],
    ] as const
  ) {
    try {
      new HttpRequest(options);
      ok(false);
    } catch (error) {
      ok(message.test((error as Error).message), `${error}`);
    }
  }
});

Deno.test("HttpRequest sends URLs and requests, text, bytes and JSON", async () => {
  await using server = serve(echo);
  const [get, post, bytes, text] = (await request([
    `${server.url}/a`,
    { url: `${server.url}/b`, body: { n: 1 }, headers: { "x-key": "own" } },
    { url: `${server.url}/c`, method: "PUT", body: new Uint8Array([104, 105]) },
    { url: `${server.url}/d`, body: "hi", headers: { "content-type": "text/csv" } },
  ], { headers: { "x-key": "all" } })).map(({ body }) => body);
  deepEqual(get, { method: "GET", path: "/a", type: null, key: "all", body: "" });
  const json = {
    method: "POST",
    path: "/b",
    type: "application/json",
    key: "own",
    body: '{"n":1}',
  };
  deepEqual(post, json);
  const octets = "application/octet-stream";
  deepEqual(bytes, { method: "PUT", path: "/c", type: octets, key: "all", body: "hi" });
  deepEqual(text, { method: "POST", path: "/d", type: "text/csv", key: "all", body: "hi" });
});

Deno.test("HttpRequest with a url sends each chunk there", async () => {
  await using server = serve(echo);
  const responses = await request([{ a: 1 }, "x"], { url: `${server.url}/hook` });
  deepEqual(responses.map(({ body }) => (body as { body: string }).body), ['{"a":1}', "x"]);
});

Deno.test("HttpRequest gives bodies by their type, or as asked", async () => {
  await using server = serve((request) => {
    const type = new URL(request.url).searchParams.get("type")!;
    return new Response("[1]", { headers: { "content-type": type } });
  });
  const body = async (type: string, as: HttpRequestOptions["as"]) =>
    (await request([`${server.url}?type=${type}`], { as }))[0]!.body;
  deepEqual(await body("application/problem%2Bjson;charset=utf-8", "auto"), [1]);
  equal(await body("text/html", "auto"), "[1]");
  deepEqual(await body("audio/wav", "auto"), new TextEncoder().encode("[1]"));
  deepEqual(await body("audio/wav", "json"), [1]);
  equal(await body("application/json", "text"), "[1]");
  equal(await body("application/json", "none"), undefined);
});

Deno.test("HttpRequest runs as many at once as its concurrency, and keeps the order", async () => {
  let [running, most] = [0, 0];
  await using server = serve(async (request) => {
    most = Math.max(most, ++running);
    const path = new URL(request.url).pathname.slice(1);
    await new Promise((resolve) => setTimeout(resolve, path === "0" ? 60 : 15));
    running--;
    return new Response(path);
  });
  const urls = Array.from({ length: 9 }, (_, index) => `${server.url}/${index}`);
  const responses = await request(urls, { as: "text" }, { concurrency: 3 });
  equal(responses.map(({ body }) => body).join(""), "012345678");
  equal(most, 3);
});

Deno.test("HttpRequest tries again what may pass, and waits as the server asks", async () => {
  const calls = new Map<string, number>();
  await using server = serve((request) => {
    const path = new URL(request.url).pathname;
    const count = (calls.get(path) ?? 0) + 1;
    calls.set(path, count);
    if (count < 3) {
      const headers: HeadersInit = count === 1 && path === "/asks" ? { "retry-after": "1" } : {};
      return new Response("busy", { status: path === "/post429" ? 429 : 503, headers });
    }
    return new Response("done");
  });
  equal((await request([`${server.url}/get`]))[0]!.body, "done");
  equal((await request([{ url: `${server.url}/post429`, body: 1 }]))[0]!.body, "done");
  const start = performance.now();
  await request([`${server.url}/asks`]);
  ok(performance.now() - start >= 900);
  await rejects(
    request([{ url: `${server.url}/post`, body: 1 }]),
    /Cannot POST .*\/post as the status is 503/,
  );
  equal(calls.get("/post"), 1);
  await rejects(
    request([`${server.url}/once`], { retries: 1 }),
    /after 2 tries as the status is 503/,
  );
});

Deno.test("HttpRequest tells of a status, or gives it as a response", async () => {
  await using server = serve(() => new Response("no such thing", { status: 404 }));
  await rejects(
    request([server.url]),
    /Node "HttpRequest" failed on chunk 0: Cannot GET http:.* as the status is 404$/,
  );
  const [response] = await request([server.url], { failOnStatus: false, as: "json" });
  equal(response!.status, 404);
  equal(response!.body, "no such thing");
});

Deno.test("HttpRequest gives up on a server that is silent, slow to its end, or gone", async () => {
  const held: PromiseWithResolvers<void> = Promise.withResolvers();
  await using server = serve(async (request) => {
    if (request.url.endsWith("/slow")) {
      return new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array(1)),
          cancel: () => held.resolve(),
        }),
      );
    }
    await held.promise;
    return new Response("late");
  });
  const options = { timeoutMs: 50, retries: 0 };
  await rejects(
    request([`${server.url}/x`], { timeoutMs: 50, retries: 1 }),
    /after 2 tries as no answer/,
  );
  await rejects(request([`${server.url}/slow`], options), /as no answer came within 50 ms/);
  held.resolve();
  const gone = serve(() => new Response());
  await gone[Symbol.asyncDispose]();
  await rejects(request([gone.url], { retries: 1 }), /Cannot GET .* after 2 tries as /);
});

Deno.test("HttpRequest bounds what it reads, and does not try again for that", async () => {
  let calls = 0;
  await using server = serve(() => {
    calls++;
    return new Response("x".repeat(1000));
  });
  await rejects(
    request([server.url], { maxBytes: 999 }),
    /as its body is longer than the 999 bytes/,
  );
  equal(calls, 1);
  await rejects(request([server.url], { as: "json" }), /Cannot GET .* as Unexpected token/);
  equal((await request([server.url], { maxBytes: 1000 }))[0]!.status, 200);
});

Deno.test("HttpRequest refuses chunks that are no request", async () => {
  await rejects(
    request([5]),
    /HttpRequest takes a URL, or an object with a url: it was given a number/,
  );
  await rejects(request(["file:///etc/passwd"]), /takes http and https URLs: it was given "file:/);
  await rejects(request([{ url: "x" }]), /takes http and https URLs/);
});

Deno.test("HttpRequest ends requests under way at an interrupt, and goes on", async () => {
  const ended = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  await using server = serve(async (request) => {
    if (request.url.endsWith("/fast")) return new Response("fast");
    request.signal.addEventListener("abort", () => ended.resolve());
    started.resolve();
    await ended.promise;
    return new Response("slow");
  });
  const pipeline = new Pipeline([new HttpRequest()]);
  const output = Array.fromAsync(pipeline.readable);
  const writer = pipeline.writable.getWriter();
  writer.write(`${server.url}/slow`).catch(() => {});
  await started.promise;
  await pipeline.interrupt();
  await ended.promise;
  await writer.write(`${server.url}/fast`);
  await writer.close();
  deepEqual((await output as HttpResponse[]).map(({ body }) => body), ["fast"]);
});

Deno.test("HttpRequest goes by the status where the body of an error is not what it says to be", async () => {
  const bodies = ["", "<html>busy</html>", "x".repeat(100)];
  let count = 0;
  await using server = serve(() => {
    const body = bodies[count++];
    const headers = { "content-type": "application/json" };
    return body === undefined ? Response.json(1) : new Response(body, { status: 503, headers });
  });
  const [response] = await request([server.url], { retries: 3, maxBytes: 50 });
  deepEqual([response!.body, count], [1, 4]);
  count = 0;
  await rejects(request([server.url], { retries: 0 }), /as the status is 503/);
  const [told] = await request([server.url], { retries: 0, failOnStatus: false });
  deepEqual([told!.status, told!.body], [503, bodies[1]]);
});

Deno.test("HttpRequest sends bytes in any form, and gives headers that come several times", async () => {
  await using server = serve(async (request) => {
    const headers: [string, string][] = [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x", "y"]];
    return new Response(await request.arrayBuffer(), { headers });
  });
  const { buffer } = new Uint8Array([0, 1, 2, 3]);
  for (const body of [buffer, new DataView(buffer), new Uint16Array(buffer)]) {
    const [response] = await request([{ url: server.url, body }]);
    deepEqual(response!.body, new Uint8Array([0, 1, 2, 3]));
    deepEqual([response!.headers["set-cookie"], response!.headers["x"]], ["a=1, b=2", "y"]);
  }
});

Deno.test("HttpRequest takes methods in small letters for what they are", async () => {
  let count = 0;
  await using server = serve(({ method }) =>
    count++ === 0 ? new Response(null, { status: 503 }) : new Response(method)
  );
  const [response] = await request([{ url: server.url, method: "put" }]);
  deepEqual([response!.body, count], ["PUT", 2]);
  const [patched] = await request([{ url: server.url, method: "patch" }]);
  equal(patched!.body, "PATCH");
});
