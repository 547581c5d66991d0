import { readCapture } from './captures.js';
import { toGeojson } from './geojson.js';
import { geoserver } from './geoserver.js';
import { mapserver } from './mapserver.js';
import type { Dialect, Geometry, Layer } from './model.js';
import { createRandom, type Random } from './random.js';
import { toSchema } from './schema.js';
import { makeMultiPolygon, makePoint, type ShapeRule } from './shapes.js';
import { makeValues, STATION_RULES, type ValueRule, ZONE_RULES } from './values.js';

/** One feature as a server writes it, and as every reader must read it. */
export interface Sample {
  readonly gml: string;
  readonly geojson: string;
}

/** A kind of data: a document of any length, the same on every machine. */
export interface Kind {
  readonly name: string;
  readonly title: string;
  /** Local name of the feature type. */
  readonly typeName: string;
  /** XML Schema of the feature type. */
  readonly schema: string;
  readonly head: string;
  readonly tail: string;
  /** Without end. */
  samples(): Generator<Sample, never, void>;
}

interface Recipe {
  readonly name: string;
  readonly title: string;
  readonly dialect: Dialect;
  readonly layer: Layer;
  readonly rules: readonly ValueRule[];
  geometry(random: Random): Geometry;
}

function toKind({ name, title, dialect, layer, rules, geometry }: Recipe): Kind {
  return {
    name,
    title,
    typeName: layer.name,
    schema: toSchema(layer),
    head: dialect.head(layer),
    tail: dialect.tail,
    *samples() {
      const random = createRandom(0x5eed);
      for (let k = 1; ; k++) {
        const feature = {
          id: `${layer.name}.${k}`,
          geometry: geometry(random),
          values: makeValues(rules, random, k),
        };
        yield { gml: dialect.feature(layer, feature), geojson: toGeojson(layer, feature) };
      }
    },
  };
}

const toAttributes = (rules: readonly ValueRule[]) => rules.map(({ name, xsdType }) => ({ name, xsdType }));
const GEOSERVER_SHAPES: ShapeRule = { digits: 8, isPadded: false, wrong: 0.1 };
const MAPSERVER_SHAPES: ShapeRule = { digits: 6, isPadded: true, wrong: 0.1 };

const zones: Layer = {
  name: 'zone_urba',
  prefix: 'urba',
  namespace: 'http://www.example.org/urba',
  geometryName: 'the_geom',
  geometryType: 'gml:MultiSurfacePropertyType',
  attributes: toAttributes(ZONE_RULES),
};

const polygons: Recipe = {
  name: 'polygons',
  title: 'GeoServer polygons',
  dialect: geoserver,
  layer: zones,
  rules: ZONE_RULES,
  geometry: (random) => makeMultiPolygon(random, GEOSERVER_SHAPES),
};

/** What is made by the bench. */
const made: readonly Recipe[] = [
  polygons,
  {
    name: 'mapserver',
    title: 'MapServer polygons',
    dialect: mapserver,
    layer: {
      ...zones,
      prefix: 'ms',
      namespace: 'http://mapserver.gis.umn.edu/mapserver',
      geometryName: 'geom',
    },
    rules: ZONE_RULES,
    geometry: (random) => makeMultiPolygon(random, MAPSERVER_SHAPES),
  },
  {
    name: 'points',
    title: 'attribute-heavy points',
    dialect: geoserver,
    layer: {
      ...zones,
      name: 'station',
      geometryType: 'gml:PointPropertyType',
      attributes: toAttributes(STATION_RULES),
    },
    rules: STATION_RULES,
    geometry: (random) => makePoint(random, { digits: 7, isPadded: false, wrong: 0 }),
  },
  {
    ...polygons,
    name: 'clockwise',
    title: 'GeoServer polygons, every ring the wrong way round',
    geometry: (random) => makeMultiPolygon(random, { ...GEOSERVER_SHAPES, wrong: 1 }),
  },
];

/** What a question about a few streets finds: for answers over HTTP. */
const quarter: Recipe = {
  ...polygons,
  name: 'quarter',
  title: 'GeoServer polygons of one quarter',
  geometry: (random) => makeMultiPolygon(random, { ...GEOSERVER_SHAPES, within: [1.45, 48.4, 0.1, 0.1] }),
};

/** Real answers, of `tests/fixtures/gml`. */
const captured = ['mapserver-commune', 'qgis-commune', 'qgis-troncon', 'mapserver-adresse'];

export const kindNames: readonly string[] = [...made.map(({ name }) => name), ...captured];

/** @throws Error where there is no such kind */
export function createKind(name: string): Kind {
  const recipe = [...made, quarter].find((one) => one.name === name);
  if (recipe !== undefined) return toKind(recipe);
  if (captured.includes(name)) return readCapture(name);
  throw new Error(`no such kind of data: ${name}; there are ${kindNames.join(', ')}`);
}

/** Samples in document order, until `bytes` of GML are reached; then whole. */
export function* writeDocument(kind: Kind, bytes: number): Generator<Sample, void, void> {
  let written = Buffer.byteLength(kind.head) + Buffer.byteLength(kind.tail);
  for (const sample of kind.samples()) {
    if (written >= bytes) return;
    written += Buffer.byteLength(sample.gml);
    yield sample;
  }
}
