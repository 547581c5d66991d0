import proj4 from 'proj4';
import type { Bbox } from '../geometry/index.js';
import { OwsException } from './exception.js';

/** Order in which the horizontal coordinates are written or read. */
export type AxisOrder = 'lonLat' | 'latLon';

/** `standard`: as GeoServer does. The others: so for every geographic CRS, whatever its name says. */
export type AxisOrderRule = 'standard' | AxisOrder;

/** A coordinate reference system as a request names it. */
export interface Srs {
  readonly code: number;
  readonly axisOrder: AxisOrder;
  /** The name GeoServer writes on geometries in this CRS and order. */
  readonly label: string;
}

interface Definition {
  readonly proj: string;
  /** EPSG registry: latitude or northing is the first axis. */
  readonly northFirst: boolean;
}

const toUtm = (zone: string, ellipsoid: string): Definition => ({
  proj: `+proj=utm +zone=${zone} +ellps=${ellipsoid} +towgs84=0,0,0 +units=m +no_defs`,
  northFirst: false,
});

const DEFINITIONS: Readonly<Record<number, Definition>> = {
  4326: { proj: '+proj=longlat +datum=WGS84 +no_defs', northFirst: true },
  4171: { proj: '+proj=longlat +ellps=GRS80 +towgs84=0,0,0 +no_defs', northFirst: true },
  4258: { proj: '+proj=longlat +ellps=GRS80 +towgs84=0,0,0 +no_defs', northFirst: true },
  2154: {
    proj: '+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 +ellps=GRS80 +towgs84=0,0,0 +units=m +no_defs',
    northFirst: false,
  },
  // overseas: Antilles, Guyane, La Réunion, Mayotte
  5490: toUtm('20', 'GRS80'),
  32620: toUtm('20', 'WGS84'),
  2972: toUtm('22', 'GRS80'),
  2975: toUtm('40 +south', 'GRS80'),
  4471: toUtm('38 +south', 'GRS80'),
  2180: {
    proj: '+proj=tmerc +lat_0=0 +lon_0=19 +k=0.9993 +x_0=500000 +y_0=-5300000 +ellps=GRS80 +towgs84=0,0,0 +units=m +no_defs',
    northFirst: true,
  },
  3035: {
    proj: '+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +towgs84=0,0,0 +units=m +no_defs',
    northFirst: true,
  },
  3857: {
    proj: '+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +no_defs',
    northFirst: false,
  },
};

export const SUPPORTED_CODES = Object.keys(DEFINITIONS).map(Number);

// Names that mean the registry's axis order (OGC 05-010, 07-092r1, 09-048r3), and those GeoServer takes for x, y.
const OFFICIAL = [
  /^urn:(?:x-)?ogc:def:crs:EPSG:(?:[\w.]*:)?(\d+)$/i,
  /^https?:\/\/www\.opengis\.net\/def\/crs\/EPSG\/[\w.]+\/(\d+)$/i,
];
const X_FIRST = [/^EPSG:(\d+)$/i, /^http:\/\/www\.opengis\.net\/gml\/srs\/epsg\.xml#(\d+)$/i];
const CRS84 = /^(?:CRS:84|urn:(?:x-)?ogc:def:crs:(?:OGC|CRS):[\w.]*:?(?:CRS)?84)$/i;

/** How a layer's own CRS is named where a request names none: DefaultSRS of the capabilities. */
export const toDefaultSrsName = (code: number) => `urn:x-ogc:def:crs:EPSG:${code}`;

/** @throws OwsException where the name has no known form or the CRS is not supported */
export function readSrsName(name: string, rule: AxisOrderRule = 'standard'): Srs {
  const trimmed = name.trim();
  const match = (forms: readonly RegExp[]) =>
    forms.map((form) => form.exec(trimmed)?.[1]).find((code) => code !== undefined);
  const official = match(OFFICIAL);
  const code = Number(official ?? match(X_FIRST) ?? (CRS84.test(trimmed) ? 4326 : Number.NaN));
  const definition = DEFINITIONS[code];
  if (definition === undefined)
    throw new OwsException('InvalidParameterValue', `Unable to support srsName: ${name}`, 'srsName');
  const standard = official !== undefined && definition.northFirst ? 'latLon' : 'lonLat';
  return {
    code,
    axisOrder: rule === 'standard' || !definition.northFirst ? standard : rule,
    label:
      official === undefined ? `http://www.opengis.net/gml/srs/epsg.xml#${code}` : toDefaultSrsName(code),
  };
}

type Project = (x: number, y: number) => [number, number];

const projections = new Map<string, Project>();

/** Easting (longitude) and northing (latitude) of one CRS to those of another. */
export function createProjection(from: number, to: number): Project | undefined {
  if (from === to) return undefined;
  const key = `${from} ${to}`;
  const known = projections.get(key);
  if (known !== undefined) return known;
  const converter = proj4(DEFINITIONS[from]?.proj ?? '', DEFINITIONS[to]?.proj ?? '');
  const project: Project = (x, y) => {
    try {
      const [x2, y2] = converter.forward([x, y]);
      return [x2 ?? Number.NaN, y2 ?? Number.NaN];
    } catch {
      // proj4 throws for what some projections cannot show.
      return [Number.NaN, Number.NaN];
    }
  };
  projections.set(key, project);
  return project;
}

/** The box around a box in another CRS, whose sides bend there: each is taken in ten steps. */
export function toDensified([west, south, east, north]: Bbox, project: Project): Bbox {
  const steps = Array.from({ length: 11 }, (_, i) => i / 10);
  const sides = steps.flatMap((t) => {
    const [x, y] = [west + t * (east - west), south + t * (north - south)];
    return [project(x, south), project(x, north), project(west, y), project(east, y)];
  });
  const [xs, ys] = [sides.map(([x]) => x), sides.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
