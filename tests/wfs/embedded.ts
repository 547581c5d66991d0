import { afterEach, expect } from '@jest/globals';
import { pino } from 'pino';
import {
  type Ability,
  createDemoLayers,
  createDemoServer,
  type DemoServerOptions,
  type Layer,
  type RecordedRequest,
} from '../../src/demo/index.js';
import { createIntersects, type Geometry, toPositions } from '../../src/geometry/index.js';
import type { PageEnd, SearchQuery } from '../../src/query/index.js';
import { createWfsSource, type WfsOptions } from '../../src/wfs/index.js';

// A source over the embedded server, and what it must find there.

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
});

export const PARCEL = 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle';
export const layers = createDemoLayers();
export const parcels = layers.find(({ typeName }) => typeName === PARCEL) as Layer;

export async function start(options: DemoServerOptions = {}, wfs: Partial<WfsOptions> = {}) {
  const requests: RecordedRequest[] = [];
  const lacks = new Set<Ability>([...(options.lacks ?? []), 'gzip']); // half the work; transport.test.ts has it
  const server = await createDemoServer({
    ...options,
    lacks,
    onRequest: (request) => requests.push(request),
  });
  const source = createWfsSource(
    {
      url: server.url,
      keys: { places: [] },
      responseTimeoutMs: 5000,
      idleTimeoutMs: 5000,
      deadlineMs: 20_000,
      countTimeoutMs: 2000,
      maxResponseBytes: 1e9,
      maxScanFeatures: 100_000,
      ...wfs,
    },
    pino({ level: 'silent' }),
  );
  open.push(server, source);
  return { source, requests, lacks, search: (query: Partial<SearchQuery>) => collect(source, query) };
}

interface Feature {
  id?: string;
  geometry: Geometry | null;
  geometry_name?: string;
  properties: Record<string, unknown>;
}

export const caller = (signal = new AbortController().signal) => ({ credentials: {}, signal });

export async function collect(source: ReturnType<typeof createWfsSource>, query: Partial<SearchQuery>) {
  const whole: SearchQuery = {
    source: PARCEL,
    attributes: [],
    limit: 1000,
    startIndex: 0,
    count: 'auto',
    ...query,
  };
  const { features: batches } = await source.search(whole, caller());
  const features: Feature[] = [];
  for (;;) {
    const step = await batches.next();
    if (step.done) return { features, ids: features.map(({ id }) => id ?? ''), end: step.value as PageEnd };
    const text = Buffer.from(step.value.bytes).toString();
    const parsed = JSON.parse(`[${text}]`) as Feature[];
    expect(parsed).toHaveLength(step.value.ends.length);
    features.push(...parsed);
  }
}

export const filter = (name: string, ...values: (string | number | boolean | null)[]) => ({
  name,
  parameter: name,
  values,
});
export const box = (west: number, south: number, east: number, north: number): Geometry => ({
  type: 'Polygon',
  coordinates: [
    [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ],
  ],
});
export const firstPosition = (geometry: Geometry | null | undefined) => {
  const [position] = geometry ? toPositions(geometry) : [];
  if (position === undefined) throw new Error('a feature without geometry');
  return [position[0], position[1]] as [number, number];
};
/** A box around the first parcel. */
const [west, south] = firstPosition(parcels.features[0]?.geometry);
export const here = box(west - 0.001, south - 0.001, west + 0.001, south + 0.001);

/** The ids that the layer itself holds: brute force, no server, no filter encoding. */
export function toExpected(
  layer: Layer,
  geometries: readonly Geometry[],
  test = (_: Record<string, unknown>) => true,
): string[] {
  const intersects = createIntersects(geometries);
  return layer.features
    .filter(({ geometry }) => intersects(geometry))
    .filter(({ values }) =>
      test(Object.fromEntries(layer.attributes.map(({ name }, k) => [name, values[k]]))),
    )
    .map(({ id }) => id);
}

/** Every page of a search, from link to link. */
export async function follow(search: Search, query: Partial<SearchQuery>) {
  const ids: string[] = [];
  const ends: PageEnd[] = [];
  for (let startIndex = 0, pages = 0; pages < 200; pages += 1) {
    const page = await search({ ...query, startIndex });
    ids.push(...page.ids);
    ends.push(page.end);
    if (page.end.next === undefined || !('startIndex' in page.end.next)) break;
    startIndex = page.end.next.startIndex;
  }
  return { ids, ends };
}

type Search = Awaited<ReturnType<typeof start>>['search'];
