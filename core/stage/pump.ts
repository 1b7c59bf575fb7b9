import { EMPTY, END, type Inlet, type Outlet } from "./ends.ts";

/** Writes what an inlet has to a stream, as fast as it takes it. Gives what tells of more. */
export function pumpIn(inlet: Inlet, writable: WritableStream<unknown>): () => void {
  const writer = writable.getWriter();
  writer.closed.catch(() => {}); // its stream's other end is told
  let isBusy = false;
  const pump = async () => {
    while (true) {
      if (writer.desiredSize! <= 0) {
        await writer.ready;
        continue; // what waits may have been dropped meanwhile
      }
      const chunk = inlet.take();
      if (chunk === EMPTY) break;
      if (chunk === END) return await writer.close();
      writer.write(chunk).catch(() => {}); // as above
    }
    isBusy = false;
  };
  return () => {
    if (isBusy) return;
    isBusy = true;
    void pump().catch(() => {}); // as above
  };
}

/** Gives what comes out of a stream to an outlet while it wants it. Gives what tells that it does. */
export function pumpOut(readable: ReadableStream<unknown>, outlet: Outlet): () => void {
  const reader = readable.getReader();
  let isBusy = false;
  const pump = async () => {
    try {
      for (let isWanted = true; isWanted;) {
        const { done, value } = await reader.read();
        if (done) return outlet.close();
        isWanted = outlet.enqueue(value) === true;
      }
      isBusy = false;
    } catch (error) {
      outlet.error(error);
      reader.cancel(error).catch(() => {}); // it had failed, or the outlet tells
    }
  };
  return () => {
    if (isBusy) return;
    isBusy = true;
    void pump();
  };
}
