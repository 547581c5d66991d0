import { toMedian } from '../measure/median.js';
import { toFigure, toRatio } from '../report/figures.js';
import type { Demand } from '../report/section.js';
import { type Measured, toFeatureRate, toSpeed } from './rounds.js';
import type { Subject } from './subjects.js';

/** How many times faster each variant of the converter has to be. */
const TARGETS = {
  typescript: { sax: 6, ogr: 15, json: 6 },
  simd: { sax: 14, ogr: 40, json: 13 },
} as const;

const POINTS_SHARE = 0.6;
const COLD_MS = 60;

const isOurs = ({ subject, fault }: Measured) => subject.group === 'ours' && fault === undefined;
const isSimd = ({ subject, variant }: Measured) =>
  /simd|wasm|webassembly/i.test(`${subject.name} ${variant ?? ''}`);

/** @param campaigns what was measured, kind by kind, all of the made kinds first */
export function toDemands(campaigns: readonly (readonly Measured[])[]): Demand[] {
  return campaigns.flatMap((all) =>
    all
      .filter(isOurs)
      .flatMap((ours) => [
        ...toRatioDemands(ours, all),
        ...toColdDemand(ours),
        ...toPointsDemand(ours, campaigns),
      ]),
  );
}

function toRatioDemands(ours: Measured, all: readonly Measured[]): Demand[] {
  const targets = TARGETS[isSimd(ours) ? 'simd' : 'typescript'];
  const demands: [Subject['group'], number, string][] = [
    ['sax', targets.sax, 'the fastest SAX parser'],
    ['ogr', targets.ogr, 'ogr2ogr, schema cached'],
    ['json', targets.json, 'JSON.parse + JSON.stringify, in features/s'],
  ];
  return demands.flatMap(([group, target, title]) => {
    const peer = all
      .filter((one) => one.subject.group === group && one.subject.name !== 'ogr-guessing')
      .filter(({ fault }) => fault === undefined)
      .sort((one, other) => toFeatureRate(other) - toFeatureRate(one))[0];
    if (peer === undefined) return [];
    const ratio = toFeatureRate(ours) / toFeatureRate(peer);
    const name = group === 'sax' ? `${title} (${peer.subject.name})` : title;
    return [
      {
        what: `${ours.document.title}: ${ours.subject.name} against ${name}`,
        target: `≥ ${target} ×`,
        measured: toRatio(ratio),
        isMet: ratio >= target,
      },
    ];
  });
}

function toColdDemand({ subject, document, coldSeconds }: Measured): Demand[] {
  if (coldSeconds.length === 0) return [];
  const cold = toMedian(coldSeconds) * 1000;
  return [
    {
      what: `${document.title}: ${subject.name}, the first MB of a cold process`,
      target: `≤ ${COLD_MS} ms`,
      measured: `${toFigure(cold)} ms`,
      isMet: cold <= COLD_MS,
    },
  ];
}

function toPointsDemand(ours: Measured, campaigns: readonly (readonly Measured[])[]): Demand[] {
  if (ours.document.kind !== 'points') return [];
  const polygons = campaigns
    .flat()
    .find(({ document, subject }) => document.kind === 'polygons' && subject.name === ours.subject.name);
  if (polygons === undefined || !isOurs(polygons)) return [];
  const share = toSpeed(ours) / toSpeed(polygons);
  return [
    {
      what: `${ours.subject.name}: MB/s on attribute-heavy points, of those on polygons`,
      target: `≥ ${POINTS_SHARE * 100} %`,
      measured: `${toFigure(share * 100)} %`,
      isMet: share >= POINTS_SHARE,
    },
  ];
}
