/** What an element is inside a geometry. */
export const Kind = {
  unknown: 0,
  // Objects
  point: 1,
  line: 2,
  ring: 3,
  polygon: 4,
  /** Polygons that make one surface, or the faces of a solid. */
  surface: 5,
  multiPoint: 6,
  multiLine: 7,
  multiSurface: 8,
  multiGeometry: 9,
  envelope: 10,
  // Parts of a curve
  segment: 11,
  arcString: 12,
  circle: 13,
  arcByCentre: 14,
  bulge: 15,
  /** A curve whose shape does not follow from its positions. */
  otherCurve: 16,
  // Properties
  wrapper: 20,
  exterior: 21,
  interior: 22,
  // Numbers
  pos: 23,
  posList: 24,
  coordinates: 25,
  coord: 26,
  ordinate: 27,
  parameter: 28,
  /** Of no matter for the shape. */
  ignored: 29,
} as const;

export const isObject = (kind: number): boolean => kind >= Kind.point && kind <= Kind.otherCurve;
export const isCurvePart = (kind: number): boolean => kind >= Kind.segment && kind <= Kind.otherCurve;

const KINDS: ReadonlyMap<string, number> = new Map(
  (
    [
      [Kind.point, 'Point'],
      [Kind.line, 'LineString Curve CompositeCurve OrientableCurve'],
      [Kind.ring, 'LinearRing Ring'],
      // A Triangle and a Rectangle are polygons of one ring (GML 3.1.1 §10.2.1.5, §10.2.1.6).
      [Kind.polygon, 'Polygon PolygonPatch Triangle Rectangle'],
      [
        Kind.surface,
        'Surface CompositeSurface OrientableSurface PolyhedralSurface TriangulatedSurface Tin Shell Solid CompositeSolid',
      ],
      [Kind.multiPoint, 'MultiPoint'],
      [Kind.multiLine, 'MultiLineString MultiCurve'],
      [Kind.multiSurface, 'MultiPolygon MultiSurface MultiSolid'],
      [Kind.multiGeometry, 'MultiGeometry GeometricComplex'],
      [Kind.envelope, 'Envelope Box'],
      // Splines are drawn by their control points, geodesics by their positions.
      [Kind.segment, 'LineStringSegment GeodesicString Geodesic CubicSpline BSpline Bezier'],
      [Kind.arcString, 'Arc ArcString'],
      [Kind.circle, 'Circle'],
      [Kind.arcByCentre, 'ArcByCenterPoint CircleByCenterPoint'],
      [Kind.bulge, 'ArcByBulge ArcStringByBulge'],
      [Kind.otherCurve, 'Clothoid OffsetCurve'],
      [
        Kind.wrapper,
        'pointMember pointMembers lineStringMember curveMember curveMembers polygonMember surfaceMember surfaceMembers geometryMember geometryMembers solidMember solidMembers element segments patches polygonPatches trianglePatches baseCurve baseSurface pointProperty pointRep curveProperty surfaceProperty',
      ],
      [Kind.exterior, 'exterior outerBoundaryIs'],
      [Kind.interior, 'interior innerBoundaryIs'],
      [Kind.pos, 'pos lowerCorner upperCorner'],
      [Kind.posList, 'posList'],
      [Kind.coordinates, 'coordinates'],
      [Kind.coord, 'coord'],
      [Kind.ordinate, 'X Y Z'],
      [Kind.parameter, 'radius startAngle endAngle bulge'],
      [
        Kind.ignored,
        'name description descriptionReference identifier metaDataProperty normal degree knot knots vectorAtStart vectorAtEnd stopLines breakLines maxLength controlPoint',
      ],
    ] as const
  ).flatMap(([kind, names]) => names.split(' ').map((name) => [name, kind] as const)),
);

/** By local name: GML 2.1.2, 3.1.1 and 3.2 give none of them two meanings. */
export function toKind(local: string): number {
  return KINDS.get(local) ?? Kind.unknown;
}
