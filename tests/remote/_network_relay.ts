/**
 * A link between two network devices that a test can make slow, lossy or dead: makes two TUN devices and
 * carries IP packets between them. It stands where `tc netem` would, which kernels for small virtual machines
 * leave out. Takes conditions as lines of JSON on stdin; ends with it, and the devices with that.
 *
 * @module
 */

/** How the link treats packets. */
export interface Conditions {
  /** How long a packet takes each way, in ms. */
  delayMs?: number;
  /** The share of packets that is lost. */
  loss?: number;
  /** Whether all are lost. */
  cut?: boolean;
}

/** The longest packet, and how many may be on their way in one direction: beyond, they are lost. */
const [MAX_PACKET, MAX_QUEUE] = [2_048, 10_000];

const [TUNSETIFF, IFF_TUN_NO_PI, O_RDWR] = [0x400454ca, 0x1001, 2];

const libc = Deno.dlopen("libc.so.6", {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
}).symbols;

let conditions: Conditions = {};

function openDevice(name: string): number {
  const fd = libc.open(new TextEncoder().encode("/dev/net/tun\0"), O_RDWR);
  const request = new Uint8Array(40);
  new TextEncoder().encodeInto(name, request);
  new DataView(request.buffer).setUint16(16, IFF_TUN_NO_PI, true);
  if (fd < 0 || libc.ioctl(fd, BigInt(TUNSETIFF), request) < 0) {
    throw new Error(`Cannot make device ${name}`);
  }
  return fd;
}

async function carry(from: number, to: number): Promise<void> {
  const queue: { at: number; packet: Uint8Array<ArrayBuffer> }[] = [];
  const deliver = () => {
    while (queue.length > 0 && queue[0]!.at <= performance.now()) {
      const { packet } = queue.shift()!;
      if (!conditions.cut) libc.write(to, packet, BigInt(packet.length));
    }
    if (queue.length > 0) setTimeout(deliver, Math.max(1, queue[0]!.at - performance.now()));
  };
  const buffer = new Uint8Array(MAX_PACKET);
  while (true) {
    const length = Number(await libc.read(from, buffer, BigInt(MAX_PACKET)));
    const { delayMs = 0, loss = 0, cut = false } = conditions;
    if (length <= 0) await new Promise((resolve) => setTimeout(resolve, 10)); // the device is not up
    else if (!cut && Math.random() >= loss && queue.length < MAX_QUEUE) {
      queue.push({ at: performance.now() + delayMs, packet: buffer.slice(0, length) });
      if (queue.length === 1) {
        if (delayMs > 0) setTimeout(deliver, delayMs);
        else deliver();
      }
    }
  }
}

if (import.meta.main) {
  const [near, far] = Deno.args.map(openDevice) as [number, number];
  void carry(near, far);
  void carry(far, near);
  console.log("ready");
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const text of lines) {
    for (const line of text.trim().split("\n")) {
      if (line !== "") conditions = JSON.parse(line);
    }
    console.log("done");
  }
  Deno.exit(0);
}
