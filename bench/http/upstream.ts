// A WFS of one layer that costs as little as can be: every answer is made before it is asked for. PORT=... node upstream.js
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { createKind, writeDocument } from '../data/kinds.js';
import { BLOCK_BYTES, MET_AT, SOURCE } from './questions.js';

const kind = createKind('polygons');
const block = [...writeDocument(kind, BLOCK_BYTES)];
/** What a box finds lies in it: a service may refuse what cannot be meant. */
const near = [...writeDocument(createKind('quarter'), BLOCK_BYTES / 4)];
const PIECE = 1 << 16;

const toCollection = (features: readonly string[]) => Buffer.from(kind.head + features.join('') + kind.tail);
const toGml = (count: number) => toCollection(near.slice(0, count).map(({ gml }) => gml));
const toGeojson = (count: number) =>
  Buffer.from(
    `{"type":"FeatureCollection","features":[${near
      .slice(0, count)
      .map(({ geojson }) => geojson)
      .join(',')}],"totalFeatures":${count},"numberMatched":${count},"numberReturned":${count}}`,
  );

const counts = [0, 1, 10, ...Object.values(MET_AT)];
const gml = new Map(counts.map((count) => [count, toGml(count)]));
const geojson = new Map(counts.map((count) => [count, toGeojson(count)]));
const gmlBlock = Buffer.from(block.map((sample) => sample.gml).join(''));
const geojsonBlock = Buffer.from(block.map((sample) => sample.geojson).join(','));

const capabilities = `<wfs:WFS_Capabilities version="1.1.0" xmlns:wfs="http://www.opengis.net/wfs" xmlns:ows="http://www.opengis.net/ows">
<wfs:FeatureTypeList><wfs:FeatureType><wfs:Name>${SOURCE}</wfs:Name><wfs:DefaultSRS>urn:x-ogc:def:crs:EPSG:4326</wfs:DefaultSRS>
<ows:WGS84BoundingBox><ows:LowerCorner>-6 40</ows:LowerCorner><ows:UpperCorner>10 52</ows:UpperCorner></ows:WGS84BoundingBox>
</wfs:FeatureType></wfs:FeatureTypeList></wfs:WFS_Capabilities>`;

/** In pieces, as fast as they are taken. */
function send(response: ServerResponse, parts: Iterable<Buffer>): void {
  pipeline(Readable.from(cut(parts), { objectMode: false }), response, () => {});
}

function* cut(parts: Iterable<Buffer>): Generator<Buffer, void, void> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE) yield part.subarray(at, at + PIECE);
  }
}

function* repeat(head: string, body: Buffer, separator: string, tail: string, times: number) {
  yield Buffer.from(head);
  for (let i = 0; i < times; i++) {
    if (i > 0 && separator !== '') yield Buffer.from(separator);
    yield body;
  }
  yield Buffer.from(tail);
}

const sendGmlBlocks = (response: ServerResponse, blocks: number) =>
  send(response, repeat(kind.head, gmlBlock, '', kind.tail, blocks));
const sendGeojsonBlocks = (response: ServerResponse, blocks: number) =>
  send(response, repeat('{"type":"FeatureCollection","features":[', geojsonBlock, ',', ']}', blocks));

/** The service learns a layer with its first features, and asks for a few of them by polygons: smaller pages than any other. */
const LEARNT_WITH = 100;
const learnt = near.slice(0, 10).map((sample) => ({ ...sample, box: toBox(readNumbers(sample.geojson), 0) }));

/** Of the first features, those in the box of any polygon, whose positions are latitude and longitude. */
function findFirst(body: string): string[] {
  const boxes = [...body.matchAll(/<gml:posList>([^<]*)</g)].map(([, text = '']) =>
    toBox(readNumbers(text), 1),
  );
  return learnt
    .filter(({ box: [w, s, e, n] }) =>
      boxes.some((other) => w <= other[2] && e >= other[0] && s <= other[3] && n >= other[1]),
    )
    .map(({ gml }) => gml);
}

function readNumbers(text: string): number[] {
  const numbers = /"coordinates":([^a-z]*)/.exec(text)?.[1] ?? text;
  return numbers.match(/-?\d+(?:\.\d+)?/g)?.map(Number) ?? [];
}

/** @param first which of two numbers is a longitude */
function toBox(numbers: readonly number[], first: 0 | 1): [number, number, number, number] {
  const lons = numbers.filter((_, i) => i % 2 === first);
  const lats = numbers.filter((_, i) => i % 2 !== first);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** How many features are found where. */
const toMet = (filter: string) => MET_AT[/1\.4[1-4]/.exec(filter)?.[0] ?? ''] ?? 0;

/** GetFeature as the service asks it: the western edge says how many features are found; the whole layer has no end. */
function answerGetFeature(body: string, response: ServerResponse): unknown {
  const toNumber = (name: string) => Number(new RegExp(`${name}="(\\d+)"`).exec(body)?.[1] ?? 0);
  const maxFeatures = toNumber('maxFeatures');
  if (toNumber('startIndex') > 0) return response.end(gml.get(0));
  const isFiltered = body.includes('Intersects');
  if (maxFeatures < LEARNT_WITH)
    return response.end(isFiltered ? toCollection(findFirst(body)) : gml.get(10));
  if (!isFiltered) return sendGmlBlocks(response, Math.floor(maxFeatures / block.length));
  return response.end(gml.get(toMet(body)));
}

/** As API Carto asks it. */
const answerCql = (body: string, response: ServerResponse) => response.end(geojson.get(toMet(body)));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  const isJson = pathname === '/geojson';
  response.setHeader('Content-Type', isJson ? 'application/json' : 'text/xml; subtype=gml/3.1.1');
  if (pathname === '/health/live') return response.end(String(block.length));
  if (pathname === '/gml' || (isJson && request.method === 'GET')) {
    const blocks = Number(searchParams.get('blocks') ?? 0);
    if (blocks > 0) return (isJson ? sendGeojsonBlocks : sendGmlBlocks)(response, blocks);
    return response.end((isJson ? geojson : gml).get(Number(searchParams.get('features'))));
  }
  if (request.method !== 'POST') {
    const isSchema = /describefeaturetype/i.test(request.url ?? '');
    return response.end(isSchema ? kind.schema : capabilities);
  }
  let body = '';
  for await (const part of request) body += part;
  return isJson ? answerCql(body, response) : answerGetFeature(body, response);
}

createServer((request, response) => void answer(request, response)).listen(
  Number(process.env.PORT),
  '127.0.0.1',
);
