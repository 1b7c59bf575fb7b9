/** An event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** Its type; `message` where none was sent. */
  event: string;
  /** Its lines of data, joined. */
  data: string;
}

/**
 * Reads server-sent events (WHATWG HTML, section 9.2) from bytes that may be cut anywhere. Holds one event.
 *
 * @param maxLength of an event, in UTF-16 units
 * @throws {RangeError} if an event is longer
 */
export async function* serverSentEvents(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxLength: number,
): AsyncGenerator<ServerSentEvent, void> {
  let [rest, event, length] = ["", "", 0];
  let data: string[] = [];
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    rest += text;
    // a CR at the end may be the first half of CR LF
    for (let end; (end = /\r\n|\n|\r(?!$)/.exec(rest)) !== null;) {
      const line = rest.slice(0, end.index);
      rest = rest.slice(end.index + end[0].length);
      if (line === "") {
        if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
        [event, data, length] = ["", [], 0];
        continue;
      }
      const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
      if (name === "event") event = value;
      if (name === "data") data.push(value);
      length += line.length;
      checkLength(length, maxLength);
    }
    checkLength(length + rest.length, maxLength);
  }
}

function checkLength(length: number, maxLength: number): void {
  if (length > maxLength) throw new RangeError(`an event is longer than ${maxLength} characters`);
}
