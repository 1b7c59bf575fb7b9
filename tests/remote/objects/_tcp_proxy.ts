/** Passes connections on to a port of this machine, until they are cut. */
export class TcpProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #done: Promise<void>;

  /** @param target the port to pass connections on to */
  constructor(target: number) {
    this.#done = this.#accept(target);
  }

  /** The port to connect to. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Breaks all connections there are. */
  cut(): void {
    for (const connection of this.#connections) close(connection);
    this.#connections.clear();
  }

  /** Breaks all connections and takes no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#done;
  }

  async #accept(target: number): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: target });
      for (const [from, to] of [[client, server], [server, client]] as const) {
        this.#connections.add(from);
        from.readable.pipeTo(to.writable).catch(() => {}); // it was cut
      }
    }
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // its stream closed it
  }
}
