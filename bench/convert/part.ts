import { apiCartoPackages } from '../http/servers.js';
import { toMedian } from '../measure/median.js';
import type { Options } from '../options.js';
import { readPeerVersions } from '../peers.js';
import { toCell, toFigure, toMegabytes, toRatio } from '../report/figures.js';
import type { Section, Table } from '../report/section.js';
import { toDemands } from './demands.js';
import { readOgrVersion } from './ogr.js';
import { type Campaign, type Measured, MOST_WAITED, runCampaign, toFeatureRate, toSpeed } from './rounds.js';
import { type Subject, toSubjects } from './subjects.js';

const MADE = ['polygons', 'mapserver', 'points'];
const CAPTURED = ['mapserver-commune', 'qgis-commune', 'qgis-troncon', 'mapserver-adresse'];
const CAPTURE_MEGABYTES = 10;

/** Converters beside each other, kind of data by kind of data. */
export async function runConverters(options: Options, tell: (progress: string) => void): Promise<Section> {
  const campaigns: Measured[][] = [];
  for (const campaign of toCampaigns(options))
    campaigns.push([...(await runCampaign(campaign, options, tell))]);
  const tables = campaigns.map((measured) => toTable(measured));
  return {
    title: 'GML to GeoJSON',
    notes: toNotes(options, campaigns),
    tables,
    demands: toDemands(campaigns),
    quoted: tables.slice(0, 1),
  };
}

function toCampaigns({ megabytes, runs, isQuick, engines }: Options): Campaign[] {
  const subjects = toSubjects(engines);
  const without = (groups: readonly Subject['group'][]) =>
    subjects.filter(({ group }) => !groups.includes(group));
  const small = Math.min(megabytes, CAPTURE_MEGABYTES);
  // All at full size would take half an hour: the first kind is, and what is too slow for others is left out there.
  const half = Math.ceil(megabytes / 2);
  const made = MADE.map((kind, i): Campaign => {
    const isFirst = i === 0;
    const others = without(isQuick ? ['dom', 'ogr'] : ['dom']);
    return {
      kind,
      megabytes: isFirst ? megabytes : half,
      runs,
      subjects: isFirst ? subjects : others,
      isThorough: isFirst || !isQuick,
    };
  });
  const turned: Campaign = {
    kind: 'clockwise',
    megabytes: half,
    runs,
    subjects: without(['dom', 'ogr', 'json', 'limit']),
    isThorough: false,
  };
  const captured = CAPTURED.map(
    (kind): Campaign => ({
      kind,
      megabytes: small,
      runs: 1,
      subjects: without(['dom', 'limit']),
      isThorough: false,
    }),
  );
  return isQuick ? [...made, ...captured.slice(0, 1)] : [...made, turned, ...captured];
}

function toNotes({ runs }: Options, campaigns: readonly (readonly Measured[])[]): string[] {
  return [
    `Each figure is the median of ${runs === 1 ? 'one run' : `${runs} runs, interleaved (of real answers: one)`}, each in a process of its own, warmed up for half a second; the document comes from memory in chunks of 64 kB, the features go out as UTF-8. MB are of GML, a million bytes each. Spread: slowest and fastest run.`,
    `Every reader is told the same schema and axis order, types its properties, turns rings by the right-hand rule, and made exactly the features of a 1 MB document, each one compared, before it was timed; the number of features of each timed run is checked. One feature in ten has its rings the wrong way round.`,
    `Peak memory: resident, of a process that reads the document from its file. Cold: from importing the reader to the end of a document of 1 MB, in a fresh process (ogr2ogr: the whole process). JSON.parse + JSON.stringify reads GeoJSON, so its MB/s are those of the GML its features would have come from. ogr2ogr: start and file included; with \`RFC7946=YES\` and every digit.`,
    toDisturbance(campaigns.flat()),
    `Readers too slow or too large for the full size are measured on 10 MB, as their size says. ${toVersions()}.`,
  ];
}

function toVersions(): string {
  const versions = Object.entries(readPeerVersions())
    .filter(([name]) => !apiCartoPackages.has(name))
    .map(([name, version]) => `${name} ${version}`);
  return [...versions, readOgrVersion() ?? 'ogr2ogr is not installed'].join(', ');
}

function toDisturbance(all: readonly Measured[]): string {
  const runs = all.reduce((sum, { seconds, coldSeconds }) => sum + seconds.length + coldSeconds.length, 0);
  const disturbed = all.reduce((sum, one) => sum + one.disturbed, 0);
  const rule = `Time in which a process could run and had to wait for a processor is taken off, as Linux counts it, and a run that waited more than ${MOST_WAITED * 100} % is made again, once`;
  return disturbed === 0
    ? `${rule}; none that counts waited more.`
    : `${rule}; of ${runs} that count, ${disturbed} waited more all the same.`;
}

function toTable(all: readonly Measured[]): Table {
  const [first] = all;
  const isThorough = all.some(({ peakMemory }) => !Number.isNaN(peakMemory));
  const { kind, title, megabytes } = (first as Measured).document;
  const isCapture = CAPTURED.includes(kind);
  return {
    caption: `${title}, ${megabytes} MB${isCapture ? ' of its features, repeated' : ''}`,
    columns: [
      'reader',
      'MB of GML',
      'MB/s',
      'spread',
      'features/s',
      'ours is faster',
      ...(isThorough ? ['peak MB', 'cold 1 MB, ms'] : []),
    ],
    rows: all.map((measured) => toRow(measured, first as Measured, isThorough)),
  };
}

function toRow(measured: Measured, ours: Measured, isThorough: boolean): string[] {
  const { subject, document, seconds, coldSeconds, peakMemory, fault } = measured;
  const { group, title } = subject;
  if (fault !== undefined) {
    const empty = Array<string>(isThorough ? 7 : 5).fill('–');
    return [`${title}: ${toReason(group, fault)}`, ...empty];
  }
  const toMegabytesPerSecond = (time: number) => toFigure(document.bytes / 1e6 / time);
  const isTimed = group !== 'limit';
  const spread =
    seconds.length < 2
      ? '–'
      : `${toMegabytesPerSecond(Math.max(...seconds))}–${toMegabytesPerSecond(Math.min(...seconds))}`;
  return [
    measured.variant === undefined ? title : `${title}, ${measured.variant}`,
    String(document.megabytes),
    toFigure(toSpeed(measured)),
    spread,
    isTimed ? toFigure(toFeatureRate(measured)) : '–',
    group === 'ours' && measured === ours ? '' : toRatio(toSpeed(ours) / toSpeed(measured)),
    ...(isThorough ? [toMegabytes(peakMemory), toFigure(toMedian(coldSeconds) * 1000)] : []),
  ];
}

function toReason(group: Subject['group'], fault: string): string {
  if (group === 'ogr' && readOgrVersion() === undefined) return 'not installed (Debian package gdal-bin)';
  return toCell(fault);
}
