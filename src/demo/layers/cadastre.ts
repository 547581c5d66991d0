import type { Position } from '../../geometry/index.js';
import { COLUMNS, ROWS, toEnclave, toExterior, toSquareMetres } from './grid.js';
import { createLayer, type Layer, type LayerFeature, type Value } from './layer.js';

interface Commune {
  readonly code: string;
  readonly name: string;
  readonly population: number | null;
  readonly status: string;
  /** In sections: first and last (excluded) column and row. */
  readonly sections: readonly [west: number, south: number, east: number, north: number];
}

const SECTION_COLUMNS = 20;
const SECTION_ROWS = 25;

// Chartres and its neighbours: names and INSEE codes are real, their borders are not.
const COMMUNES: readonly Commune[] = [
  { code: '085', name: 'Chartres', population: 38534, status: 'Préfecture', sections: [2, 1, 6, 4] },
  { code: '218', name: 'Lucé', population: 15569, status: 'Commune simple', sections: [0, 1, 2, 3] },
  { code: '229', name: 'Mainvilliers', population: 11006, status: 'Commune simple', sections: [0, 3, 2, 4] },
  {
    code: '022',
    name: "Bailleau-l'Évêque",
    population: 1183,
    status: 'Commune simple',
    sections: [0, 4, 2, 5],
  },
  { code: '209', name: 'Lèves', population: 5712, status: 'Commune simple', sections: [2, 4, 6, 5] },
  { code: '070', name: 'Champhol', population: 3714, status: 'Commune simple', sections: [6, 2, 8, 5] },
  { code: '177', name: 'Gellainville', population: null, status: 'Commune simple', sections: [6, 1, 8, 2] },
  { code: '220', name: 'Luisant', population: 6606, status: 'Commune simple', sections: [0, 0, 4, 1] },
  { code: '110', name: 'Le Coudray', population: 4427, status: 'Commune simple', sections: [4, 0, 8, 1] },
];

const SECTIONS_ACROSS = COLUMNS / SECTION_COLUMNS;

function communeOf(column: number, row: number): Commune {
  const [x, y] = [Math.floor(column / SECTION_COLUMNS), Math.floor(row / SECTION_ROWS)];
  const commune = COMMUNES.find(({ sections: [w, s, e, n] }) => x >= w && x < e && y >= s && y < n);
  if (commune === undefined) throw new Error(`section ${x} ${y} belongs to no commune`);
  return commune;
}

/** The section's letters: AA, AB ... AN, the same on every run. */
function toSection(column: number, row: number, { sections: [west, south, east] }: Commune): string {
  const x = Math.floor(column / SECTION_COLUMNS) - west;
  const y = Math.floor(row / SECTION_ROWS) - south;
  return `A${String.fromCharCode(65 + y * (east - west) + x)}`;
}

type Polygon = readonly (readonly Position[])[];

/** The parcels of one cell: as a rule one; its polygons (several are one parcel in parts). */
function toParcels(column: number, row: number): readonly (readonly Polygon[])[] {
  const cell = row * COLUMNS + column;
  const exterior = toExterior(column, row, column + 1, row + 1);
  if (isInParts(column, row)) return [[[exterior], [toExterior(column + 1, row + 1, column + 2, row + 2)]]];
  if (isInParts(column - 1, row - 1)) return [];
  if (cell % 400 !== 57) return [[[exterior]]];
  const enclave = toEnclave(column, row);
  return [[[exterior, [...enclave].reverse()]], [[enclave]]];
}

/** One cell in 400 is one parcel with its north-eastern neighbour, which it touches in a single point. */
const isInParts = (column: number, row: number) =>
  column >= 0 && row >= 0 && (row * COLUMNS + column) % 400 === 203;

