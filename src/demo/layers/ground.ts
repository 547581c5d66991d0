import type { Geometry, Position } from '../../geometry/index.js';
import { createProjection } from '../srs.js';
import { COLUMNS, ROWS, toExterior, toPlace, toSquareMetres } from './grid.js';
import { createLayer, type Layer } from './layer.js';
import { createRandom, toPick } from './random.js';

const toTwoDigits = (value: number) => String(value).padStart(2, '0');
const toInstant = (position: number) =>
  `${2009 + (position % 14)}-${toTwoDigits(1 + (position % 12))}-${toTwoDigits(1 + (position % 28))}T` +
  `${toTwoDigits(position % 24)}:${toTwoDigits((position * 7) % 60)}:00Z`;

// Crop codes and groups of the Registre parcellaire graphique.
const CROPS: readonly [readonly [string, string], ...(readonly [string, string])[]] = [
  ['BTH', '1'],
  ['MIS', '2'],
  ['ORH', '3'],
  ['CZH', '5'],
  ['TRN', '6'],
  ['PHI', '8'],
  ['J6S', '11'],
  ['PPH', '18'],
];

/** Farm plots south of the parcels, with their crops. */
export function createPlotLayer(): Layer {
  const random = createRandom(2023);
  const plots: { exterior: Position[]; crop: readonly [string, string]; catches: (string | null)[] }[] = [];
  for (let row = -120; row < 0; row += 5) {
    for (let column = 0; column < COLUMNS; column += 4) {
      if (random() < 0.15) continue;
      const catches = [random() < 0.8 ? null : 'DMD', random() < 0.95 ? null : 'DTR'];
      plots.push({
        exterior: toExterior(column, row, column + 4, row + 5),
        crop: toPick(random, CROPS),
        catches,
      });
    }
  }
  return createLayer(
    {
      prefix: 'RPG.LATEST',
      name: 'parcelles_graphiques',
      title: 'Registre parcellaire graphique : parcelles (démonstration)',
      abstract:
        'Parcelles agricoles synthétiques au sud de Chartres, avec codes et groupes de cultures du RPG.',
      keywords: ['agriculture', 'RPG', 'cultures'],
      geometryName: 'geom',
      geometryType: 'Polygon',
      code: 4326,
      attributes: [
        { name: 'id_parcel', type: 'string' },
        { name: 'surf_parc', type: 'double' },
        { name: 'code_cultu', type: 'string' },
        { name: 'code_group', type: 'string' },
        { name: 'culture_d1', type: 'string' },
        { name: 'culture_d2', type: 'string' },
      ],
    },
    plots.map(({ exterior, crop, catches }, position) => ({
      id: `parcelles_graphiques.${position + 1}`,
      geometry: { type: 'Polygon', coordinates: [exterior] },
      values: [
        String(4_100_000 + position * 7),
        Math.round(toSquareMetres(exterior) / 100) / 100,
        ...crop,
        catches[0] ?? null,
        catches[1] ?? null,
      ],
    })),
  );
}

const STREETS: readonly [string, ...string[]] = [
  "Rue de l'Église",
  'Boulevard Chasles',
  'Rue du Faubourg la Grappe',
  'Place des Épars',
  'Rue Noël Ballay',
  'Impasse "du Pont" <nord>',
  'Chemin des Prés & des Vignes',
  'Allée du 8 Mai 1945',
];

/** Address points in the manner of the Base adresse nationale. */
export function createAddressLayer(): Layer {
  const random = createRandom(28000);
  const toLambert = createProjection(4326, 2154);
  return createLayer(
    {
      prefix: 'BAN.DATA.GOUV',
      name: 'ban',
      title: 'Base adresse : adresses (démonstration)',
      abstract: 'Adresses synthétiques à Chartres, avec leurs coordonnées Lambert-93 en attributs.',
      keywords: ['adresses', 'BAN'],
      geometryName: 'geom',
      geometryType: 'Point',
      code: 4326,
      attributes: [
        { name: 'id', type: 'string' },
        { name: 'numero', type: 'int' },
        { name: 'rep', type: 'string' },
        { name: 'nom_voie', type: 'string' },
        { name: 'code_postal', type: 'string' },
        { name: 'code_insee', type: 'string' },
        { name: 'nom_commune', type: 'string' },
        { name: 'x', type: 'double' },
        { name: 'y', type: 'double' },
        { name: 'certifie', type: 'boolean' },
        { name: 'date_maj', type: 'date' },
      ],
    },
    Array.from({ length: 3000 }, (_, position) => {
      const place = toPlace(40 + random() * 80, 25 + random() * 75);
      const [x, y] = toLambert?.(place[0], place[1]) ?? [0, 0];
      const numero = 1 + Math.floor(random() * 150);
      const street = Math.floor(random() * STREETS.length);
      return {
        id: `ban.${position + 1}`,
        geometry: { type: 'Point', coordinates: place },
        values: [
          `28085_${String(street + 120).padStart(4, '0')}_${String(numero).padStart(5, '0')}`,
          numero,
          toPick<string | null>(random, [null, null, null, 'bis', 'ter', '']),
          STREETS[street] ?? null,
          '28000',
          '28085',
          'Chartres',
          Math.round(x * 100) / 100,
          Math.round(y * 100) / 100,
          position % 10 === 0 ? null : random() < 0.6,
          position % 13 === 0 ? null : `${toInstant(position).slice(0, 10)}Z`,
        ],
      };
    }),
  );
}

