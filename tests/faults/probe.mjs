// Loaded into the service before its own code (NODE_OPTIONS=--import): on SIGUSR2 it writes what is left in the process to
// standard error, after a collection. Plain JavaScript: Node loads this file as it is.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', async () => {
  // what a collection has made unreachable for finalizers goes with a later one
  for (let round = 0; round < 4; round += 1) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  const { heapUsed, external, rss } = process.memoryUsage();
  process.stderr.write(`left: ${JSON.stringify({ heapUsed, external, rss, resources })}\n`);
});
