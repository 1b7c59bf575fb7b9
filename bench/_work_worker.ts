/** Does the work of `Work`, so often as it is told: a thread with nothing of the SDK's between. */
import { countPrimes } from "./_bench_nodes.ts";

const scope = globalThis as unknown as Worker;
scope.onmessage = ({ data: { times, below } }) => {
  for (let time = 0; time < times; time++) countPrimes(below);
  scope.postMessage("done");
};
