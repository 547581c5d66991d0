// A process that measures one reader on one document: node child.js JOB, prints an Outcome as JSON.
import { closeSync, createReadStream, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { toMedian } from '../measure/median.js';
import { readWaiting } from '../measure/waiting.js';
import { CHUNK, type Open, type Sink } from './conversion.js';
import type { Job, Outcome } from './job.js';
import { type Subject, toSubjects } from './subjects.js';

const WARM_MS = 500;
const WARM_PASSES = 3;
const LEAST_MS = 400;

let consumed = 0;
let variant: string | undefined;
/** Every byte counts, and each batch is looked into, so that none is made in vain. */
const consume: Sink = (features) => {
  consumed += features.length + (features[features.length - 1] as number) / 256;
};

function convert(open: Open, document: Uint8Array, sink: Sink): number {
  const conversion = open(sink);
  variant = conversion.variant;
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

/** Milliseconds of processor time, of all threads. */
function toProcessorTime(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** Warm: the small document over and over, until the compiler has seen enough of it. */
function warmUp(open: Open, document: Uint8Array): void {
  const start = process.cpuUsage();
  for (let pass = 0; pass < WARM_PASSES || toProcessorTime(start) < WARM_MS; pass++)
    convert(open, document, consume);
}

type Timed = Pick<Outcome, 'seconds' | 'features' | 'waited'>;

/** The median of as many passes as it takes to be sure of the clock; of a large document, that is one. */
async function timePasses(pass: () => number | Promise<number>, leastMs: number): Promise<Timed> {
  const times: number[] = [];
  let features = 0;
  const waitedBefore = readWaiting();
  const start = performance.now();
  do {
    const waited = readWaiting();
    const from = performance.now();
    features = await pass();
    times.push((performance.now() - from) / 1000 - (readWaiting() - waited));
  } while (performance.now() - start < leastMs);
  const waited = (readWaiting() - waitedBefore) / ((performance.now() - start) / 1000);
  return { seconds: toMedian(times), features, waited };
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

/** A file through a socket, by Node's own pipe. */
async function timePipe(file: string): Promise<Timed> {
  const server = createServer((socket) => void pipeline(createReadStream(file), socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const pass = async () => {
    for await (const chunk of connect(port, '127.0.0.1')) consume(chunk as Uint8Array);
    return 0;
  };
  await pass();
  const timed = await timePasses(pass, LEAST_MS);
  server.close();
  return timed;
}

const UNTIMED = { seconds: 0, waited: 0 };

async function measure(job: Job, { load }: Subject): Promise<Timed> {
  if (load === undefined) return timePipe(job.input);
  if (job.mode === 'cold') {
    const document = readFileSync(job.input);
    return timePasses(async () => convert(await load(job.source), document, consume), 0);
  }
  const open = await load(job.source);
  if (job.mode === 'features') return { ...UNTIMED, features: writeFeatures(open, job) };
  if (job.mode === 'memory') return { ...UNTIMED, features: convertFile(open, job.input, consume) };
  warmUp(open, readFileSync(job.warmup));
  const document = readFileSync(job.input);
  return timePasses(() => convert(open, document, consume), LEAST_MS);
}

const job = JSON.parse(process.argv[2] ?? '') as Job;
const subject = toSubjects(job.engines).find(({ name }) => name === job.subject);
if (subject === undefined) throw new Error(`no such reader: ${job.subject}`);
const timed = await measure(job, subject);
if (job.mode !== 'features' && consumed === 0) throw new Error(`${subject.name} made nothing`);
const peakMemory = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ ...timed, peakMemory, variant } satisfies Outcome));
