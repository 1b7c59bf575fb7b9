import assert from "node:assert/strict";
import { Marker, NodeError, Pipeline } from "../../../core/mod.ts";
import {
  type ChatMessage,
  LanguageModel,
  type LanguageModelInput,
  type Tool,
} from "../../../nodes/ml/language_model.ts";
import { nodeContract } from "../../../testing/mod.ts";
import { elsewhere } from "../data/_elsewhere.ts";
import {
  calls,
  chatServer,
  ends,
  eventBytes,
  eventStream,
  said,
  stalled,
  streamed,
} from "./_chat_server.ts";

type Output = string | ChatMessage | Marker;

function modelFor(
  baseUrl: string,
  options: Partial<LanguageModelInput> = {},
): LanguageModel {
  return new LanguageModel({ baseUrl, model: "small", retryDelayMs: 1, ...options });
}

function talk(model: LanguageModel, chunks: unknown[]): Promise<Output[]> {
  return Array.fromAsync(
    new Pipeline([model]).run(chunks) as ReadableStream<unknown>,
  ) as Promise<Output[]>;
}

async function fault(model: LanguageModel, chunk: unknown = "hi"): Promise<string> {
  try {
    await talk(model, [chunk]);
  } catch (error) {
    assert.ok(error instanceof NodeError, `${error}`);
    return (error.cause as Error).message;
  }
  throw new Error("it did not fail");
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const echo = () =>
  chatServer(({ messages }) => {
    const { content } = messages.at(-1)!;
    return streamed([said("You said: "), said(`${content}`), ...ends()]);
  });

for (
  const index of nodeContract({ create: () => modelFor("http://x"), inputs: () => ["a", "b"] })
    .keys()
) {
  const contractFor = (baseUrl: string) =>
    nodeContract({
      create: (config) => new LanguageModel({ baseUrl, model: "small" }, config),
      inputs: () => ["one", "two", "three"],
      executor: elsewhere([LanguageModel]),
    });
  Deno.test(`LanguageModel ${contractFor("http://x")[index]!.name}`, async () => {
    await using server = echo();
    await contractFor(server.baseUrl)[index]!.run();
  });
}
Deno.test("LanguageModel gives the same elsewhere as here", async () => {
  await using server = echo();
  const cases = nodeContract({
    create: (config) => new LanguageModel({ baseUrl: server.baseUrl, model: "small" }, config),
    inputs: () => ["one", "two", "three"],
    executor: elsewhere([LanguageModel]),
  });
  for (const { name, run } of cases) if (name.endsWith("(elsewhere)")) await run();
});

Deno.test("LanguageModel sends the conversation, and gives the reply as tokens, sentences or messages", async () => {
  await using server = chatServer(({ messages }) =>
    streamed([said("Hello "), said("there. I am "), said(`${messages.length}.`), ...ends()])
  );
  const options = { system: "Be brief.", temperature: 0.5, maxTokens: 9, parameters: { seed: 4 } };
  const model = modelFor(server.baseUrl, { ...options, usage: true });
  const usage = new Marker({ name: "usage", data: { promptTokens: 7, completionTokens: 3 } });
  assert.deepEqual(
    await talk(model, ["Hi", { text: "You", final: true }, { text: "x", final: false }]),
    [
      ...["Hello ", "there. I am ", "2.", usage],
      ...["Hello ", "there. I am ", "4.", usage],
    ],
  );
  assert.deepEqual(server.bodies[1], {
    seed: 4,
    model: "small",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello there. I am 2." },
      { role: "user", content: "You" },
    ],
    stream: true,
    stream_options: { include_usage: true },
    temperature: 0.5,
    max_tokens: 9,
  });
  assert.deepEqual(await talk(modelFor(server.baseUrl, { emit: "sentences" }), ["Hi"]), [
    "Hello there.",
    "I am 1.",
  ]);
  assert.deepEqual(await talk(modelFor(server.baseUrl, { emit: "messages" }), ["Hi"]), [
    { role: "assistant", content: "Hello there. I am 1." },
  ]);
});

Deno.test("LanguageModel reads a stream however it is cut, and a service that does not stream", async () => {
  const events = [said("é"), said("👩‍👩‍👧 \r\n"), said('"data: x"'), ...ends()];
  const whole = 'é👩‍👩‍👧 \r\n"data: x"';
  for (const size of [1, 2, 3, 7, 64, Infinity]) {
    await using server = chatServer(() => streamed(events, size));
    assert.equal((await talk(modelFor(server.baseUrl), ["hi"])).join(""), whole, `${size}`);
  }
  const text = new TextDecoder().decode(eventBytes(events));
  for (const end of ["\r\n", "\r"]) {
    await using server = chatServer(() => eventStream(text.replaceAll("\n", end)));
    assert.equal((await talk(modelFor(server.baseUrl), ["hi"])).join(""), whole);
  }
  await using server = chatServer(() =>
    Response.json({ choices: [{ message: { content: "whole" }, finish_reason: "stop" }] })
  );
  assert.deepEqual(await talk(modelFor(server.baseUrl), ["hi"]), ["whole"]);
});

