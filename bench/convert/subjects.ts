import type { Open, Source } from './conversion.js';
import { type Engine, loadEngine } from './engine.js';

/** What is measured, in a process of its own. */
export interface Subject {
  readonly name: string;
  readonly title: string;
  readonly group: 'ours' | 'sax' | 'dom' | 'json' | 'ogr' | 'limit';
  /** GeoJSON: the same features, already converted. */
  readonly reads: 'gml' | 'geojson';
  /** Too slow, or too large in memory, for more. */
  readonly maxMegabytes?: number;
  /** Absent: a program, or a pipe. */
  load?(source: Source): Promise<Open>;
}

const sax = (name: string, load: (source: Source) => Promise<Open>): Subject => ({
  name,
  title: name,
  group: 'sax',
  reads: 'gml',
  load,
});
const limit = (name: string, title: string, load?: () => Promise<Open>): Subject => ({
  name,
  title,
  group: 'limit',
  reads: 'gml',
  ...(load && { load }),
});

/** Everything the converter is compared with. Modules are imported by the process that measures them, and no other. */
const peers: readonly Subject[] = [
  sax('saxes', async (source) => (await import('./sax.js')).loadSaxes(source)),
  sax('easysax', async (source) => (await import('./sax.js')).loadEasysax(source)),
  sax('htmlparser2', async (source) => (await import('./sax.js')).loadHtmlparser2(source)),
  sax('node-expat', async (source) => (await import('./sax.js')).loadNodeExpat(source)),
  sax('sax', async (source) => (await import('./sax.js')).loadSax(source)),
  {
    name: 'fast-xml-parser',
    title: 'fast-xml-parser',
    group: 'dom',
    reads: 'gml',
    maxMegabytes: 10,
    load: async (source) => (await import('./fast-xml-parser.js')).loadFastXmlParser(source),
  },
  {
    name: 'openlayers',
    title: 'OpenLayers WFS/GML3 on xmldom',
    group: 'dom',
    reads: 'gml',
    maxMegabytes: 10,
    load: async (source) => (await import('./openlayers.js')).loadOpenLayers(source),
  },
  { name: 'ogr-cached', title: 'ogr2ogr, schema cached (.gfs)', group: 'ogr', reads: 'gml' },
  { name: 'ogr-guessing', title: 'ogr2ogr, no schema', group: 'ogr', reads: 'gml' },
  {
    name: 'json',
    title: 'JSON.parse + JSON.stringify of the same features',
    group: 'json',
    reads: 'geojson',
    load: async () => (await import('./json.js')).loadJson(),
  },
  limit('copy', 'limit: memory copy', async () => (await import('./limits.js')).loadCopy()),
  limit('index-of', 'limit: every `<` by Buffer.indexOf', async () =>
    (await import('./limits.js')).loadIndexOf(),
  ),
  limit('pipe', 'limit: plain Node pipe, file to socket'),
];

const toSubject = (engine: Engine): Subject => ({
  name: `carto-wfs-${engine}`,
  title: '**carto-wfs**',
  group: 'ours',
  reads: 'gml',
  load: (source) => loadEngine(engine, source),
});

export function toSubjects(engines: readonly Engine[]): readonly Subject[] {
  return [...engines.map(toSubject), ...peers];
}
