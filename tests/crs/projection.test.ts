import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import proj4 from 'proj4';
import { createConversion } from '../../src/crs/conversion.js';
import { createEllipsoid } from '../../src/crs/ellipsoid.js';
import { createProjection, isGeographic, LON_LAT_DECIMALS, type Projection } from '../../src/crs/index.js';

const METRES_PER_DEGREE = 111_320;
const RADIANS = Math.PI / 180;

type Position = readonly [number, number];

function metresBetween([lon1, lat1]: Position, [lon2, lat2]: Position): number {
  const dLon = (((lon1 - lon2 + 540) % 360) - 180) * Math.cos(lat1 * RADIANS);
  return Math.hypot(dLon, lat1 - lat2) * METRES_PER_DEGREE;
}

/** Metres. */
const TOLERANCE = 0.002;

function known(code: number): Projection {
  const projection = createProjection(code);
  if (projection === undefined) throw new Error(`EPSG:${code} is not known`);
  return projection;
}

/** What PROJ itself made, a position of each CRS. */
const byProj = readFileSync(new URL('../fixtures/crs/proj.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [code = 0, lon = 0, lat = 0, x = 0, y = 0, lonAgain = lon, latAgain = lat] = line
      .split('\t')
      .map(Number);
    return { code, lonLat: [lon, lat] as const, xy: [x, y] as const, again: [lonAgain, latAgain] as const };
  });

describe('each CRS offered is transformed as PROJ does it, to two millimetres', () => {
  test('to longitude and latitude', () => {
    const off = byProj.filter(({ code, xy, again }) => {
      const found = createProjection(code)?.toLonLat(...xy) ?? [Number.NaN, Number.NaN];
      return !(metresBetween(found, again) < TOLERANCE);
    });
    expect(off).toEqual([]);
  });

  test('from longitude and latitude', () => {
    const off = byProj.filter(({ code, lonLat, xy }) => {
      const projection = createProjection(code);
      const [x, y] = projection?.fromLonLat(...lonLat) ?? [Number.NaN, Number.NaN];
      // In the CRS's own units, a few of which are shorter than a metre.
      const tolerance = isGeographic(code) ? TOLERANCE / METRES_PER_DEGREE : 4 * TOLERANCE;
      return !(Math.abs(x - xy[0]) < tolerance && Math.abs(y - xy[1]) < tolerance);
    });
    expect(off).toEqual([]);
  });
});

test.each([
  ['France and its territories', '2154 3942-3950 9793-9794 27561-27564 27571-27574 4171 4275 4807'],
  ['the Antilles and Guyana', '5490 4559 5489 2970 2973 2972 2971 4624 4558 32620 32622'],
  ['Réunion, Mayotte, Saint-Pierre-et-Miquelon', '2975 4627 3727 4471 4470 2980 4467 4463 2987'],
  ['New Caledonia, Wallis and Futuna', '3163 4749 3169-3172 2988 8903 3060'],
  ['French Polynesia', '3296-3298 4687 2976-2977 3302-3303'],
  ['the southern and antarctic lands', '3336 7074-7081 8455-8456 2985-2986 4698 7073'],
  ['Web Mercator', '3857 3785 900913 102100 102113'],
  ['WGS 84 and UTM', '4326 4979 32601-32660 32701-32760 5041-5042 32661 32761'],
  ['ETRS89 and UTM', '4258 25828-25838 3035 3034 3040-3049'],
  ['the British Isles', '27700 29902-29903 2157 4277'],
  ['the Low Countries', '28992 31370 3812 2169'],
  ['the German-speaking countries', '31466-31469 4314 5650 31254-31259 31287 2056 21781 4150'],
  ['Italy, Spain, Portugal', '3003-3004 6707-6708 23028-23031 25830 3763 20790'],
  ['Scandinavia and the Baltic', '3006 3067 25832 25833 5972 3059 3301 3346 27391-27398 2393 3021'],
  ['compound CRSs', '5698 5972 7415 5554-5556'],
])('%s: known', (_, ranges) => {
  const codes = ranges.split(' ').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  expect(codes.filter((code) => createProjection(code) === undefined)).toEqual([]);
});

test.each([1, 4, 215, 21541, 999999, 0, -1, 2154.5, Number.NaN, Number.POSITIVE_INFINITY])(
  'EPSG:%d is unknown',
  (code) => {
    expect(createProjection(code)).toBeUndefined();
  },
);