const weather: Tool = {
  name: "weather",
  description: "The weather of a town",
  parameters: {
    type: "object",
    properties: { town: { type: "string" } },
    required: ["town"],
  },
  run: ({ town }) => Promise.resolve({ town, degrees: 21 }),
};

Deno.test("LanguageModel calls tools whose calls come in pieces, and feeds their results back", async () => {
  await using server = chatServer((_, index) =>
    index === 0
      ? streamed([
        said("Let me see. "),
        calls(0, { id: "c0", name: "weather", arguments: "" }),
        calls(0, { arguments: '{"to' }),
        calls(1, { id: "c1", name: "weather", arguments: '{"town":' }),
        calls(0, { arguments: 'wn":"Rome"}' }),
        calls(1, { arguments: "5}" }),
        calls(2, { id: "c2", name: "gone", arguments: "{}" }),
        calls(3, { id: "c3", name: "broken", arguments: "" }),
        calls(4, { id: "c4", name: "weather", arguments: "{" }),
        ...ends("tool_calls"),
      ])
      : streamed([said("21 in Rome."), ...ends()])
  );
  const broken: Tool = {
    name: "broken",
    run() {
      throw new Error("no power");
    },
  };
  const model = modelFor(server.baseUrl, { tools: [weather, broken], usage: true });
  const outputs = await talk(model, ["How warm is it in Rome?"]);
  assert.deepEqual(outputs.slice(0, 2), ["Let me see. ", "21 in Rome."]);
  assert.deepEqual((outputs[2] as Marker).data, { promptTokens: 14, completionTokens: 6 });
  const { messages, tools } = server.bodies[1]!;
  assert.deepEqual((tools as { function: unknown }[])[0]!.function, {
    name: "weather",
    description: "The weather of a town",
    parameters: weather.parameters,
  });
  assert.equal(messages[1]!.content, "Let me see. ");
  assert.deepEqual((messages[1]!.tool_calls as unknown[])[0], {
    id: "c0",
    type: "function",
    function: { name: "weather", arguments: '{"town":"Rome"}' },
  });
  assert.deepEqual(messages.slice(2).map(({ tool_call_id }) => tool_call_id), [
    ...["c0", "c1", "c2", "c3", "c4"],
  ]);
  const answers = messages.slice(2).map(({ content }) => content as string);
  assert.equal(answers[0], '{"town":"Rome","degrees":21}');
  for (
    const [index, words] of [
      /arguments are wrong: .*town must be string/,
      /there is no tool gone/,
      /no power/,
      /no JSON/,
    ]
      .entries()
  ) assert.match(answers[index + 1]!, words);
});

Deno.test("LanguageModel tells calls of tools apart by their names where the server does not count", async () => {
  const call = (town: string) => ({
    ...{ id: `id ${town}`, type: "function" },
    function: { name: "weather", arguments: JSON.stringify({ town }) },
  });
  const events = (index?: number) =>
    ["Rome", "Bonn"].map((town) => ({
      choices: [{ delta: { tool_calls: [{ ...call(town), ...(index === 0 && { index }) }] } }],
    }));
  for (const pieces of [events(), events(0)]) {
    await using server = chatServer((_, index) =>
      index === 0 ? streamed([...pieces, ...ends("tool_calls")]) : streamed([said("ok"), ...ends()])
    );
    await talk(modelFor(server.baseUrl, { tools: [weather] }), ["hi"]);
    assert.deepEqual(server.bodies[1]!.messages.slice(2).map(({ content }) => content), [
      '{"town":"Rome","degrees":21}',
      '{"town":"Bonn","degrees":21}',
    ]);
  }
});

Deno.test("LanguageModel waits as long as anything comes, calls of tools and thoughts too", async () => {
  async function* events() {
    const thought = { choices: [{ delta: { reasoning_content: "hm" } }] };
    for (let count = 0; count < 50; count++) {
      yield eventBytes([thought]).slice(0, -"data: [DONE]\n\n".length);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    yield eventBytes([said("done"), ...ends()]);
  }
  await using server = chatServer(() => eventStream(ReadableStream.from(events())));
  assert.deepEqual(await talk(modelFor(server.baseUrl, { timeoutMs: 1500 }), ["hi"]), ["done"]);
});

Deno.test("LanguageModel reads no more of a service that says too much", async () => {
  const piece = new Uint8Array(65_536).fill(32);
  for (const status of [200, 400]) {
    let sent = 0;
    await using server = chatServer(() =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += piece.length;
            if (sent > 2 ** 28) controller.close();
            else controller.enqueue(piece);
          },
        }),
        { status },
      )
    );
    assert.match(await fault(modelFor(server.baseUrl)), /longer than the \d+ bytes/);
    assert.ok(sent < 2 ** 26, `${sent}`);
  }
});

