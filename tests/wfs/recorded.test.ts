import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { ServiceError, statusOf } from '../../src/errors.js';
import { type GeoJsonGeometry, toPositions } from '../../src/geometry/index.js';
import { createWfsSource } from '../../src/wfs/index.js';
import { type ServiceOver, startOver } from '../support/over.js';
import {
  type Expected,
  namesOf,
  type Replay,
  readExpected,
  servers,
  startReplay,
} from '../support/recorded.js';

// Each answer that MapServer and QGIS Server were recorded to give, played back to the service: what it must make of it
// is a line of tests/fixtures/recorded/expected.tsv.

const table = readExpected();
const caller = () => ({ credentials: {}, signal: new AbortController().signal });

test.each(servers)('every recorded answer of %s has its line in the table', (server) => {
  const lines = table.filter((line) => line.server === server).map(({ answer }) => answer);
  expect(lines.sort()).toEqual(namesOf(server).sort());
  expect(lines).toHaveLength(184);
});

describe.each(servers)('what %s answers', (server) => {
  let replay: Replay;
  let service: ServiceOver;
  beforeAll(async () => {
    replay = await startReplay(server);
    service = await startOver(replay.url);
  });
  afterAll(async () => {
    await service.close();
    await replay.close();
  });

  /** A source that knows nothing yet: capabilities and schemas are kept for a while. */
  const createSource = () =>
    createWfsSource(
      {
        url: replay.url,
        keys: { places: [] },
        responseTimeoutMs: 5000,
        idleTimeoutMs: 5000,
        deadlineMs: 10_000,
        countTimeoutMs: 1000,
        maxResponseBytes: 1e9,
        maxScanFeatures: 1000,
      },
      pino({ level: 'silent' }),
    );

  async function search({ source }: Expected, rest: string) {
    const url = `${service.url}/api/wfs-geoportail/search?source=${source}&${rest}`;
    const response = await fetch(url, { headers: { 'Accept-Encoding': 'identity' } });
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
    const json = (await response.json()) as any;
    return { status: response.status, json, detail: String(json.detail) };
  }

  const expectations: Record<Expected['as'], (line: Expected) => Promise<void>> = {
    async features(line) {
      const { status, json, detail } = await search(line, '_limit=5000&_count=false');
      expect([status, detail]).toEqual([
        line.status,
        line.status === 200 ? 'undefined' : expect.stringContaining(line.found),
      ]);
      if (status !== 200) return;
      expect([json.features.length, json.numberReturned, json.numberMatched]).toEqual(
        Array(3).fill(Number(line.found)),
      );
      expect(json.warnings).toBeUndefined();
      expect(json.features[0]?.id).toBe(line.first);
      const [name = '', value] = line.value?.split(/=(.*)/s) ?? [];
      if (value !== undefined) expect(json.features[0].properties[name]).toBe(value);
      const geometries: (GeoJsonGeometry | null)[] = json.features.map(
        ({ geometry }: { geometry: GeoJsonGeometry | null }) => geometry,
      );
      const positions = geometries.flatMap((geometry) => (geometry ? toPositions(geometry) : []));
      if (line.what === undefined) return expect(positions).toEqual([]);
      const expected = line.what.split(',').map(Number);
      const isThere = positions.some(
        (position) =>
          position.length === expected.length &&
          position.every((number, k) => Math.abs(number - (expected[k] ?? 0)) < 1.5e-7),
      );
      expect([isThere, line.what]).toEqual([true, line.what]);
    },

    async hits(line) {
      const { status, json } = await search(line, '_limit=2&_count=true');
      expect([status, json.numberReturned]).toEqual([line.status, 2]);
      expect(json.numberMatched).toBe(line.found === '-' ? undefined : Number(line.found));
    },

    async schema({ source, status, found, first, what }) {
      const upstream = createSource();
      const described = upstream.describe(source, caller());
      if (status !== 200) {
        const error = await described.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(ServiceError);
        expect(statusOf[(error as ServiceError).kind]).toBe(status);
        expect((error as ServiceError).message).toContain(found);
      } else {
        const { attributes, geometry } = await described;
        expect([String(attributes.length), geometry?.name]).toEqual([found, first]);
        expect(attributes.map(({ name, type }) => `${name}:${type}`).join(' ')).toBe(what);
      }
      upstream.close();
    },

    async capabilities({ found, first }) {
      const upstream = createSource();
      const { sources } = await upstream.list(caller());
      expect([String(sources.length), sources[0]?.name]).toEqual([found, first]);
      expect(sources[0]?.bbox).toEqual(expect.arrayContaining([expect.any(Number)]));
      upstream.close();
    },
  };

  test.each(table.filter((line) => line.server === server))('$answer: $as, $status, $found', async (line) => {
    replay.play(line);
    await expectations[line.as](line);
  });
});
