// npm run bench: see options.ts, or --help.
import { runConverters } from './convert/part.js';
import { runCrs } from './crs/part.js';
import { runMemory } from './http/memory-part.js';
import { runSmall } from './http/small-part.js';
import { runTransfers } from './http/transfers-part.js';
import { runWorkers } from './http/workers-part.js';
import { describeMachine } from './machine.js';
import { type Options, type Part, readOptions } from './options.js';
import { installPeers } from './peers.js';
import { toDemandTable, toMarkdown, toSectionText } from './report/markdown.js';
import { writeResults } from './report/results.js';
import type { Section } from './report/section.js';

type Tell = (progress: string) => void;

const PARTS: Readonly<Record<Part, (options: Options, tell: Tell) => Promise<Section>>> = {
  gml: runConverters,
  crs: runCrs,
  http: runTransfers,
  memory: runMemory,
  small: runSmall,
  workers: runWorkers,
};

const tell: Tell = (progress) => {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${progress}` : `${progress}\n`);
};

async function main(options: Options): Promise<void> {
  const machine = describeMachine(options.note);
  await installPeers(tell);
  const sections: Section[] = [];
  for (const part of options.parts) {
    const section = await PARTS[part](options, tell);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
    console.log(`\n${toSectionText(section)}\n`);
    sections.push(section);
  }
  console.log(toMarkdown(toDemandTable(sections.flatMap(({ demands }) => demands))));
  console.log(`\nwritten to ${writeResults(machine, sections, options.isQuoted)}`);
}

const options = readOptions(process.argv.slice(2));
if (typeof options === 'string') {
  console.error(options);
  process.exitCode = process.argv.includes('--help') || process.argv.includes('-h') ? 0 : 64;
} else {
  await main(options);
}
