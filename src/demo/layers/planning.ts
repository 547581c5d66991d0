import type { Position } from '../../geometry/index.js';
import { SECTIONS } from './cadastre.js';
import { COLUMNS, ROWS, toExterior, toPlace } from './grid.js';
import { createLayer, type Layer, type LayerFeature, type Value } from './layer.js';
import { createRandom, toPick } from './random.js';

type Polygon = Position[][];
type Rectangle = readonly [west: number, south: number, east: number, north: number];

const TITLES: readonly [string | null, ...(string | null)[]] = [
  'Zone urbaine mixte, centre & faubourgs',
  `Zone d'activités "Les Propylées" <secteur A>`,
  "Secteur de l'Épargne : hauteur > 12 m & emprise < 40 %",
  'Zone à urbaniser, "Plateau Nord-Est"',
  'Espaces naturels de la vallée de l’Eure',
  '',
  null,
];

const ZONE_ATTRIBUTES = [
  { name: 'gid', type: 'int' },
  { name: 'partition', type: 'string' },
  { name: 'libelle', type: 'string' },
  { name: 'libelong', type: 'string' },
  { name: 'typezone', type: 'string' },
  { name: 'destdomi', type: 'string' },
  { name: 'nomfic', type: 'string' },
  { name: 'urlfic', type: 'string' },
  { name: 'insee', type: 'string' },
  { name: 'datappro', type: 'date' },
  { name: 'datvalid', type: 'date' },
  { name: 'idurba', type: 'string' },
] as const;

const isoDay = (year: number, month: number, day: number) =>
  `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;

/** Three zones fill a section: one with two holes, one in two parts (the first with a hole), and the one in that hole. */
function toZones(column: number, row: number): readonly { type: string; polygons: Polygon[] }[] {
  const at = ([w, s, e, n]: Rectangle) => toExterior(column + w, row + s, column + e, row + n);
  const without = (outer: Rectangle, ...inner: Rectangle[]): Polygon => [
    at(outer),
    ...inner.map((rectangle) => at(rectangle).reverse()),
  ];
  const [first, second, core]: [Rectangle, Rectangle, Rectangle] = [
    [4, 4, 10, 11],
    [12, 13, 17, 21],
    [6, 6, 8, 9],
  ];
  return [
    { type: 'U', polygons: [without([0, 0, SECTIONS.columns, SECTIONS.rows], first, second)] },
    { type: 'AUc', polygons: [without(first, core), [at(second)]] },
    { type: 'N', polygons: [[at(core)]] },
  ];
}

function createZones(): LayerFeature[] {
  const random = createRandom(1810);
  const features: LayerFeature[] = [];
  for (let row = 0; row < ROWS; row += SECTIONS.rows) {
    for (let column = 0; column < COLUMNS; column += SECTIONS.columns) {
      const commune = SECTIONS.communeOf(column, row);
      for (const { type, polygons } of toZones(column, row)) {
        const gid = features.length + 1;
        const approved = isoDay(2008 + (gid % 15), 1 + (gid % 12), 1 + (gid % 28));
        const values: Value[] = [
          gid,
          `DU_28${commune.code}`,
          `${type}${toPick(random, ['a', 'b', 'x', '1'])}`,
          toPick(random, TITLES),
          type,
          toPick<string | null>(random, ['01', '02', '', null]),
          `28${commune.code}_reglement_${approved.replaceAll('-', '')}.pdf`,
          gid % 4 === 0 ? null : `https://example.org/plu?insee=28${commune.code}&zone=${type}`,
          `28${commune.code}`,
          `${approved}Z`,
          gid % 9 === 0 ? null : `${approved}Z`,
          `28${commune.code}_PLU_${approved.replaceAll('-', '')}`,
        ];
        features.push({
          id: `zone_urba.${gid}`,
          geometry: { type: 'MultiPolygon', coordinates: polygons },
          values,
        });
      }
    }
  }
  return features;
}

export const createZoneLayer = (): Layer =>
  createLayer(
    {
      prefix: 'wfs_du',
      name: 'zone_urba',
      title: "Plan local d'urbanisme : zones (démonstration)",
      abstract:
        'Zones synthétiques, certaines à trous et en plusieurs parties ; les attributs sont ceux du standard CNIG.',
      keywords: ['urbanisme', 'PLU', 'zonage'],
      geometryName: 'the_geom',
      geometryType: 'MultiPolygon',
      code: 4326,
      attributes: ZONE_ATTRIBUTES,
    },
    createZones(),
  );

function toEasementGeometry(random: () => number, kind: number): LayerFeature['geometry'] {
  const [column, row] = [Math.floor(random() * (COLUMNS - 8)), Math.floor(random() * (ROWS - 8))];
  const path = (length: number) =>
    Array.from({ length }, (_, i) => toPlace(column + i * 0.7, row + random() * 3));
  switch (kind) {
    case 0:
      return { type: 'Point', coordinates: toPlace(column, row) };
    case 1:
      return { type: 'MultiPoint', coordinates: path(3) };
    case 2:
      return { type: 'LineString', coordinates: path(6) };
    case 3:
      return { type: 'MultiLineString', coordinates: [path(4), path(2)] };
    case 4:
      return { type: 'Polygon', coordinates: [toExterior(column, row, column + 3, row + 2)] };
    case 5:
      return null;
    default:
      return {
        type: 'MultiPolygon',
        coordinates: [
          [toExterior(column, row, column + 2, row + 2)],
          [toExterior(column + 4, row, column + 5, row + 3)],
        ],
      };
  }
}

const EASEMENT_NAMES: readonly [string | null, ...(string | null)[]] = [
  'Abords de la cathédrale Notre-Dame (AC1)',
  'Canalisation gaz <haute pression> & ouvrages',
  `Ligne "225 kV" l'Épine]]>`,
  '100 % des abords_rue*?\\',
  '',
  null,
];

/** Geometries of every kind and none in one layer, typed only `gml:GeometryPropertyType`. */
export function createEasementLayer(): Layer {
  const random = createRandom(2804);
  return createLayer(
    {
      prefix: 'wfs_sup',
      name: 'assiette_sup',
      title: "Servitudes d'utilité publique : assiettes (démonstration)",
      abstract:
        'Points, lignes et surfaces synthétiques dans une même couche, quelques objets sans géométrie.',
      keywords: ['urbanisme', 'servitudes', 'SUP'],
      geometryName: 'geom',
      geometryType: 'Geometry',
      code: 4326,
      attributes: [
        { name: 'gid', type: 'int' },
        { name: 'suptype', type: 'string' },
        { name: 'nomsuplitt', type: 'string' },
        { name: 'rayon', type: 'decimal' },
        { name: 'source', type: 'string' },
        { name: 'datecreation', type: 'dateTime' },
      ],
    },
    Array.from({ length: 84 }, (_, position) => ({
      id: `assiette_sup.${position + 1}`,
      geometry: toEasementGeometry(random, position % 7),
      values: [
        position + 1,
        toPick(random, ['ac1', 'i3', 'i4', 't5']),
        toPick(random, EASEMENT_NAMES),
        position % 3 === 0 ? null : Math.round(random() * 50_000) / 100,
        toPick<string | null>(random, ['cadastre', 'ortho', null]),
        `${isoDay(2015 + (position % 9), 1 + (position % 12), 1 + (position % 28))}T${String(position % 24).padStart(2, '0')}:30:00Z`,
      ],
    })),
  );
}
