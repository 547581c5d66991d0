import type { Geometry } from '../geometry/index.js';

/** A search over the sample layers that is worth showing: in the README, in Swagger UI, on the explorer page. */
export interface DemoExample {
  /** Short, unique, usable as a key. */
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  /** WGS84 lon/lat. */
  readonly geom?: Geometry;
  /** Attribute filters as they stand in a query string. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** One for each kind of geometry and of layer; each finds between one and ten features. */
export const demoExamples: readonly DemoExample[] = [
  {
    name: 'parcelsAroundCathedral',
    summary: 'Cadastral parcels that meet a polygon around the cathedral of Chartres',
    source: 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle',
    geom: {
      type: 'Polygon',
      coordinates: [
        [
          [1.4872, 48.4473],
          [1.4883, 48.4474],
          [1.4882, 48.4479],
          [1.4873, 48.4478],
          [1.4872, 48.4473],
        ],
      ],
    },
  },
  {
    name: 'parcelAtPoint',
    summary: 'The parcel under a point',
    source: 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle',
    geom: { type: 'Point', coordinates: [1.4878, 48.4477] },
  },
  {
    name: 'parcelsAlongLine',
    summary: 'Parcels of section AF that a line crosses',
    source: 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle',
    geom: {
      type: 'LineString',
      coordinates: [
        [1.4861, 48.4469],
        [1.4879, 48.4476],
      ],
    },
    attributes: { section: 'AF' },
  },
  {
    name: 'parcelByIdentifier',
    summary: 'One parcel by its identifier',
    source: 'CADASTRALPARCELS.PARCELLAIRE_EXPRESS:parcelle',
    attributes: { idu: '28085000AA0001' },
  },
  {
    name: 'departmentsAtPoints',
    summary: 'The departments of three towns',
    source: 'ADMINEXPRESS-DEMO:departement',
    geom: {
      type: 'MultiPoint',
      coordinates: [
        [1.4878, 48.4477],
        [5.2258, 46.2052],
        [-61.5331, 16.2411],
      ],
    },
  },
  {
    name: 'communesAlongLines',
    summary: 'Communes that two lines cross',
    source: 'ADMINEXPRESS-COG.LATEST:commune',
    geom: {
      type: 'MultiLineString',
      coordinates: [
        [
          [1.455, 48.45],
          [1.48, 48.45],
        ],
        [
          [1.48, 48.466],
          [1.52, 48.455],
        ],
      ],
    },
  },
  {
    name: 'wheatPlots',
    summary: 'Farm plots under soft winter wheat (crop code BTH) in a polygon with a hole',
    source: 'RPG.LATEST:parcelles_graphiques',
    geom: {
      type: 'Polygon',
      coordinates: [
        [
          [1.46, 48.41],
          [1.472, 48.41],
          [1.472, 48.417],
          [1.46, 48.417],
          [1.46, 48.41],
        ],
        [
          [1.463, 48.412],
          [1.463, 48.415],
          [1.467, 48.415],
          [1.467, 48.412],
          [1.463, 48.412],
        ],
      ],
    },
    attributes: { code_cultu: 'BTH' },
  },
  {
    name: 'zonesInTwoAreas',
    summary: 'Urban planning zones that meet either of two areas',
    source: 'wfs_du:zone_urba',
    geom: {
      type: 'MultiPolygon',
      coordinates: [
        [
          [
            [1.4865, 48.447],
            [1.489, 48.447],
            [1.489, 48.449],
            [1.4865, 48.449],
            [1.4865, 48.447],
          ],
        ],
        [
          [
            [1.512, 48.441],
            [1.514, 48.441],
            [1.514, 48.443],
            [1.512, 48.443],
            [1.512, 48.441],
          ],
        ],
      ],
    },
  },
  {
    name: 'buildingsInLambert93',
    summary: 'Buildings of a layer that is stored in Lambert-93 (EPSG:2154)',
    source: 'BDTOPO_V3:batiment',
    geom: {
      type: 'Polygon',
      coordinates: [
        [
          [1.4868, 48.447],
          [1.4888, 48.447],
          [1.4888, 48.448],
          [1.4868, 48.448],
          [1.4868, 48.447],
        ],
      ],
    },
  },
];
