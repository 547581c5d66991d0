import type { Attribute } from './model.js';
import type { Random } from './random.js';

const NAMES = [
  'Forêt de Senonches',
  'Bâtiment "A" & annexes',
  "Rue de l'Église",
  "Château-d'Œuvre",
  'Parc naturel régional',
  'Lotissement Les Érables',
  'Chemin <non classé>',
  'Zone industrielle',
  'Quai des Brumes',
  'Marais salants',
  'Site n° 12',
  'Łódź',
  '東京',
  'Plaine verte',
];
const CATEGORIES = ['RESIDENTIEL', 'INDUSTRIEL', 'AGRICOLE', 'NATUREL', 'FORET', 'EAU'];
const WORDS =
  'le la de parcelle secteur aménagement zone à protéger étude révision du plan local urbanisme approuvé par délibération conseil municipal'.split(
    ' ',
  );

/** An attribute of the data, and how its values are made; `k` numbers the features from 1. */
export interface ValueRule extends Attribute {
  /** Share of the features that have none. */
  readonly nulls: number;
  make(random: Random, k: number): string;
}

const toDecimal = (number: number, digits: number) => String(Number(number.toFixed(digits)));
const sentence = (random: Random, least: number, most: number) =>
  Array.from({ length: random.integer(least, most) }, () => random.pick(WORDS)).join(' ');
const twoDigits = (number: number) => String(number).padStart(2, '0');
const day = (random: Random) =>
  `${random.integer(1990, 2024)}-${twoDigits(random.integer(1, 12))}-${twoDigits(random.integer(1, 28))}`;

/** The attributes of a zoning plan: one of each type, text with accents and with characters XML and JSON escape. */
export const ZONE_RULES: readonly ValueRule[] = [
  { name: 'gid', xsdType: 'int', nulls: 0, make: (_, k) => String(k) },
  {
    name: 'insee',
    xsdType: 'string',
    nulls: 0,
    make: (random) => String(random.integer(1000, 95999)).padStart(5, '0'),
  },
  { name: 'nom', xsdType: 'string', nulls: 0, make: (random) => random.pick(NAMES) },
  { name: 'categorie', xsdType: 'string', nulls: 0, make: (random) => random.pick(CATEGORIES) },
  { name: 'libelle', xsdType: 'string', nulls: 0.15, make: (random) => sentence(random, 3, 14) },
  {
    name: 'idurba',
    xsdType: 'string',
    nulls: 0,
    make: (random) => `${random.integer(10000, 99999)}_PLU_${random.integer(2010, 2024)}`,
  },
  { name: 'surface', xsdType: 'double', nulls: 0.1, make: (random) => toDecimal(random.unit() * 1e5, 2) },
  { name: 'population', xsdType: 'int', nulls: 0.2, make: (random) => String(random.integer(0, 99999)) },
  { name: 'datappro', xsdType: 'date', nulls: 0.2, make: (random) => `${day(random)}Z` },
  {
    name: 'datvalid',
    xsdType: 'dateTime',
    nulls: 0.5,
    make: (random) => `${day(random)}T${twoDigits(random.integer(0, 23))}:30:00Z`,
  },
  { name: 'actif', xsdType: 'boolean', nulls: 0, make: (random) => String(random.chance(0.5)) },
  {
    name: 'urlfic',
    xsdType: 'string',
    nulls: 0.3,
    make: (random, k) => `https://www.example.org/doc?id=${k}&type=reglement&v=${random.integer(1, 9)}`,
  },
];

/** A measuring station: the same and twenty-one more, a third of them numbers. */
export const STATION_RULES: readonly ValueRule[] = [
  ...ZONE_RULES,
  ...Array.from({ length: 7 }, (_, i): ValueRule[] => [
    {
      name: `mesure_${i}`,
      xsdType: 'double',
      nulls: 0.1,
      make: (random) => toDecimal(random.unit() * 1000 - 300, 3),
    },
    {
      name: `code_${i}`,
      xsdType: 'string',
      nulls: 0.2,
      make: (random) => `${random.pick(CATEGORIES)}-${random.integer(1, 999)}`,
    },
    { name: `note_${i}`, xsdType: 'string', nulls: 0.3, make: (random) => sentence(random, 2, 8) },
  ]).flat(),
];

export function makeValues(rules: readonly ValueRule[], random: Random, k: number): (string | null)[] {
  return rules.map((rule) => (random.chance(rule.nulls) ? null : rule.make(random, k)));
}
