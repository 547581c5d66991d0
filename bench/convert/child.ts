// A process that measures one reader on one document: node child.js JOB, prints an Outcome as JSON.
import { closeSync, createReadStream, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { CHUNK, type Open, type Sink } from './conversion.js';
import type { Job, Outcome } from './job.js';
import { type Subject, toSubjects } from './subjects.js';

const WARM_MS = 500;
const WARM_PASSES = 3;
const LEAST_MS = 400;

let consumed = 0;
/** Every byte counts, and each batch is looked into, so that none is made in vain. */
const consume: Sink = (features) => {
  consumed += features.length + (features[features.length - 1] as number) / 256;
};

function convert(open: Open, document: Uint8Array, sink: Sink): number {
  const conversion = open(sink);
  for (let at = 0; at < document.length; at += CHUNK) conversion.push(document.subarray(at, at + CHUNK));
  return conversion.end();
}

/** The document from the file, never all of it in memory at once. */
function convertFile(open: Open, file: string, sink: Sink): number {
  const conversion = open(sink);
  const input = openSync(file, 'r');
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    const length = readSync(input, chunk);
    if (length === 0) break;
    conversion.push(chunk.subarray(0, length));
  }
  closeSync(input);
  return conversion.end();
}

/** Warm: the small document over and over, until the compiler has seen enough of it. */
function warmUp(open: Open, document: Uint8Array): void {
  const start = performance.now();
  for (let pass = 0; pass < WARM_PASSES || performance.now() - start < WARM_MS; pass++)
    convert(open, document, consume);
}

/** The median of as many passes as it takes to be sure of the clock; of a large document, that is one. */
function timePasses(open: Open, document: Uint8Array): Pick<Outcome, 'seconds' | 'features'> {
  const times: number[] = [];
  let features = 0;
  const start = performance.now();
  do {
    const from = performance.now();
    features = convert(open, document, consume);
    times.push((performance.now() - from) / 1000);
  } while (performance.now() - start < LEAST_MS);
  times.sort((one, other) => one - other);
  return { seconds: times[times.length >> 1] as number, features };
}

function writeFeatures(open: Open, job: Job): number {
  const output = openSync(job.output as string, 'w');
  let separator = '[';
  const count = convert(open, readFileSync(job.input), (features) => {
    writeSync(output, separator);
    writeSync(output, features);
    separator = ',';
  });
  writeSync(output, separator === '[' ? '[]' : ']');
  closeSync(output);
  return count;
}

async function timePipe(file: string): Promise<number> {
  const server = createServer((socket) => void pipeline(createReadStream(file), socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const from = performance.now();
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  for await (const chunk of socket) consume(chunk as Uint8Array);
  server.close();
  return (performance.now() - from) / 1000;
}

async function measure(job: Job, { load }: Subject): Promise<Pick<Outcome, 'seconds' | 'features'>> {
  if (load === undefined) return { seconds: await timePipe(job.input), features: 0 };
  if (job.mode === 'cold') {
    const document = readFileSync(job.input);
    const from = performance.now();
    const features = convert(await load(job.source), document, consume);
    return { seconds: (performance.now() - from) / 1000, features };
  }
  const open = await load(job.source);
  if (job.mode === 'features') return { seconds: 0, features: writeFeatures(open, job) };
  if (job.mode === 'memory') return { seconds: 0, features: convertFile(open, job.input, consume) };
  warmUp(open, readFileSync(job.warmup));
  return timePasses(open, readFileSync(job.input));
}

const job = JSON.parse(process.argv[2] ?? '') as Job;
const subject = toSubjects(job.engines).find(({ name }) => name === job.subject);
if (subject === undefined) throw new Error(`no such reader: ${job.subject}`);
const { seconds, features } = await measure(job, subject);
if (job.mode !== 'features' && consumed === 0) throw new Error(`${subject.name} made nothing`);
const peakMemory = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ seconds, features, peakMemory } satisfies Outcome));
