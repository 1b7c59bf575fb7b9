/**
 * What may be on its way in one connection, in bytes: the flow-control window of it and of each of its streams,
 * at either end. With the 64 KiB of HTTP/2 a large frame waits 16 times for the other end to say that it goes
 * on, and over a line of 100 ms not more than 640 kB come in a second; with this it is 10 MB.
 */
export const FLOW_CONTROL_WINDOW: number = 2 ** 20;