// IOGP 373-7-2: the worked example of each method, on its own datum
test.each([
  [
    '9802 Lambert 2SP (NAD27 / Texas South Central)',
    'lcc lat_1=28.3833333333333 lat_2=30.2833333333333 lat_0=27.8333333333333 lon_0=-99 x_0=609601.21920244 unit=0.304800609601219',
    [6378206.4, 294.978698214],
    [-96, 28.5],
    [2963503.91, 254759.8],
  ],
  [
    '9801 Lambert 1SP (JAD69 / Jamaica National Grid)',
    'lcc lat_1=18 lat_0=18 lon_0=-77 x_0=250000 y_0=150000',
    [6378206.4, 294.978698214],
    [-(76 + 56 / 60 + 37.26 / 3600), 17 + 55 / 60 + 55.8 / 3600],
    [255966.58, 142493.51],
  ],
  [
    '1024 Pseudo-Mercator',
    'webmerc',
    [6378137, 298.257223563],
    [-(100 + 20 / 60), 24 + 22 / 60 + 54.433 / 3600],
    [-11169055.58, 2800000],
  ],
  [
    '9807 Transverse Mercator (British National Grid)',
    'tmerc lat_0=49 lon_0=-2 k=0.9996012717 x_0=400000 y_0=-100000',
    [6377563.396, 299.32496],
    [0.5, 50.5],
    [577274.99, 69740.5],
  ],
  [
    '9809 Oblique Stereographic (RD New)',
    'sterea lat_0=52.1561605555556 lon_0=5.38763888888889 k=0.9999079 x_0=155000 y_0=463000',
    [6377397.155, 299.1528128],
    [6, 53],
    [196105.283, 557057.739],
  ],
  [
    '9820 Lambert Azimuthal Equal Area (ETRS89 / LAEA)',
    'laea lat_0=52 lon_0=10 x_0=4321000 y_0=3210000',
    [6378137, 298.257222101],
    [5, 50],
    [3962799.45, 2999718.85],
  ],
  [
    '9830 Polar Stereographic C (Terre Adélie)',
    'stere lat_0=-90 lat_ts=-67 lon_0=140 x_0=300000 y_0=-2299363.48782',
    [6378388, 297],
    [140 + 4 / 60 + 17.04 / 3600, -(66 + 36 / 60 + 18.82 / 3600)],
    [303169.52, 244055.72],
  ],
] as const)('%s', (_, words, [a, inverseFlattening], [lon, lat], [x, y]) => {
  const conversion = createConversion(words, createEllipsoid(a, inverseFlattening))!;
  const [easting, northing] = conversion.forward(lon * RADIANS, lat * RADIANS);
  expect(Math.abs(easting - x)).toBeLessThan(0.01); // what the guidance note prints
  expect(Math.abs(northing - y)).toBeLessThan(0.01);
  const [lonBack, latBack] = conversion.inverse(easting, northing);
  expect(lonBack / RADIANS).toBeCloseTo(lon, 8);
  expect(latBack / RADIANS).toBeCloseTo(lat, 8);
});

describe('there and back', () => {
  const LANDS = [
    [2154, [-5, 41, 10, 52]],
    [3857, [-180, -85, 180, 85]],
    [3943, [-2, 42, 8, 44]],
    [27572, [-5, 42, 9, 51]],
    [4807, [-5, 42, 9, 51]],
    [32631, [-1, -80, 7, 84]],
    [5490, [-63.7, 14, -60, 18.5]],
    [2972, [-55, 2, -49, 9]],
    [2975, [51, -25, 59, -18]],
    [3163, [163, -23, 169, -19]],
    [3035, [-16, 33, 40, 71]],
    [27700, [-9, 49.8, 2, 61]],
    [28992, [3.2, 50.7, 7.3, 53.7]],
    [31370, [2.5, 49.5, 6.4, 51.6]],
    [2056, [5.9, 45.8, 10.5, 47.9]],
    [2193, [166, -47.4, 178.6, -34]],
    [3031, [-180, -89, 180, -60]],
    [5514, [12, 47.7, 22.6, 51.1]],
  ] as const;

  test.each(LANDS)('EPSG:%d', (code, [west, south, east, north]) => {
    const projection = known(code);
    const within = (min: number, max: number) => fc.double({ min, max, noNaN: true });
    fc.assert(
      fc.property(within(west, east), within(south, north), (lon, lat) => {
        const back = projection.toLonLat(...projection.fromLonLat(lon, lat));
        expect(metresBetween(back, [lon, lat])).toBeLessThan(TOLERANCE);
      }),
      { numRuns: 120 },
    );
  });
});

