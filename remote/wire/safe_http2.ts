import { connect, type Http2Session } from "node:http2";
import { Duplex } from "node:stream";

/** Whether sessions are made safe already. */
let done = false;

/**
 * Makes HTTP/2 sessions safe against a fault of Deno 2.9 (denoland/deno#36788): a session without streams
 * that is told GOAWAY destroys itself while nghttp2 still reads that frame, and frees what nghttp2 then goes
 * on to use. That ends the whole process, of a server whose client leaves as of a client whose server ends.
 * Sessions are therefore destroyed a moment later, when nothing reads. To be called before sessions are made.
 */
export function makeHttp2Safe(): void {
  if (done) return;
  done = true;
  const nowhere = new Duplex({ read() {}, write: (_chunk, _encoding, written) => written() });
  const session = connect("http://localhost", { createConnection: () => nowhere });
  session.on("error", () => {}); // it never connects
  const base = Object.getPrototypeOf(Object.getPrototypeOf(session)) as Http2Session;
  session.destroy();
  const { destroy } = base;
  base.destroy = function (this: Http2Session, ...reason: Parameters<Http2Session["destroy"]>) {
    setImmediate(() => destroy.apply(this, reason));
  };
}
