// Made from openapi/wfs-geoportail.yml by scripts/make-client-types.mjs: change these, not this.

/** Longitude, latitude in degrees and, where given, height in metres */
export type Position = [number, number, number?];

export type Positions = Position[];

export type Rings = Positions[];

export type Point = {
  type: 'Point';
  coordinates: Position;
};

export type MultiPoint = {
  type: 'MultiPoint';
  coordinates: Positions;
};

export type LineString = {
  type: 'LineString';
  coordinates: Positions;
};

export type MultiLineString = {
  type: 'MultiLineString';
  coordinates: Rings;
};

export type Polygon = {
  type: 'Polygon';
  coordinates: Rings;
};

export type MultiPolygon = {
  type: 'MultiPolygon';
  coordinates: Rings[];
};

export type GeometryCollection = {
  type: 'GeometryCollection';
  geometries: Geometry[];
};

export type Geometry = Point | MultiPoint | LineString | MultiLineString | Polygon | MultiPolygon | GeometryCollection;

/** A Feature whose geometry is asked for; everything else in it is ignored */
export type GeomFeature = {
  type: 'Feature';
  geometry: Geometry;
};

export type GeomFeatureCollection = {
  type: 'FeatureCollection';
  features: GeomFeature[];
};

export type Geom = Geometry | GeomFeature | GeomFeatureCollection;

/** A value, or several of which one must match; null stands for null or empty */
export type AttributeValue = string | number | boolean | null | (string | number | boolean | null)[];

export type CommaList = string | string[];

export type SearchBody = {
  source?: string;
  geom?: Geom | string;
  bbox?: string | [number | string, number | string, number | string, number | string];
  _featureId?: CommaList;
  apikey?: string | null;
  access_token?: string | null;
  _limit?: number | string;
  _start?: number | string;
  _propertyNames?: CommaList;
  _sortBy?: string;
  _count?: 'auto' | 'true' | 'false' | true | false;
  _overlap?: 'true' | 'false' | true | false;
  _format?: 'geojson' | 'json' | 'geojsonseq' | 'csv' | 'csv-centroid' | 'flatgeobuf';
  _explain?: 'true' | 'false' | true | false;
};

export type SearchForm = {
  source?: string;
  /** GeoJSON as text */
  geom?: string;
  bbox?: string;
  _featureId?: string;
  apikey?: string;
  access_token?: string;
  _limit?: string;
  _start?: string;
  _propertyNames?: string;
  _sortBy?: string;
  _count?: 'auto' | 'true' | 'false';
  _overlap?: 'true' | 'false';
  _format?: 'geojson' | 'json' | 'geojsonseq' | 'csv' | 'csv-centroid' | 'flatgeobuf';
  _explain?: 'true' | 'false';
};

export type Feature = {
  type: 'Feature';
  id?: string;
  geometry: Geometry | null;
  geometry_name?: string;
  properties: { [name: string]: unknown };
  /** With `_overlap=true` alone */
  overlap?: Overlap | null;
};

/**
 * What the feature and `geom` share: an area where both have one, else a length where both have at least that, else an area of 0. A
 * share of something with more dimensions than what is shared is 0; of points, it is how many of them are in the other
 */
export type Overlap = {
  /** Square metres */
  area?: number;
  /** Metres */
  length?: number;
  shareOfFeature: number;
  shareOfGeom: number;
};

export type FeatureCollection = {
  type: 'FeatureCollection';
  features: Feature[];
  numberReturned: number;
  /** Features that match in all; left out where it is not known */
  numberMatched?: number;
  /** The same */
  totalFeatures?: number;
  /**
   * What a reader of the page should know: something may be missing, or change between pages, or rest on what could
   * only be assumed of the upstream
   */
  warnings?: Warning[];
  /** When this answer was written; `Age` tells how old the features are */
  timeStamp: string;
  links: SearchLink[];
};

export type Warning = {
  /** Does not change with the language of the message */
  code: string;
  message: string;
};

export type Explanation = {
  /** The first request that the upstream would be sent; keys are masked */
  request: {
    method: 'GET' | 'POST';
    url: string;
    contentType?: string;
    body?: string;
  };
  /** What was learnt of the upstream and of the source */
  upstream: { [name: string]: unknown };
  /** What is done upstream and what here, in words */
  steps: string[];
};

export type SearchLink = {
  rel: 'self' | 'next' | 'prev';
  type: string;
  href: string;
  method?: 'POST';
  /** `body` holds only what differs from the body of the request */
  merge?: true;
  body?: { [name: string]: unknown };
};

export type Link = {
  rel: string;
  type: string;
  href: string;
};

export type Module = {
  name: string;
  title?: string;
  abstract?: string;
  keywords?: string[];
  provider?: {
    name?: string;
    site?: string;
  };
  contact?: {
    name?: string;
    position?: string;
    email?: string;
    phone?: string;
  };
  fees?: string;
  accessConstraints?: string;
  numberOfSources: number;
  links: Link[];
};

export type ModuleList = {
  modules: ({
    /** Its paths begin with `/api/` and this */
    name: string;
    title: string;
    description?: string;
    links: Link[];
  })[];
  links: Link[];
};

export type Ready = {
  status: 'ready';
  /** By module */
  upstream: { [name: string]: {
    status: 'ready' | 'unavailable';
  } };
};

/** West, south, east, north in degrees */
export type Bbox = [number, number, number, number];

export type Source = {
  name: string;
  title?: string;
  abstract?: string;
  keywords: string[];
  bbox?: Bbox;
  /** The CRS the upstream stores it in, as the upstream names it */
  crs?: string;
};

export type SourcePage = {
  sources: Source[];
  numberMatched: number;
  numberReturned: number;
  links: Link[];
};

export type SourceSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema';
  $id: string;
  title: string;
  description?: string;
  type: 'object';
  /** Each attribute by its name; `type` holds "null" where a feature may have none */
  properties: { [name: string]: { [name: string]: unknown } };
  additionalProperties?: false;
  name: string;
  keywords: string[];
  /** The geometry attribute; absent where the layer has none */
  'x-geometry'?: {
    name: string;
    type: string;
  };
  bbox?: Bbox;
  crs?: string;
  /** What was learnt about how the upstream answers for this layer */
  upstream?: { [name: string]: unknown };
};

/** RFC 9457; `code` and `message` repeat `status` and `detail` */
export type Problem = {
  type: 'about:blank';
  title: string;
  status: number;
  code: number;
  detail: string;
  message: string;
  /** Every fault of the request */
  errors?: ({
    parameter?: string;
    /** JSON pointer inside the parameter's value */
    pointer?: string;
    message: string;
  })[];
  /** urn:uuid and the id of the request */
  instance: string;
};
