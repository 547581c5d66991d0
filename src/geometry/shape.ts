import type { GeoJsonGeometry, Geometry, Position } from './model.js';

/** Not part of a polygon's boundary. */
export const NO_POLYGON = -1;

/** Edges laid out flat, four numbers each; a point is an edge from itself to itself. */
export class EdgeList {
  readonly #numbers: number[] = [];
  /** The polygon whose boundary each edge is part of. */
  readonly polygons: number[] = [];

  get count(): number {
    return this.polygons.length;
  }

  add(from: Position, to: Position, polygon: number): void {
    this.#numbers.push(from[0], from[1], to[0], to[1]);
    this.polygons.push(polygon);
  }

  /** One of the numbers of an edge: 0 x and 1 y of its start, 2 x and 3 y of its end. */
  at(edge: number, which: 0 | 1 | 2 | 3): number {
    return this.#numbers[edge * 4 + which] as number;
  }

  ends(edge: number): [ax: number, ay: number, bx: number, by: number] {
    return [this.at(edge, 0), this.at(edge, 1), this.at(edge, 2), this.at(edge, 3)];
  }
}

/** Geometries taken apart. */
export interface Shape {
  readonly edges: EdgeList;
  /** The first edge of each point, line and exterior: one point of every connected piece. */
  readonly anchors: readonly number[];
  readonly polygons: number;
}

export function toShape(geometries: readonly GeoJsonGeometry[]): Shape {
  const edges = new EdgeList();
  const anchors: number[] = [];
  let polygons = 0;
  const addLine = (positions: readonly Position[], polygon: number) => {
    for (let i = 1; i < positions.length; i++)
      edges.add(positions[i - 1] as Position, positions[i] as Position, polygon);
    if (positions.length === 1) edges.add(positions[0] as Position, positions[0] as Position, polygon);
  };
  const addPart = (positions: readonly Position[], polygon = NO_POLYGON) => {
    if (positions.length > 0) anchors.push(edges.count);
    addLine(positions, polygon);
  };
  const addPolygon = ([exterior, ...holes]: readonly (readonly Position[])[]) => {
    const polygon = polygons++;
    if (exterior) addPart(exterior, polygon);
    for (const hole of holes) addLine(hole, polygon);
  };
  const add = (geometry: GeoJsonGeometry): void => {
    if (geometry.type === 'GeometryCollection') geometry.geometries.forEach(add);
    else addSimple(geometry, addPart, addPolygon);
  };
  geometries.forEach(add);
  return { edges, anchors, polygons };
}

function addSimple(
  geometry: Geometry,
  addPart: (positions: readonly Position[]) => void,
  addPolygon: (rings: readonly (readonly Position[])[]) => void,
): void {
  switch (geometry.type) {
    case 'Point':
      if (geometry.coordinates.length > 0) addPart([geometry.coordinates]);
      break;
    case 'MultiPoint':
      for (const position of geometry.coordinates) addPart([position]);
      break;
    case 'LineString':
      addPart(geometry.coordinates);
      break;
    case 'MultiLineString':
      for (const line of geometry.coordinates) addPart(line);
      break;
    case 'Polygon':
      addPolygon(geometry.coordinates);
      break;
    case 'MultiPolygon':
      for (const part of geometry.coordinates) addPolygon(part);
  }
}
