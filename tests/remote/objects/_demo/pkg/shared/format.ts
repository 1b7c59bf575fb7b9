import { separator } from "../../separator.ts";

export function format(name: string, ...args: number[]): string {
  return `${name}(${args.join(separator)})`;
}
