import { describe, expect, test } from '@jest/globals';
import {
  booleanIntersects,
  lineString,
  point,
  pointToLineDistance,
  distance as turfDistance,
} from '@turf/turf';
import fc from 'fast-check';
import proj4 from 'proj4';
import type { LayerFeature } from '../../src/demo/index.js';
import { startCpuTime } from '../support/cpu-time.js';
import {
  ADDRESSES,
  BUILDINGS,
  EASEMENTS,
  flat,
  LAMBERT,
  layerOf,
  PARCELS,
  ROADS,
  serveSamples,
} from './samples.js';
import {
  ask,
  combine,
  compare,
  distance,
  exceptionOf,
  get,
  idsOf,
  post,
  spatial,
  toGml,
  toParameters,
  toXml,
} from './wfs.js';

const server = serveSamples();

type Pair = [number, number];
const lambert = proj4('WGS84', LAMBERT);

type TurfGeometry = Parameters<typeof booleanIntersects>[0];
type Box = readonly [west: number, south: number, east: number, north: number];

function boxOf(pairs: Pair[]): Box {
  const [xs, ys] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

const boxes = new Map<LayerFeature, Box>();
const featureBox = (feature: LayerFeature): Box => {
  const box = boxes.get(feature) ?? boxOf(flat(feature.geometry?.coordinates ?? []));
  boxes.set(feature, box);
  return box;
};

/** Every feature whose geometry meets another by turf, which shares nothing with the server. */
function expectedIds(typeName: string, geometry: { type: string; coordinates: unknown }): string[] {
  const [w, s, e, n] = boxOf(flat(geometry.coordinates));
  const isMeeting = (feature: LayerFeature) => {
    const [west, south, east, north] = featureBox(feature);
    if (feature.geometry === null || west > e || east < w || south > n || north < s) return false;
    return booleanIntersects(feature.geometry as unknown as TurfGeometry, geometry as TurfGeometry);
  };
  return layerOf(typeName)
    .features.filter(isMeeting)
    .map(({ id }) => id);
}

const text = (pairs: readonly Pair[]) => pairs.map(([x, y]) => `${y} ${x}`).join(' ');
const ringOf = (pairs: readonly Pair[]) =>
  `<gml:LinearRing><gml:posList>${text(pairs)}</gml:posList></gml:LinearRing>`;
const polygonOf = ([exterior, ...holes]: readonly (readonly Pair[])[], srs = '') =>
  `<gml:Polygon${srs}><gml:exterior>${ringOf(exterior!)}</gml:exterior>${holes.map((hole) => `<gml:interior>${ringOf(hole)}</gml:interior>`).join('')}</gml:Polygon>`;
const lineOf = (pairs: readonly Pair[], srs = '') =>
  `<gml:LineString${srs}><gml:posList>${text(pairs)}</gml:posList></gml:LineString>`;
const pointOf = (pair: Pair, srs = '') => `<gml:Point${srs}><gml:pos>${text([pair])}</gml:pos></gml:Point>`;

const URN = ' srsName="urn:ogc:def:crs:EPSG::4326"';
const square: Pair[] = [
  [1.4861, 48.4462],
  [1.4893, 48.4465],
  [1.4891, 48.4487],
  [1.4863, 48.4485],
  [1.4861, 48.4462],
];
const hole: Pair[] = [
  [1.4866, 48.4468],
  [1.4866, 48.448],
  [1.4886, 48.448],
  [1.4886, 48.4468],
  [1.4866, 48.4468],
];
const line: Pair[] = [
  [1.481, 48.442],
  [1.4925, 48.4475],
  [1.4931, 48.455],
];
const far: Pair[] = [
  [1.505, 48.459],
  [1.5072, 48.459],
  [1.5072, 48.4602],
  [1.505, 48.459],
];
const points: Pair[] = [
  [1.48771, 48.44781],
  [1.4999, 48.4501],
  [2, 49],
];

const shapes: [name: string, gml: string, geometry: { type: string; coordinates: unknown }][] = [
  ['a Point', pointOf(points[0]!, URN), { type: 'Point', coordinates: points[0] }],
  [
    'a MultiPoint',
    `<gml:MultiPoint${URN}>${points.map((p) => `<gml:pointMember>${pointOf(p)}</gml:pointMember>`).join('')}</gml:MultiPoint>`,
    { type: 'MultiPoint', coordinates: points },
  ],
  [
    'a MultiPoint in one pointMembers',
    `<gml:MultiPoint${URN}><gml:pointMembers>${points.map((p) => pointOf(p)).join('')}</gml:pointMembers></gml:MultiPoint>`,
    { type: 'MultiPoint', coordinates: points },
  ],
  ['a LineString', lineOf(line, URN), { type: 'LineString', coordinates: line }],
  [
    'a LineString of pos',
    `<gml:LineString${URN}>${line.map((p) => `<gml:pos>${text([p])}</gml:pos>`).join('')}</gml:LineString>`,
    { type: 'LineString', coordinates: line },
  ],
  [
    'a Curve',
    `<gml:Curve${URN}><gml:segments><gml:LineStringSegment><gml:posList>${text(line.slice(0, 2))}</gml:posList></gml:LineStringSegment><gml:LineStringSegment><gml:posList>${text(line.slice(1))}</gml:posList></gml:LineStringSegment></gml:segments></gml:Curve>`,
    { type: 'LineString', coordinates: line },
  ],
  [
    'a MultiLineString',
    `<gml:MultiLineString${URN}><gml:lineStringMember>${lineOf(line)}</gml:lineStringMember><gml:lineStringMember>${lineOf(far)}</gml:lineStringMember></gml:MultiLineString>`,
    { type: 'MultiLineString', coordinates: [line, far] },
  ],
  [
    'a MultiCurve',
    `<gml:MultiCurve${URN}><gml:curveMember>${lineOf(line)}</gml:curveMember><gml:curveMember>${lineOf(far)}</gml:curveMember></gml:MultiCurve>`,
    { type: 'MultiLineString', coordinates: [line, far] },
  ],
  ['a Polygon', polygonOf([square], URN), { type: 'Polygon', coordinates: [square] }],
  ['a Polygon with a hole', polygonOf([square, hole], URN), { type: 'Polygon', coordinates: [square, hole] }],
  [
    'a Polygon of GML 2',
    `<gml:Polygon${URN}><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>${square.map(([x, y]) => `${y},${x}`).join(' ')}</gml:coordinates></gml:LinearRing></gml:outerBoundaryIs></gml:Polygon>`,
    { type: 'Polygon', coordinates: [square] },
  ],
  [
    'a Polygon with decimal commas',
    `<gml:Polygon${URN}><gml:exterior><gml:LinearRing><gml:coordinates decimal="," cs=" " ts=";">${square.map(([x, y]) => `${y} ${x}`.replaceAll('.', ',')).join(';')}</gml:coordinates></gml:LinearRing></gml:exterior></gml:Polygon>`,
    { type: 'Polygon', coordinates: [square] },
  ],
  [
    'a Polygon with heights',
    `<gml:Polygon${URN} srsDimension="3"><gml:exterior><gml:LinearRing><gml:posList>${square.map(([x, y]) => `${y} ${x} 142.5`).join('\n\t')}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>`,
    { type: 'Polygon', coordinates: [square] },
  ],
  [
    'a Surface',
    `<gml:Surface${URN}><gml:patches><gml:PolygonPatch><gml:exterior>${ringOf(square)}</gml:exterior></gml:PolygonPatch></gml:patches></gml:Surface>`,
    { type: 'Polygon', coordinates: [square] },
  ],
  [
    'a MultiPolygon',
    `<gml:MultiPolygon${URN}><gml:polygonMember>${polygonOf([square, hole])}</gml:polygonMember><gml:polygonMember>${polygonOf([far])}</gml:polygonMember></gml:MultiPolygon>`,
    { type: 'MultiPolygon', coordinates: [[square, hole], [far]] },
  ],
  [
    'a MultiSurface',
    `<gml:MultiSurface${URN}><gml:surfaceMember>${polygonOf([square, hole])}</gml:surfaceMember><gml:surfaceMember>${polygonOf([far])}</gml:surfaceMember></gml:MultiSurface>`,
    { type: 'MultiPolygon', coordinates: [[square, hole], [far]] },
  ],
  [
    'a Multi* named on its first member',
    `<gml:MultiSurface><gml:surfaceMembers>${polygonOf([square, hole], URN)}${polygonOf([far])}</gml:surfaceMembers></gml:MultiSurface>`,
    { type: 'MultiPolygon', coordinates: [[square, hole], [far]] },
  ],
  [
    'a Multi* with members in CRSs of their own',
    `<gml:MultiSurface${URN}><gml:surfaceMember>${toGml({ type: 'Polygon', coordinates: [square, hole] })}</gml:surfaceMember><gml:surfaceMember>${toGml({ type: 'Polygon', coordinates: [far.map((pair) => proj4('WGS84', 'EPSG:3857', pair) as Pair)] }, ' srsName="EPSG:3857"')}</gml:surfaceMember></gml:MultiSurface>`,
    { type: 'MultiPolygon', coordinates: [[square, hole], [far]] },
  ],
  [
    'heights told of on the ring alone',
    `<gml:MultiSurface${URN}><gml:surfaceMember><gml:Polygon><gml:exterior><gml:LinearRing srsDimension="3"><gml:posList>${square.map(([x, y]) => `${y} ${x} 0`).join(' ')} ${square[0]![1]} ${square[0]![0]} 0</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></gml:surfaceMember></gml:MultiSurface>`,
    { type: 'Polygon', coordinates: [square] },
  ],
  [
    'an Envelope',
    `<gml:Envelope${URN}><gml:lowerCorner>48.4462 1.4861</gml:lowerCorner><gml:upperCorner>48.4487 1.4893</gml:upperCorner></gml:Envelope>`,
    {
      type: 'Polygon',
      coordinates: [
        [
          [1.4861, 48.4462],
          [1.4893, 48.4462],
          [1.4893, 48.4487],
          [1.4861, 48.4487],
          [1.4861, 48.4462],
        ],
      ],
    },
  ],
];

describe('Intersects finds what turf finds, looking at every feature', () => {
  test.each(shapes)('%s on parcels', async (_, gml, geometry) => {
    const wanted = expectedIds(PARCELS, geometry);
    expect(wanted.length).toBeGreaterThan(0);
    const filter = spatial('Intersects', 'geom', gml);
    expect(idsOf(await ask(server.url, { typeName: PARCELS, filter, propertyNames: ['idu'] }))).toEqual(
      wanted,
    );
  });

  test.each([
    [ROADS, 'geometrie'],
    [ADDRESSES, 'geom'],
    [EASEMENTS, 'geom'],
    ['wfs_du:zone_urba', 'the_geom'],
    ['ADMINEXPRESS-DEMO:departement', 'geom'],
  ])('a Polygon with a hole on %s', async (typeName, name) => {
    const [outer, inner] = [square, hole].map((ring) =>
      ring.map(([x, y]): Pair => [1.4877 + (x - 1.4877) * 4, 48.4474 + (y - 48.4474) * 4]),
    );
    const wanted = expectedIds(typeName, { type: 'Polygon', coordinates: [outer, inner] });
    expect(wanted.length).toBeGreaterThan(0);
    const filter = spatial('Intersects', name, polygonOf([outer!, inner!], URN));
    expect(idsOf(await ask(server.url, { typeName, filter }))).toEqual(wanted);
  });

  test('polygons of any place, size and direction on parcels', async () => {
    const corner = fc.record({
      angle: fc.double({ min: 0, max: 1, noNaN: true }),
      reach: fc.double({ min: 0.2, max: 1, noNaN: true }),
    });
    const place = fc.record({
      x: fc.double({ min: 1.44, max: 1.54, noNaN: true }),
      y: fc.double({ min: 48.42, max: 48.48, noNaN: true }),
      size: fc.double({ min: 0.0001, max: 0.003, noNaN: true }),
      corners: fc.array(corner, { minLength: 3, maxLength: 9 }),
      isReversed: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(place, async ({ x, y, size, corners, isReversed }) => {
        // A star around its centre never meets itself.
        const star = corners.map(({ angle, reach }, i): Pair => {
          const turn = ((i + 0.8 * angle) / corners.length) * 2 * Math.PI;
          return [x + size * reach * Math.cos(turn), y + size * reach * Math.sin(turn)];
        });
        const ring = [...(isReversed ? star.reverse() : star)];
        ring.push(ring[0]!);
        const filter = spatial('Intersects', 'geom', polygonOf([ring], URN));
        const reply = await get(
          server.url,
          toParameters({ typeName: PARCELS, filter, propertyNames: ['idu'] }),
        );
        expect(idsOf(reply)).toEqual(expectedIds(PARCELS, { type: 'Polygon', coordinates: [ring] }));
      }),
      { numRuns: 20 },
    );
  });

  test('neighbours that only share an edge, or a corner, intersect', async () => {
    const layer = layerOf(PARCELS);
    const parcel = layer.features[10_000]!;
    const rings = parcel.geometry?.type === 'MultiPolygon' ? parcel.geometry.coordinates[0]! : [];
    const filter = spatial('Intersects', 'geom', polygonOf(rings as Pair[][], URN));
    const ids = idsOf(await ask(server.url, { typeName: PARCELS, filter }));
    const corners = new Set(flat(rings).map(String));
    const touching = layer.features.filter(({ geometry }) =>
      flat(geometry?.coordinates ?? []).some((pair) => corners.has(String(pair))),
    );
    expect(ids).toEqual(touching.map(({ id }) => id));
    expect(ids.length).toBeGreaterThanOrEqual(9);
  });

  test('the parcel in an enclave is not its surroundings', async () => {
    const around = layerOf(PARCELS).features.find(
      ({ geometry }) => geometry?.type === 'MultiPolygon' && geometry.coordinates[0]!.length === 2,
    )!;
    const inner =
      around.geometry?.type === 'MultiPolygon' ? (around.geometry.coordinates[0]![1] as Pair[]) : [];
    const centre: Pair = [(inner[0]![0] + inner[2]![0]) / 2, (inner[0]![1] + inner[2]![1]) / 2];
    const ids = idsOf(
      await ask(server.url, {
        typeName: PARCELS,
        filter: spatial('Intersects', 'geom', pointOf(centre, URN)),
      }),
    );
    expect(ids).toHaveLength(1);
    expect(ids).not.toContain(around.id);
  });

  test('with attributes, Or and Not', async () => {
    const area = spatial('Intersects', 'geom', polygonOf([square], URN));
    const other = spatial('Intersects', 'geom', polygonOf([far], URN));
    const inSection = compare('EqualTo', 'section', 'AF');
    const ids = async (filter: string) =>
      idsOf(await ask(server.url, { typeName: PARCELS, filter, propertyNames: ['idu'] }));
    const [areaIds, otherIds, sectionIds] = [
      await ids(area),
      await ids(other),
      new Set(await ids(inSection)),
    ];
    expect(await ids(combine('And', area, inSection))).toEqual(areaIds.filter((id) => sectionIds.has(id)));
    expect(await ids(combine('And', inSection, combine('Or', area, other)))).toEqual(
      [...areaIds, ...otherIds].filter((id) => sectionIds.has(id)),
    );
    expect(await ids(combine('And', area, combine('Not', inSection)))).toEqual(
      areaIds.filter((id) => !sectionIds.has(id)),
    );
    expect(await ids(combine('And', area, other))).toEqual([]);
    const others = await ask(server.url, {
      typeName: PARCELS,
      filter: combine('Not', area),
      resultType: 'hits',
    });
    expect(others.root.attributes.numberOfFeatures).toBe(String(20_000 - areaIds.length));
  });
});

describe('the CRS of a filter geometry', () => {
  const inLambert = (pairs: readonly Pair[]) => pairs.map((pair): Pair => lambert.forward(pair) as Pair);
  const ordered = (pairs: readonly Pair[], isLatFirst: boolean) =>
    pairs.map(([x, y]) => (isLatFirst ? `${y} ${x}` : `${x} ${y}`)).join(' ');
  const polygon = (srsName: string | undefined, list: string) =>
    `<gml:Polygon${srsName === undefined ? '' : ` srsName="${srsName}"`}><gml:exterior><gml:LinearRing><gml:posList>${list}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>`;
  const idsIn = async (typeName: string, name: string, gml: string) =>
    idsOf(
      await ask(server.url, { typeName, filter: spatial('Intersects', name, gml), propertyNames: [name] }),
    );

  test.each([
    [undefined, true],
    ['urn:x-ogc:def:crs:EPSG:4326', true],
    ['urn:x-ogc:def:crs:EPSG:6.11.2:4326', true],
    ['urn:ogc:def:crs:EPSG::4326', true],
    ['http://www.opengis.net/def/crs/EPSG/0/4326', true],
    ['EPSG:4326', false],
    ['epsg:4326', false],
    ['http://www.opengis.net/gml/srs/epsg.xml#4326', false],
    ['CRS:84', false],
    ['urn:ogc:def:crs:OGC:1.3:CRS84', false],
  ])('%s: latitude first is %s, the other order finds nothing', async (srsName, isLatFirst) => {
    const wanted = expectedIds(PARCELS, { type: 'Polygon', coordinates: [square] });
    expect(await idsIn(PARCELS, 'geom', polygon(srsName, ordered(square, isLatFirst)))).toEqual(wanted);
    expect(await idsIn(PARCELS, 'geom', polygon(srsName, ordered(square, !isLatFirst)))).toEqual([]);
  });

  test('Lambert-93 and Mercator on a layer in degrees', async () => {
    const wanted = await idsIn(PARCELS, 'geom', polygonOf([square], URN));
    expect(
      await idsIn(PARCELS, 'geom', polygon('urn:ogc:def:crs:EPSG::2154', ordered(inLambert(square), false))),
    ).toEqual(wanted);
    const mercator = square.map((pair) => proj4('WGS84', 'EPSG:3857', pair) as Pair);
    expect(await idsIn(PARCELS, 'geom', polygon('EPSG:3857', ordered(mercator, false)))).toEqual(wanted);
  });

  test('degrees, and its own CRS when none is named, on a layer in Lambert-93', async () => {
    const area = inLambert(square);
    const wanted = expectedIds(BUILDINGS, { type: 'Polygon', coordinates: [area] });
    expect(wanted.length).toBeGreaterThan(5);
    expect(await idsIn(BUILDINGS, 'geometrie', polygonOf([square], URN))).toEqual(wanted);
    expect(await idsIn(BUILDINGS, 'geometrie', polygon('EPSG:4326', ordered(square, false)))).toEqual(wanted);
    expect(await idsIn(BUILDINGS, 'geometrie', polygon(undefined, ordered(area, false)))).toEqual(wanted);
  });

  test.each(['EPSG:9999999', 'urn:ogc:def:crs:EPSG::27572', 'nonsense', ''])(
    '%p is refused, in a filter and for the answer',
    async (srsName) => {
      const text = `Unable to support srsName: ${srsName}`;
      const filter = spatial('Intersects', 'geom', polygon(srsName, ordered(square, true)));
      expect(exceptionOf(await ask(server.url, { typeName: PARCELS, filter }))).toEqual({
        code: 'InvalidParameterValue',
        locator: 'srsName',
        text,
      });
      if (srsName !== '')
        expect(exceptionOf(await ask(server.url, { typeName: PARCELS, srsName }))).toEqual({
          code: 'InvalidParameterValue',
          locator: 'srsName',
          text,
        });
    },
  );
});

describe('BBOX', () => {
  const [w, s, e, n] = [1.486, 48.446, 1.49, 48.449];
  const box = {
    type: 'Polygon',
    coordinates: [
      [
        [w, s],
        [e, s],
        [e, n],
        [w, n],
        [w, s],
      ],
    ],
  };
  const envelope = (srsName: string, lower: string, upper: string) =>
    `<gml:Envelope${srsName}><gml:lowerCorner>${lower}</gml:lowerCorner><gml:upperCorner>${upper}</gml:upperCorner></gml:Envelope>`;
  const kvp = async (typeName: string, bbox: string) => {
    const { filter: _, ...parameters } = toParameters({ typeName });
    return get(server.url, { ...parameters, bbox });
  };

  test.each([
    ['four numbers are in the order of the layer', `${s},${w},${n},${e}`],
    ['with a URN', `${s},${w},${n},${e},urn:ogc:def:crs:EPSG::4326`],
    ['with a short name', `${w},${s},${e},${n},EPSG:4326`],
  ])('KVP: %s', async (_, bbox) => {
    const wanted = expectedIds(ROADS, box);
    expect(wanted.length).toBeGreaterThan(3);
    expect(idsOf(await kvp(ROADS, bbox))).toEqual(wanted);
  });

  test('as a filter, with and without a property name', async () => {
    const wanted = expectedIds(ROADS, box);
    const gml = envelope(URN, `${s} ${w}`, `${n} ${e}`);
    const filter = spatial('BBOX', 'geometrie', gml);
    expect(idsOf(await ask(server.url, { typeName: ROADS, filter }))).toEqual(wanted);
    expect(idsOf(await ask(server.url, { typeName: ROADS, filter: `<ogc:BBOX>${gml}</ogc:BBOX>` }))).toEqual(
      wanted,
    );
  });

  test('a line is met by what it passes through, not by what is in its box', async () => {
    const sizeOf = ([west, south, east, north]: Box) => Math.min(east - west, north - south);
    const [road] = [...layerOf(ROADS).features].sort((a, b) => sizeOf(featureBox(b)) - sizeOf(featureBox(a)));
    const [west, south, east, north] = featureBox(road!);
    const corners: Pair[] = [
      [west, south],
      [west, north],
      [east, south],
      [east, north],
    ];
    const found = await Promise.all(
      corners.map(async ([x, y]) => idsOf(await kvp(ROADS, `${x},${y},${x + 1e-6},${y + 1e-6},EPSG:4326`))),
    );
    expect(found.filter((ids) => ids.includes(road!.id)).length).toBeLessThan(4);
    for (const [i, [x, y]] of corners.entries()) {
      const small = [
        [x, y],
        [x + 1e-6, y],
        [x + 1e-6, y + 1e-6],
        [x, y + 1e-6],
        [x, y],
      ];
      expect(found[i]).toEqual(expectedIds(ROADS, { type: 'Polygon', coordinates: [small] }));
    }
  });

  test('a box without width or height is a line or a point', async () => {
    const [at] = flat(layerOf(ADDRESSES).features[7]!.geometry!.coordinates);
    expect(idsOf(await kvp(ADDRESSES, `${at![0]},${at![1]},${at![0]},${at![1]},EPSG:4326`))).toContain(
      'ban.8',
    );
    const wanted = expectedIds(PARCELS, {
      type: 'LineString',
      coordinates: [
        [w, 48.4475],
        [e, 48.4475],
      ],
    });
    expect(idsOf(await kvp(PARCELS, `${w},48.4475,${e},48.4475,EPSG:4326`))).toEqual(wanted);
  });

  test('a box in Lambert-93 on a layer in Lambert-93, and around one in degrees', async () => {
    const [low, high] = [lambert.forward([w, s]) as Pair, lambert.forward([e, n]) as Pair];
    const own = { type: 'Polygon', coordinates: [[low, [high[0], low[1]], high, [low[0], high[1]], low]] };
    const wanted = expectedIds(BUILDINGS, own);
    expect(wanted.length).toBeGreaterThan(5);
    expect(idsOf(await kvp(BUILDINGS, [...low, ...high].join()))).toEqual(wanted);
    const found = idsOf(await kvp(BUILDINGS, `${s},${w},${n},${e},urn:ogc:def:crs:EPSG::4326`));
    // The sides bend: the box around it holds at least what lies between its corners.
    const inside = layerOf(BUILDINGS).features.filter(({ geometry }) => {
      const corners = flat(geometry!.coordinates).map((pair) => lambert.inverse(pair) as Pair);
      return corners.every(([x, y]) => x > w && x < e && y > s && y < n);
    });
    expect(found).toEqual(expect.arrayContaining(inside.map(({ id }) => id)));
  });

  test.each([
    ['1,2,3', 'bbox'],
    ['1,2,3,x', 'bbox'],
    ['1,2,,4', 'bbox'],
    ['48.5,1.5,48.4,1.6', 'bbox'],
    ['48.4,1.5,48.5,1.6,EPSG:1', 'srsName'],
  ])('%s is refused', async (bbox, locator) => {
    expect(exceptionOf(await kvp(ROADS, bbox))).toMatchObject({ code: 'InvalidParameterValue', locator });
  });
});

describe('the other spatial operators', () => {
  test('Disjoint is everything with a geometry that does not intersect', async () => {
    const gml = polygonOf([square], URN);
    const meeting = new Set(expectedIds(EASEMENTS, { type: 'Polygon', coordinates: [square] }));
    const wanted = layerOf(EASEMENTS).features.filter(
      ({ id, geometry }) => geometry !== null && !meeting.has(id),
    );
    const filter = spatial('Disjoint', 'geom', gml);
    expect(idsOf(await ask(server.url, { typeName: EASEMENTS, filter }))).toEqual(wanted.map(({ id }) => id));
  });

  test('DWithin and Beyond measure metres on the ground, to addresses from a point and a line', async () => {
    const road = lineString(line);
    const features = layerOf(ADDRESSES).features.map(({ id, geometry }) => {
      const at = point(flat(geometry!.coordinates)[0]!);
      const fromPoint = turfDistance(at, point(points[0]!), { units: 'meters' });
      return { id, fromPoint, fromRoad: pointToLineDistance(at, road, { units: 'meters' }) };
    });
    const ids = async (filter: string) =>
      idsOf(await ask(server.url, { typeName: ADDRESSES, filter, propertyNames: ['id'] }));
    // Turf measures on a sphere: what is within 1 % of the distance is left open.
    const open = new Set(
      features
        .filter(({ fromPoint, fromRoad }) => Math.abs(fromPoint - 150) < 1.5 || Math.abs(fromRoad - 40) < 0.4)
        .map(({ id }) => id),
    );
    const settled = (list: string[]) => list.filter((id) => !open.has(id));
    const found = await ids(distance('DWithin', 'geom', pointOf(points[0]!, URN), 150));
    const near = features.filter(({ fromPoint }) => fromPoint <= 150).map(({ id }) => id);
    expect(found.length).toBeGreaterThan(20);
    expect(settled(found)).toEqual(settled(near));
    const along = features.filter(({ fromRoad }) => fromRoad <= 40).map(({ id }) => id);
    expect(settled(await ids(distance('DWithin', 'geom', lineOf(line, URN), 40)))).toEqual(settled(along));
    const beyond = await ids(distance('Beyond', 'geom', pointOf(points[0]!, URN), 150));
    expect(beyond.length).toBe(3000 - found.length);
  });

  test('DWithin on a layer in Lambert-93 means the same metres', async () => {
    const [x, y] = lambert.forward(points[0]!) as Pair;
    const found = idsOf(
      await ask(server.url, {
        typeName: BUILDINGS,
        filter: distance('DWithin', 'geometrie', pointOf(points[0]!, URN), 120),
        propertyNames: ['ID'],
      }),
    );
    const corners = layerOf(BUILDINGS).features.map(({ id, geometry }) => ({
      id,
      metres: Math.min(...flat(geometry!.coordinates).map(([a, b]) => Math.hypot(a - x, b - y))),
    }));
    // Corners are never nearer than edges, and a building is at most 20 m wide; the projection's scale is within 0.1 %.
    const surely = corners.filter(({ metres }) => metres < 119).map(({ id }) => id);
    expect(surely.filter((id) => !found.includes(id))).toEqual([]);
    const nearby = new Set(corners.filter(({ metres }) => metres < 131).map(({ id }) => id));
    expect(found.length).toBeGreaterThan(5);
    expect(found.filter((id) => !nearby.has(id))).toEqual([]);
  });
});

describe('what cannot be a geometry', () => {
  const ring = (list: string) =>
    `<gml:Polygon><gml:exterior><gml:LinearRing>${list}</gml:LinearRing></gml:exterior></gml:Polygon>`;
  test.each([
    [
      'an open ring',
      ring('<gml:posList>1 1 2 1 2 2 1 2</gml:posList>'),
      'Points of LinearRing do not form a closed linestring',
    ],
    [
      'a ring of three',
      ring('<gml:posList>1 1 2 1 1 1</gml:posList>'),
      'Invalid number of points in LinearRing (found 3 - must be 0 or >= 4)',
    ],
    [
      'an odd number of numbers',
      ring('<gml:posList>1 1 2 1 2 2 1</gml:posList>'),
      'gml:posList holds 7 numbers in groups of 2',
    ],
    [
      'a number that is none',
      ring('<gml:posList>1 1 2 NaN 2 2 1 1</gml:posList>'),
      'coordinate is not a number: NaN',
    ],
    ['hexadecimal', '<gml:Point><gml:pos>0x1 1</gml:pos></gml:Point>', 'coordinate is not a number: 0x1'],
    ['no coordinates', '<gml:Point/>', 'gml:Point holds no coordinates'],
    [
      'a line of one',
      '<gml:LineString><gml:pos>1 1</gml:pos></gml:LineString>',
      'Invalid number of points in LineString (found 1 - must be 0 or >= 2)',
    ],
    [
      'an arc',
      '<gml:Curve><gml:segments><gml:Arc><gml:posList>1 1 2 2 3 1</gml:posList></gml:Arc></gml:segments></gml:Curve>',
      'gml:Curve: only gml:LineStringSegment is supported',
    ],
    ['a collection of nothing', '<gml:MultiSurface/>', 'gml:MultiSurface has no members'],
    ['something else', '<gml:Circle/>', 'Circle is not a supported geometry'],
    ['none', '', 'ogc:Intersects needs one geometry'],
    [
      'two',
      '<gml:Point><gml:pos>1 1</gml:pos></gml:Point><gml:Point><gml:pos>1 1</gml:pos></gml:Point>',
      'ogc:Intersects needs one geometry',
    ],
  ])('%s', async (_, gml, text) => {
    const filter = spatial('Intersects', 'geom', gml);
    expect(exceptionOf(await ask(server.url, { typeName: PARCELS, filter }))).toEqual({
      code: 'InvalidParameterValue',
      locator: 'filter',
      text,
    });
  });

  test('an attribute that is no geometry', async () => {
    const filter = spatial('Intersects', 'idu', pointOf(points[0]!, URN));
    expect(exceptionOf(await ask(server.url, { typeName: PARCELS, filter }))).toMatchObject({
      code: 'InvalidParameterValue',
      text: `Property idu is not geometric in feature type ${PARCELS}`,
    });
  });

  test('the geometry of another layer', async () => {
    const filter = spatial('Intersects', 'the_geom', pointOf(points[0]!, URN));
    expect(exceptionOf(await ask(server.url, { typeName: PARCELS, filter }))).toMatchObject({
      text: `Illegal property name: the_geom for feature type ${PARCELS}`,
    });
  });

  test('a distance that is none', async () => {
    for (const metres of [-1, Number.NaN]) {
      const filter = distance('DWithin', 'geom', pointOf(points[0]!, URN), metres);
      expect(exceptionOf(await ask(server.url, { typeName: PARCELS, filter }))).toMatchObject({
        code: 'InvalidParameterValue',
        locator: 'filter',
      });
    }
  });
});

test('a polygon of 20,000 vertices is answered soon', async () => {
  const circle = Array.from(
    { length: 20_000 },
    (_, i): Pair => [
      1.4877 + 0.01 * Math.cos((i * Math.PI) / 10_000),
      48.4477 + 0.006 * Math.sin((i * Math.PI) / 10_000),
    ],
  );
  const filter = spatial('Intersects', 'geom', polygonOf([[...circle, circle[0]!]], URN));
  const cpuTime = startCpuTime();
  const reply = await post(server.url, toXml({ typeName: PARCELS, filter, resultType: 'hits' }));
  expect(Number(reply.root.attributes.numberOfFeatures)).toBeGreaterThan(1000);
  expect(cpuTime()).toBeLessThan(5000);
});
