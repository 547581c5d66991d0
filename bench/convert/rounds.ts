import { readFileSync } from 'node:fs';
import { type DocumentFiles, ensureDocument } from '../data/files.js';
import { toMedian } from '../measure/median.js';
import type { Options } from '../options.js';
import type { Source } from './conversion.js';
import { readFeatureType } from './engine.js';
import type { Job } from './job.js';
import { measure, type Setting } from './measure.js';
import type { Subject } from './subjects.js';
import { findDifference } from './verify.js';

/** What was measured of one subject on one kind of data. */
export interface Measured {
  readonly subject: Subject;
  readonly document: DocumentFiles;
  /** Of each run. */
  readonly seconds: number[];
  readonly coldSeconds: number[];
  /** In bytes, the document coming from its file. */
  peakMemory: number;
  /** Runs that had to share the processor, whatever was tried. */
  disturbed: number;
  /** Of our converter, where it says so. */
  variant: string | undefined;
  /** Why there is nothing, or nothing more. */
  fault: string | undefined;
}

export interface Campaign {
  readonly kind: string;
  readonly megabytes: number;
  readonly runs: number;
  readonly subjects: readonly Subject[];
  /** Peak memory and cold start as well. */
  readonly isThorough: boolean;
}

export const toSpeed = ({ document, seconds }: Measured): number => document.bytes / 1e6 / toMedian(seconds);
export const toFeatureRate = ({ document, seconds }: Measured): number =>
  document.features / toMedian(seconds);

/** Features compared first, then every subject once in each run, then memory; a subject that fails is out. */
export async function runCampaign(
  { kind, megabytes, runs, subjects, isThorough }: Campaign,
  { engines }: Options,
  tell: (progress: string) => void,
): Promise<readonly Measured[]> {
  const warmup = ensureDocument(kind, 1);
  const featureType = await readFeatureType(readFileSync(warmup.schema, 'utf8'), warmup.typeName);
  const source: Source = { featureType, swap: true };
  const toSetting = (document: DocumentFiles): Setting => ({ document, warmup, source, engines });
  const all = subjects.map((subject) => begin(subject, kind, megabytes));
  const readers = all.filter(({ subject }) => subject.group !== 'limit');
  const each = async (some: Measured[], step: string, act: (measured: Measured) => Promise<void>) => {
    for (const measured of some.filter(({ fault }) => fault === undefined)) {
      tell(`${kind}: ${step}, ${measured.subject.name}`);
      try {
        await act(measured);
      } catch (error) {
        measured.fault = (error as Error).message;
      }
    }
  };

  await each(readers, 'features compared', async (measured) => {
    const difference = await findDifference(measured.subject, toSetting(warmup));
    if (difference !== undefined) measured.fault = `other features: ${difference.slice(0, 200)}`;
  });
  for (let run = 1; run <= runs; run++) {
    await each(all, `run ${run} of ${runs}`, async (measured) => {
      measured.seconds.push(await time(measured, 'speed', toSetting(measured.document)));
    });
    await each(isThorough ? readers : [], `cold, run ${run} of ${runs}`, async (measured) => {
      measured.coldSeconds.push(await time(measured, 'cold', toSetting(warmup)));
    });
  }
  await each(isThorough ? all : [], 'memory', async (measured) => {
    const { peakMemory } = await measure(measured.subject, 'memory', toSetting(measured.document));
    measured.peakMemory = peakMemory;
  });
  return all;
}

function begin(subject: Subject, kind: string, megabytes: number): Measured {
  return {
    subject,
    document: ensureDocument(kind, Math.min(megabytes, subject.maxMegabytes ?? megabytes)),
    seconds: [],
    coldSeconds: [],
    peakMemory: Number.NaN,
    disturbed: 0,
    variant: undefined,
    fault: undefined,
  };
}

const TRIES = 2;
/** The share of its time a process may wait for a processor. */
export const MOST_WAITED = 0.1;

/**
 * The time of a run. One that was kept waiting is made again, once; then the one that waited least counts, since
 * other work also empties the caches.
 * @throws Error where features were lost
 */
async function time(measured: Measured, mode: Job['mode'], setting: Setting): Promise<number> {
  let best = { seconds: Number.NaN, waited: Number.POSITIVE_INFINITY };
  for (let tries = 0; tries < TRIES && best.waited > MOST_WAITED; tries++) {
    const { features, variant, ...timed } = await measure(measured.subject, mode, setting);
    measured.variant = variant;
    const { group } = measured.subject;
    if (group !== 'limit' && features !== setting.document.features)
      throw new Error(`${features} features, not ${setting.document.features}`);
    if (timed.waited < best.waited) best = timed;
  }
  if (best.waited > MOST_WAITED) measured.disturbed++;
  return best.seconds;
}
