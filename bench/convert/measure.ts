import type { DocumentFiles } from '../data/files.js';
import { run, toModule } from '../measure/process.js';
import type { Source } from './conversion.js';
import type { Engine } from './engine.js';
import type { Job, Outcome } from './job.js';
import { runOgr } from './ogr.js';
import type { Subject } from './subjects.js';

/** Measures one subject on one document, in a new process. @throws Error with the reason why it could not be */
export async function measure(
  subject: Subject,
  mode: Job['mode'],
  { document, warmup, source, engines }: Setting,
  output?: string,
): Promise<Outcome> {
  if (subject.group === 'ogr') {
    const isCached = subject.name === 'ogr-cached';
    return { features: document.features, ...(await runOgr(document, isCached, output)) };
  }
  const job: Job = {
    engines,
    subject: subject.name,
    mode,
    input: subject.reads === 'gml' ? document.gml : document.geojson,
    warmup: subject.reads === 'gml' ? warmup.gml : warmup.geojson,
    source,
    ...(output !== undefined && { output }),
  };
  const text = await run(process.execPath, [toModule('convert/child'), JSON.stringify(job)]);
  return JSON.parse(text) as Outcome;
}

export interface Setting {
  readonly document: DocumentFiles;
  readonly warmup: DocumentFiles;
  readonly source: Source;
  readonly engines: readonly Engine[];
}