/** Road lines in the manner of BD TOPO. */
export function createRoadLayer(): Layer {
  const random = createRandom(1906);
  return createLayer(
    {
      prefix: 'BDTOPO_V3',
      name: 'troncon_de_route',
      title: 'BD TOPO : tronçons de route (démonstration)',
      abstract: 'Tronçons synthétiques autour de Chartres.',
      keywords: ['BD TOPO', 'transport', 'routes'],
      geometryName: 'geometrie',
      geometryType: 'LineString',
      code: 4326,
      attributes: [
        { name: 'cleabs', type: 'string' },
        { name: 'nature', type: 'string' },
        { name: 'nom_voie', type: 'string' },
        { name: 'importance', type: 'string' },
        { name: 'fictif', type: 'boolean' },
        { name: 'nombre_de_voies', type: 'int' },
        { name: 'largeur_de_chaussee', type: 'decimal' },
        { name: 'identifiant_voie', type: 'long' },
        { name: 'source', type: 'string' },
        { name: 'date_creation', type: 'dateTime' },
        { name: 'date_modification', type: 'dateTime' },
      ],
    },
    Array.from({ length: 800 }, (_, position) => ({
      id: `troncon_de_route.${position + 1}`,
      geometry: { type: 'LineString', coordinates: toPath(random) },
      values: [
        `TRONROUT${String(position + 1).padStart(16, '0')}`,
        toPick(random, ['Route à 1 chaussée', 'Route à 2 chaussées', 'Sentier', 'Chemin', 'Rond-point']),
        position % 5 === 0 ? null : `${toPick(random, STREETS)} n° ${position}`,
        String(1 + Math.floor(random() * 6)),
        random() < 0.05,
        position % 7 === 0 ? null : 1 + (position % 3),
        position % 4 === 0 ? null : 2.5 + (position % 20) / 4,
        // Neighbouring values that a double cannot tell apart.
        position % 6 === 0 ? null : 9_007_199_254_740_992n + BigInt(position),
        toPick<string | null>(random, ['GPS', 'Photogrammétrie', null]),
        toInstant(position),
        position % 3 === 0 ? null : toInstant(position * 31),
      ],
    })),
  );
}

/** A walk that stays within the grid, bending a little at each step. */
function toPath(random: () => number): Position[] {
  let [column, row] = [random() * (COLUMNS - 40) + 20, random() * (ROWS - 40) + 20];
  let direction = random() * 2 * Math.PI;
  return Array.from({ length: 2 + Math.floor(random() * 14) }, () => {
    const place = toPlace(column, row);
    direction += (random() - 0.5) * 0.8;
    column += Math.cos(direction) * (0.3 + random());
    row += Math.sin(direction) * (0.3 + random());
    return place;
  });
}

/** Buildings stored in Lambert-93, with the capital names of the BD TOPO shapefiles. */
export function createBuildingLayer(): Layer {
  const random = createRandom(2154);
  return createLayer(
    {
      prefix: 'BDTOPO_V3',
      name: 'batiment',
      title: 'BD TOPO : bâtiments en Lambert-93 (démonstration)',
      abstract: 'Bâtiments synthétiques à Chartres, dans le système de coordonnées Lambert-93 (EPSG:2154).',
      keywords: ['BD TOPO', 'bâti', 'Lambert-93'],
      geometryName: 'geometrie',
      geometryType: 'MultiPolygon',
      code: 2154,
      attributes: [
        { name: 'ID', type: 'string' },
        { name: 'NATURE', type: 'string' },
        { name: 'USAGE1', type: 'string' },
        { name: 'LEGER', type: 'boolean' },
        { name: 'HAUTEUR', type: 'double' },
        { name: 'NB_ETAGES', type: 'int' },
        { name: 'DATE_CREAT', type: 'dateTime' },
      ],
    },
    Array.from({ length: 1500 }, (_, position) => ({
      id: `batiment.${position + 1}`,
      geometry: toBuilding(random, position),
      values: [
        `BATIMENT${String(position + 1).padStart(16, '0')}`,
        toPick(random, ['Indifférenciée', 'Église', 'Tour, donjon', 'Industriel, agricole ou commercial']),
        toPick<string | null>(random, ['Résidentiel', 'Annexe', 'Commercial & services', null]),
        random() < 0.2,
        position % 8 === 0 ? null : Math.round((2 + random() * 25) * 10) / 10,
        position % 3 === 0 ? null : Math.floor(random() * 6),
        toInstant(position),
      ],
    })),
  );
}

/** A rectangle turned at random, to the centimetre; one in ten has a courtyard. */
function toBuilding(random: () => number, position: number): Geometry {
  const [longitude, latitude] = toPlace(45 + random() * 70, 30 + random() * 65);
  const [x, y] = createProjection(4326, 2154)?.(longitude, latitude) ?? [0, 0];
  const [width, depth, turn] = [6 + random() * 14, 5 + random() * 8, random() * Math.PI];
  const at = (h: number, v: number): Position => [
    Math.round((x + h * width * Math.cos(turn) - v * depth * Math.sin(turn)) * 100) / 100,
    Math.round((y + h * width * Math.sin(turn) + v * depth * Math.cos(turn)) * 100) / 100,
  ];
  const square = (size: number) => [
    at(-size, -size),
    at(size, -size),
    at(size, size),
    at(-size, size),
    at(-size, -size),
  ];
  const rings = position % 10 === 0 ? [square(0.5), square(0.2).reverse()] : [square(0.5)];
  return { type: 'MultiPolygon', coordinates: [rings] };
}
