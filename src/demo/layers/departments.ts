import { readFileSync } from 'node:fs';
import type { Geometry } from '../../geometry/index.js';
import { createLayer, type Layer } from './layer.js';

interface Department {
  readonly properties: Readonly<Record<string, string | null>>;
  readonly geometry: Geometry;
}

const ATTRIBUTES = ['code_insee', 'nom', 'region', 'nom_ar', 'nom_zh', 'wikidata'] as const;

/** The departments of France: real data, see data/README.md. */
export function createDepartmentLayer(): Layer {
  const file = new URL('../data/departements.json', import.meta.url);
  const { features } = JSON.parse(readFileSync(file, 'utf8')) as { features: readonly Department[] };
  return createLayer(
    {
      prefix: 'ADMINEXPRESS-DEMO',
      name: 'departement',
      title: 'Départements français',
      abstract:
        'Les départements, outre-mer compris ; limites simplifiées de Natural Earth (domaine public).',
      keywords: ['limites administratives', 'départements', 'Natural Earth'],
      geometryName: 'geom',
      geometryType: 'MultiPolygon',
      code: 4326,
      attributes: ATTRIBUTES.map((name) => ({ name, type: 'string' })),
    },
    features.map(({ properties, geometry }) => ({
      id: `departement.${properties.code_insee}`,
      geometry,
      values: ATTRIBUTES.map((name) => properties[name] ?? null),
    })),
  );
}