Deno.test("LanguageModel takes text that comes in parts", async () => {
  const content = [{ type: "thinking", thinking: [] }, { type: "text", text: "so" }];
  await using server = chatServer(() =>
    streamed([{ choices: [{ delta: { content } }] }, ...ends()])
  );
  assert.deepEqual(await talk(modelFor(server.baseUrl), ["hi"]), ["so"]);
});

Deno.test("LanguageModel bounds the rounds of tools, and how long a tool takes", async () => {
  await using server = chatServer(({ tool_choice }) =>
    tool_choice === "none" ? streamed([said("Enough."), ...ends()]) : streamed([
      calls(0, { id: "c", name: "weather", arguments: '{"town":"x"}' }),
      ...ends("tool_calls"),
    ])
  );
  const tools = [weather];
  assert.deepEqual(await talk(modelFor(server.baseUrl, { tools, maxToolRounds: 3 }), ["go"]), [
    "Enough.",
  ]);
  assert.equal(server.bodies.length, 4);

  await using stubborn = chatServer(({ messages }) =>
    messages.length > 50 ? streamed(ends()) : streamed([
      calls(0, { id: "c", name: "weather", arguments: '{"town":"x"}' }),
      ...ends("tool_calls"),
    ])
  );
  assert.match(
    await fault(modelFor(stubborn.baseUrl, { tools, maxToolRounds: 2 })),
    /asks for tools in more than 2 rounds/,
  );
  let wasAborted = false;
  const slow: Tool = {
    ...weather,
    run: (_, signal) =>
      new Promise(() => signal.addEventListener("abort", () => wasAborted = true)),
  };
  const model = modelFor(server.baseUrl, { tools: [slow], maxToolRounds: 1, toolTimeoutMs: 20 });
  await talk(model, ["go"]);
  assert.match(`${server.bodies.at(-1)!.messages.at(-1)!.content}`, /longer than 20 ms/);
  assert.ok(wasAborted);
});

Deno.test("LanguageModel ends the request at an interrupt, and keeps what had come as cut off", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = chatServer((_, index) => {
    if (index > 0) return streamed([said("Yes."), ...ends()]);
    return stalled(["Once upon ", "a time"], closed.resolve);
  });
  const model = modelFor(server.baseUrl);
  const pipeline = new Pipeline([model]);
  const chunks = new TransformStream<unknown>();
  const writer = chunks.writable.getWriter();
  const outputs: unknown[] = [];
  const done = (async () => {
    for await (const output of pipeline.run(chunks.readable)) outputs.push(output);
  })();
  void writer.write("Tell me a story");
  await until(() => outputs.length === 2);
  await pipeline.interrupt();
  await closed.promise; // the server saw it
  await writer.write("Stop?");
  await writer.close();
  await done;
  assert.deepEqual(outputs, ["Once upon ", "a time", "Yes."]);
  assert.deepEqual(model.history.slice(0, 3), [
    { role: "user", content: "Tell me a story" },
    { role: "assistant", content: "Once upon a time", cutOff: true },
    { role: "user", content: "Stop?" },
  ]);
  assert.deepEqual(server.bodies[1]!.messages[1], {
    role: "assistant",
    content: "Once upon a time [interrupted]",
  });
});

Deno.test("LanguageModel ends the request when nobody reads on", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = chatServer(() => {
    return stalled(["a", "b"], closed.resolve);
  });
  const reader = (new Pipeline([modelFor(server.baseUrl)]).run(["hi"]) as ReadableStream<unknown>)
    .getReader();
  assert.equal((await reader.read()).value, "a");
  await reader.cancel();
  await closed.promise;
});

Deno.test("LanguageModel tries again until a reply begins, and waits as the server asks", async () => {
  for (const status of [429, 503, 500]) {
    await using server = chatServer((_, index) =>
      index < 2
        ? new Response("busy", { status, headers: index === 0 ? { "retry-after": "1" } : {} })
        : streamed([said("ok"), ...ends()])
    );
    const start = performance.now();
    assert.deepEqual(await talk(modelFor(server.baseUrl), ["hi"]), ["ok"]);
    assert.ok(performance.now() - start >= 950);
    assert.equal(server.bodies.length, 3);
    assert.equal(server.bodies[2]!.messages.length, 1);
  }
});