const PARCEL_ATTRIBUTES = [
  { name: 'gid', type: 'long' },
  { name: 'idu', type: 'string' },
  { name: 'numero', type: 'string' },
  { name: 'feuille', type: 'int' },
  { name: 'section', type: 'string' },
  { name: 'code_dep', type: 'string' },
  { name: 'nom_com', type: 'string' },
  { name: 'code_com', type: 'string' },
  { name: 'com_abs', type: 'string' },
  { name: 'code_arr', type: 'string' },
  { name: 'contenance', type: 'long' },
] as const;

function createParcels(): LayerFeature[] {
  const features: LayerFeature[] = [];
  const numbers = new Map<string, number>();
  const add = (commune: Commune, section: string, polygons: readonly Polygon[]) => {
    const sheet = `28${commune.code}000${section}`;
    const number = (numbers.get(sheet) ?? 0) + 1;
    numbers.set(sheet, number);
    const idu = `${sheet}${String(number).padStart(4, '0')}`;
    const area = polygons.reduce((sum, [exterior]) => sum + toSquareMetres(exterior ?? []), 0);
    const position = features.length;
    const values: Value[] = [
      BigInt(position + 1),
      idu,
      idu.slice(-4),
      position % 11 === 0 ? null : 1 + (number % 4),
      section,
      '28',
      commune.name,
      commune.code,
      '000',
      '000',
      position % 17 === 0 ? null : BigInt(area),
    ];
    features.push({
      id: `parcelle.${idu}`,
      geometry: { type: 'MultiPolygon', coordinates: polygons },
      values,
    });
  };
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      const commune = communeOf(column, row);
      const section = toSection(column, row, commune);
      for (const polygons of toParcels(column, row)) add(commune, section, polygons);
    }
  }
  return features;
}

export const createParcelLayer = (): Layer =>
  createLayer(
    {
      prefix: 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS',
      name: 'parcelle',
      title: 'Parcellaire Express : parcelles (démonstration)',
      abstract:
        '20 000 parcelles synthétiques autour de Chartres, voisines sans trou ni recouvrement ; les attributs sont ceux de Parcellaire Express (PCI).',
      keywords: ['cadastre', 'parcelles', 'PCI'],
      geometryName: 'geom',
      geometryType: 'MultiPolygon',
      code: 4326,
      attributes: PARCEL_ATTRIBUTES,
    },
    createParcels(),
  );

export const createCommuneLayer = (): Layer =>
  createLayer(
    {
      prefix: 'ADMINEXPRESS-COG.LATEST',
      name: 'commune',
      title: 'ADMIN EXPRESS COG : communes (démonstration)',
      abstract:
        'Chartres et ses voisines : noms et codes INSEE réels, limites synthétiques faites de celles des parcelles.',
      keywords: ['limites administratives', 'communes', 'INSEE'],
      geometryName: 'geom',
      geometryType: 'MultiPolygon',
      code: 4326,
      attributes: [
        { name: 'id', type: 'string' },
        { name: 'nom', type: 'string' },
        { name: 'nom_m', type: 'string' },
        { name: 'insee_com', type: 'string' },
        { name: 'statut', type: 'string' },
        { name: 'population', type: 'int' },
        { name: 'insee_arr', type: 'string' },
        { name: 'insee_dep', type: 'string' },
        { name: 'insee_reg', type: 'string' },
        { name: 'siren_epci', type: 'string' },
      ],
    },
    COMMUNES.map(({ code, name, population, status, sections: [w, s, e, n] }) => ({
      id: `commune.28${code}`,
      geometry: {
        type: 'MultiPolygon',
        coordinates: [
          [toExterior(w * SECTION_COLUMNS, s * SECTION_ROWS, e * SECTION_COLUMNS, n * SECTION_ROWS)],
        ],
      },
      values: [
        `COMMUNE_28${code}`,
        name,
        name.toUpperCase(),
        `28${code}`,
        status,
        population,
        '2',
        '28',
        '24',
        '200033181',
      ],
    })),
  );

/** How many sections stand side by side; the zones of the plan follow them. */
export const SECTIONS = {
  across: SECTIONS_ACROSS,
  columns: SECTION_COLUMNS,
  rows: SECTION_ROWS,
  communeOf,
  toSection,
};
