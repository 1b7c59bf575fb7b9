/** What a request to the service says. */
export interface ChatBody {
  model: string;
  messages: Record<string, unknown>[];
  stream: boolean;
  tools?: unknown[];
  tool_choice?: string;
  [field: string]: unknown;
}

/** Answers the n-th request. */
export type ChatAnswer = (
  body: ChatBody,
  index: number,
) => Response | Promise<Response>;

/** A service of the test's own, on loopback, that speaks the protocol. */
export function chatServer(answer: ChatAnswer): ChatServer {
  const bodies: ChatBody[] = [];
  const keys: (string | null)[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const body: ChatBody = await request.json();
      bodies.push(body);
      keys.push(request.headers.get("authorization"));
      return await answer(body, bodies.length - 1);
    },
  );
  return {
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    bodies,
    keys,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A running service. */
export interface ChatServer extends AsyncDisposable {
  baseUrl: string;
  bodies: ChatBody[];
  keys: (string | null)[];
}

/** An event with a piece of text. */
export const said = (content: string) => ({ choices: [{ index: 0, delta: { content } }] });

/** The last events of a reply. */
export function ends(reason = "stop", tokens: [number, number] = [7, 3]): unknown[] {
  return [
    { choices: [{ index: 0, delta: {}, finish_reason: reason }] },
    { choices: [], usage: { prompt_tokens: tokens[0], completion_tokens: tokens[1] } },
  ];
}

/** A piece of a call of a tool. */
export function calls(index: number, piece: { id?: string; name?: string; arguments?: string }) {
  const { id, ...of } = piece;
  const call = { index, ...(id === undefined ? {} : { id, type: "function" }), function: of };
  return { choices: [{ index: 0, delta: { tool_calls: [call] } }] };
}

/** Events as bytes of a stream. */
export function eventBytes(events: readonly unknown[]): Uint8Array {
  const lines = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  return new TextEncoder().encode(`: hello\n\n${lines}data: [DONE]\n\n`);
}

/** A response of these events, cut into pieces of `size` bytes. */
export function streamed(events: readonly unknown[], size = Infinity): Response {
  const bytes = eventBytes(events);
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += size) {
      yield bytes.subarray(at, at + size);
      await Promise.resolve();
    }
  }
  return eventStream(ReadableStream.from(pieces()));
}

/** A response that streams events. */
export function eventStream(body: ReadableStream<Uint8Array> | string): Response {
  return new Response(body as BodyInit, {
    headers: { "content-type": "text/event-stream; charset=utf-8" },
  });
}

/** A response that says these pieces, then nothing more, and does not end. @param onClosed when nobody hears it */
export function stalled(pieces: readonly string[], onClosed: () => void = () => {}): Response {
  const encoder = new TextEncoder();
  return eventStream(
    new ReadableStream({
      start(controller) {
        for (const piece of pieces) {
          controller.enqueue(encoder.encode(`data: ${JSON.stringify(said(piece))}\n\n`));
        }
      },
      cancel: onClosed,
    }),
  );
}