Deno.test("LanguageModel fails with the server's own words", async () => {
  const error = { error: { message: "The key is not valid", type: "auth" } };
  const cases: [() => Response, RegExp, number][] = [
    [
      () => Response.json(error, { status: 401 }),
      /reply from http.*The key is not valid \(status 401\)/,
      1,
    ],
    [() => new Response("no", { status: 503 }), /after 2 tries, no \(status 503\)/, 2],
    [() => Response.json({ error: "no such model" }, { status: 404 }), /no such model/, 1],
    [() => streamed([said("a"), error]), /The key is not valid/, 1],
    [() => eventStream('event: error\ndata: {"message":"overloaded"}\n\n'), /overloaded/, 1],
    [() => eventStream("data: {nonsense\n\n"), /is no JSON: \{nonsense/, 1],
    [
      () => eventStream(`data: ${JSON.stringify(said("a"))}\n\n`),
      /ended before the reply was complete/,
      1,
    ],
    [() => eventStream(`data: ${"x".repeat(2_000_000)}`), /longer than 1048576/, 1],
    [() => stalled(["a"]), /nothing came for 100 ms/, 1],
    [() => streamed([calls(999_999_999, { id: "x" }), ...ends()]), /128 are the most/, 1],
  ];
  for (const [answer, message, requests] of cases) {
    await using server = chatServer(answer);
    const model = modelFor(server.baseUrl, { retries: 1, timeoutMs: 100 });
    assert.match(await fault(model), message);
    assert.equal(server.bodies.length, requests);
  }
  assert.match(await fault(modelFor("http://127.0.0.1:9/v1", { retries: 0 })), /127\.0\.0\.1:9/);
  assert.match(
    await fault(modelFor("http://x"), 5),
    /LanguageModel takes a text or a message.*a number/,
  );
});

Deno.test("LanguageModel drops the oldest turns whole, tools and all", async () => {
  await using server = chatServer(({ messages }) =>
    messages.at(-1)!.role === "user" && messages.at(-1)!.content === "2"
      ? streamed([
        calls(0, { id: "c", name: "weather", arguments: '{"town":"x"}' }),
        ...ends("tool_calls"),
      ])
      : streamed([said("ok"), ...ends()])
  );
  const model = modelFor(server.baseUrl, { tools: [weather], maxMessages: 5 });
  await talk(model, ["1", "2", "3"]);
  assert.deepEqual(server.bodies.map(({ messages }) => messages.map(({ role }) => role)), [
    ["user"],
    ["user", "assistant", "user"],
    ["user", "assistant", "user", "assistant", "tool"],
    ["user", "assistant", "tool", "assistant", "user"],
  ]);
  const brief = modelFor(server.baseUrl, { maxCharacters: 9 });
  await talk(brief, ["12345", "67890", "a".repeat(50)]);
  assert.deepEqual(brief.history.map(({ role }) => role), ["user", "assistant"]);
});

Deno.test("LanguageModel takes its key from the environment, and tells nobody", async () => {
  await using server = echo();
  const { baseUrl } = server;
  Deno.env.set("TEST_CHAT_KEY", "very-secret");
  try {
    const named = modelFor(baseUrl, { apiKey: "${TEST_CHAT_KEY}" });
    await talk(named, ["hi"]);
    assert.equal(named.toSpec().options["apiKey"], "${TEST_CHAT_KEY}");
    const written = modelFor(baseUrl, { apiKey: "also-secret" });
    await talk(written, ["hi"]);
    for (const model of [named, written]) {
      const shown = Deno.inspect(model, { depth: 9 }) + JSON.stringify(model.toSpec());
      assert.ok(!/(very|also)-secret/.test(shown), shown);
    }
    assert.deepEqual(server.keys, ["Bearer very-secret", "Bearer also-secret"]);
  } finally {
    Deno.env.delete("TEST_CHAT_KEY");
  }
  assert.match(
    await fault(modelFor(baseUrl, { apiKey: "${TEST_CHAT_KEY}" })),
    /must have the variable TEST_CHAT_KEY/,
  );
});

Deno.test("LanguageModel refuses wrong options by name", () => {
  const base = { baseUrl: "http://x", model: "m" };
  for (
    const [options, message] of [
      [{}, /"baseUrl"/],
      [{ ...base, baseUrl: "ftp://x" }, /"baseUrl".*http/],
      [{ ...base, model: "" }, /"model"/],
      [{ ...base, tools: [{ name: "a b", run() {} }] }, /"tools\.0\.name"/],
      [{ ...base, tools: [{ name: "a", run: 5 }] }, /"tools\.0\.run".*function/],
      [{ ...base, tools: [weather, weather] }, /name of its own.*weather/],
      [{ ...base, tools: [{ ...weather, parameters: { type: "wrong" } }] }, /JSON Schema/],
      [{ ...base, emit: "letters" }, /"emit"/],
    ] as const
  ) assert.throws(() => new LanguageModel(options as never), message);
});
