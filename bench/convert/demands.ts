import { toMedian } from '../measure/median.js';
import { toCell, toFigure, toRatio } from '../report/figures.js';
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

const isSimd = ({ subject, variant }: Measured) =>
  /simd|wasm|webassembly/i.test(`${subject.name} ${variant ?? ''}`);

/** @param campaigns what was measured, kind by kind */
export function toDemands(campaigns: readonly (readonly Measured[])[]): Demand[] {
  return campaigns.flatMap((all) =>
    all
      .filter(({ subject }) => subject.group === 'ours')
      .flatMap((ours) =>
        ours.fault === undefined
          ? [...toRatioDemands(ours, all), ...toColdDemand(ours), ...toPointsDemand(ours, campaigns)]
          : [toFaultDemand(ours, ours.fault)],
      ),
  );
}

/** A converter that cannot do the work fails by that alone. */
function toFaultDemand({ subject, document }: Measured, fault: string): Demand {
  return {
    what: `${document.title}: ${subject.name} makes its features`,
    target: 'all',
    measured: toCell(fault),
    isMet: false,
  };
}

function toRatioDemands(ours: Measured, all: readonly Measured[]): Demand[] {
  const targets = TARGETS[isSimd(ours) ? 'simd' : 'typescript'];
  return [
    toRatioDemand(ours, all, 'sax', targets.sax, 'the fastest SAX parser'),
    toRatioDemand(ours, all, 'ogr', targets.ogr, 'ogr2ogr, schema cached'),
    toRatioDemand(ours, all, 'json', targets.json, 'JSON.parse + JSON.stringify, in features/s'),
  ].flat();
}

/** Against the fastest of a group; not met where none of those that were to be measured could be. */
function toRatioDemand(
  ours: Measured,
  all: readonly Measured[],
  group: Subject['group'],
  target: number,
  title: string,
): Demand[] {
  const peers = all.filter(({ subject }) => subject.group === group && subject.name !== 'ogr-guessing');
  if (peers.length === 0) return [];
  const [fastest] = peers
    .filter(({ fault }) => fault === undefined)
    .sort((one, other) => toFeatureRate(other) - toFeatureRate(one));
  const ratio = fastest === undefined ? Number.NaN : toFeatureRate(ours) / toFeatureRate(fastest);
  const name = group === 'sax' ? `${title} (${fastest?.subject.name ?? 'none'})` : title;
  return [
    {
      what: `${ours.document.title}: ${ours.subject.name} against ${name}`,
      target: `≥ ${target} ×`,
      measured: fastest === undefined ? 'not measured' : toRatio(ratio),
      isMet: ratio >= target,
    },
  ];
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
  if (polygons === undefined || polygons.fault !== undefined) return [];
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