test('the Lambert cone is the one of proj4, whatever its parameters', () => {
  const latitude = fc.integer({ min: 20, max: 70 });
  fc.assert(
    fc.property(
      fc.constantFrom(-1, 1),
      fc.tuple(latitude, latitude, latitude),
      fc.integer({ min: -179, max: 179 }),
      fc.double({ min: -25, max: 25, noNaN: true }),
      fc.double({ min: 1, max: 85, noNaN: true }),
      (side, [lat0, lat1, lat2], lon0, dLon, lat) => {
        const words = `lcc lat_0=${side * lat0} lat_1=${side * lat1} lat_2=${side * lat2} lon_0=${lon0} x_0=7e5 y_0=6600000`;
        const here = createConversion(words, createEllipsoid(6378137, 298.257222101))!;
        const definition = `+proj=${words.replaceAll(' ', ' +')} +ellps=GRS80 +no_defs`;
        const lon = ((lon0 + dLon + 540) % 360) - 180;
        const there = proj4(definition).forward([lon, side * lat]);
        const found = here.forward(lon * RADIANS, side * lat * RADIANS);
        expect(Math.hypot(found[0] - there[0]!, found[1] - there[1]!)).toBeLessThan(0.001);
        const [lonBack, latBack] = here.inverse(...found);
        expect(metresBetween([lonBack / RADIANS, latBack / RADIANS], [lon, side * lat])).toBeLessThan(0.001);
      },
    ),
    { numRuns: 150 },
  );
});

describe('what a reader of the answer sees', () => {
  test.each([
    [4326, 0, true],
    [3857, 0, false],
    [32631, 0, false],
    [4171, 1, true],
    [2154, 1, false],
    [27572, 2, false],
    [27700, 2, false],
    [4230, 10, false],
  ])('EPSG:%d is known to %d m', (code, accuracy, isIdentity) => {
    expect(createProjection(code)).toMatchObject({ accuracy, isIdentity });
  });

  test('no digit is written that nobody can know', () => {
    const [lon, lat] = known(2154).toLonLat(652381.123456, 6862047.654321);
    expect([lon, lat]).toEqual([2.351000686, 48.856704975]);
    for (const degrees of [lon, lat])
      expect(String(degrees).split('.')[1]!.length).toBeLessThanOrEqual(LON_LAT_DECIMALS);
  });

  test('no digit is touched where nothing is to be done', () => {
    expect(known(4171).toLonLat(2.35107438712345, 48.8)).toEqual([2.35107438712345, 48.8]);
  });

  test('Web Mercator reaches 180°, and a zero has no sign', () => {
    const { toLonLat } = known(3857);
    const edge = 20037508.342789244;
    expect(toLonLat(edge, edge)).toEqual([180, 85.05112878]);
    expect(toLonLat(-edge, -edge)).toEqual([-180, -85.05112878]);
    expect(toLonLat(-1e-9, -1e-9)).toEqual([0, 0]);
  });

  test('longitudes go on at -180° where a CRS lies across the antimeridian', () => {
    const [x, y] = known(2193).fromLonLat(-179.5, -40);
    expect(known(2193).toLonLat(x, y)).toEqual([-179.5, -40]);
  });
});

describe('where there is no position', () => {
  test.each([2154, 3857, 27572, 32631, 3035, 28992, 4807, 2056, 5514])(
    'EPSG:%d gives NaN and never throws',
    (code) => {
      const { toLonLat, fromLonLat } = known(code);
      const nowhere = [Number.NaN, Number.NaN];
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        expect(toLonLat(bad, 0)).toEqual(nowhere);
        expect(toLonLat(0, bad)).toEqual(nowhere);
        expect(fromLonLat(bad, 45)).toEqual(nowhere);
        expect(fromLonLat(3, bad)).toEqual(nowhere);
      }
      expect(fromLonLat(3, 91)).toEqual(nowhere);
      fc.assert(
        fc.property(fc.double(), fc.double(), (x, y) => {
          const [lon, lat] = toLonLat(x, y);
          expect(Number.isNaN(lon) ? Number.isNaN(lat) : Math.abs(lon) <= 180 && Math.abs(lat) <= 90).toBe(
            true,
          );
          fromLonLat(x, y);
        }),
        { numRuns: 120 },
      );
    },
  );
});
