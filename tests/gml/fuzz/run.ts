import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compare, toCase } from './compare.js';

// npm run fuzz -- --count 1000000 --seed 1: documents of these seeds, one after the other, read by the converter (by each of
// its loops, and again by what was learnt) and by the slow reader. A difference is printed with its seed, to be seen again
// by --seed SEED --count 1 --keep FILE.
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    faults: { type: 'string', default: '10' },
    keep: { type: 'string' },
  },
});
const [count, first, most] = [values.count, values.seed, values.faults].map(Number) as [
  number,
  number,
  number,
];
console.log(`${count} documents from seed ${first}`);
const outcomes = { equal: 0, refused: 0, undecided: 0, different: 0 };
const begun = process.cpuUsage().user;
for (let seed = first; seed < first + count; seed++) {
  if (values.keep !== undefined) writeFileSync(values.keep, toCase(seed).bytes);
  try {
    outcomes[compare(seed)]++;
  } catch (error) {
    console.log(`seed ${seed}: ${(error as Error).stack?.slice(0, 1500)}\n`);
    if (++outcomes.different >= most) break;
  }
  if ((seed - first + 1) % 5_000 === 0) console.log(`up to seed ${seed}: ${JSON.stringify(outcomes)}`);
}
const seconds = (process.cpuUsage().user - begun) / 1e6;
console.log(`${JSON.stringify(outcomes)} in ${seconds.toFixed(0)} s of CPU`);
process.exitCode = outcomes.different > 0 ? 1 : 0;
