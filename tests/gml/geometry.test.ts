import { describe, expect, test } from '@jest/globals';
import { collection, convert, feature, geometryOf, only } from './convert.js';

const RING = '<gml:LinearRing><gml:posList>0 0 4 0 4 4 0 4 0 0</gml:posList></gml:LinearRing>';
const SQUARE = [
  [0, 0],
  [4, 0],
  [4, 4],
  [0, 4],
  [0, 0],
];
const ring = (posList: string): string =>
  `<gml:LinearRing><gml:posList>${posList}</gml:posList></gml:LinearRing>`;
const polygon = (...rings: string[]): string =>
  `<gml:Polygon>${rings.map((one, i) => (i === 0 ? `<gml:exterior>${one}</gml:exterior>` : `<gml:interior>${one}</gml:interior>`)).join('')}</gml:Polygon>`;
const line = (posList: string): string =>
  `<gml:LineString><gml:posList>${posList}</gml:posList></gml:LineString>`;
const point = (pos: string): string => `<gml:Point><gml:pos>${pos}</gml:pos></gml:Point>`;
const curve = (...segments: string[]): string =>
  `<gml:Curve><gml:segments>${segments.join('')}</gml:segments></gml:Curve>`;
const segment = (posList: string): string =>
  `<gml:LineStringSegment><gml:posList>${posList}</gml:posList></gml:LineStringSegment>`;

const Point = (...coordinates: number[]) => ({ type: 'Point', coordinates });
const LineString = (...coordinates: number[][]) => ({ type: 'LineString', coordinates });
const Polygon = (...coordinates: number[][][]) => ({ type: 'Polygon', coordinates });

describe('positions in every notation', () => {
  const path = LineString([1, 2], [3, 4], [5, 6]);
  test.each([
    ['posList', '<gml:LineString><gml:posList>1 2 3 4 5 6</gml:posList></gml:LineString>', path],
    [
      'posList with padding and line ends',
      '<gml:LineString><gml:posList>\r\n 1\t2\n3   4 5 6\r\n</gml:posList></gml:LineString>',
      path,
    ],
    [
      'a pos a vertex',
      '<gml:LineString><gml:pos>1 2</gml:pos><gml:pos> 3 4 </gml:pos><gml:pos>5 6</gml:pos></gml:LineString>',
      path,
    ],
    [
      'points as vertices',
      `<gml:LineString><gml:pointProperty>${point('1 2')}</gml:pointProperty><gml:pointRep>${point('3 4')}</gml:pointRep><gml:pos>5 6</gml:pos></gml:LineString>`,
      path,
    ],
    ['coordinates', '<gml:LineString><gml:coordinates>1,2 3,4 5,6</gml:coordinates></gml:LineString>', path],
    [
      'coordinates with padding',
      '<gml:LineString><gml:coordinates>\n 1 ,2  3, 4\n5 , 6 </gml:coordinates></gml:LineString>',
      path,
    ],
    [
      'coordinates with separators of their own',
      '<gml:LineString><gml:coordinates decimal="," cs=";" ts="|">1,0;2|3;4|5;6,0</gml:coordinates></gml:LineString>',
      LineString([1, 2], [3, 4], [5, 6]),
    ],
    [
      'coordinates with the usual separators named',
      '<gml:LineString><gml:coordinates decimal="." cs="," ts=" ">1,2 3,4 5,6</gml:coordinates></gml:LineString>',
      path,
    ],
    [
      'coordinates with blanks about the commas',
      '<gml:LineString><gml:coordinates>1,2 3, 4 5 ,6</gml:coordinates></gml:LineString>',
      path,
    ],
    [
      'coordinates the wrong way about',
      '<gml:LineString><gml:coordinates>1 2,3 4,5 6</gml:coordinates></gml:LineString>',
      path,
    ],
    [
      'coord',
      '<gml:LineString><gml:coord><gml:X>1</gml:X><gml:Y>2</gml:Y></gml:coord><gml:coord><gml:X> 3 </gml:X><gml:Y>4</gml:Y></gml:coord><gml:coord><gml:X>5</gml:X><gml:Y>6</gml:Y></gml:coord></gml:LineString>',
      path,
    ],
    [
      'comments, CDATA and references in between',
      '<gml:LineString><gml:posList>1<!-- a --> 2 <![CDATA[3 4]]>&#32;5&#x20;6</gml:posList></gml:LineString>',
      path,
    ],
    [
      'a comment inside a number',
      '<gml:LineString><gml:posList>1<!-- -->0 2 3 4<!-- -->0</gml:posList></gml:LineString>',
      LineString([10, 2], [3, 40]),
    ],
    ['a posList in a Point', '<gml:Point><gml:posList>1 2</gml:posList></gml:Point>', Point(1, 2)],
    ['coordinates in a Point', '<gml:Point><gml:coordinates>1,2</gml:coordinates></gml:Point>', Point(1, 2)],
    [
      'coordinates with a blank in a Point',
      '<gml:Point><gml:coordinates>10 10</gml:coordinates></gml:Point>',
      Point(10, 10),
    ],
  ])('%s', (_, gml, expected) => {
    expect(geometryOf(gml)).toEqual({ geometry: expected, warnings: {} });
  });

  test('numbers are copied digit by digit where JSON takes them, and only respelt where it does not', () => {
    const numbers = '1.10 9007199254740993 -0.0 1e-7 +1.0 1. .5 007 -.5 -007.50 00 +1.E+2';
    const { text } = convert(feature(`<app:g>${line(numbers)}</app:g>`));
    expect(text).toContain(
      '"coordinates":[[1.10,9007199254740993],[-0.0,1e-7],[1.0,1],[0.5,7],[-0.5,-7.50],[0,1e+2]]',
    );
  });
});

describe('dimensions', () => {
  test.each([
    [
      'on the posList',
      '<gml:LineString><gml:posList srsDimension="3">1 2 3 4 5 6</gml:posList></gml:LineString>',
    ],
    [
      'on the geometry',
      '<gml:LineString srsDimension="3"><gml:posList>1 2 3 4 5 6</gml:posList></gml:LineString>',
    ],
    [
      'M dropped',
      '<gml:LineString><gml:posList srsDimension="4">1 2 3 9 4 5 6 9</gml:posList></gml:LineString>',
    ],
    [
      'as many as a pos holds',
      '<gml:LineString><gml:pos>1 2 3</gml:pos><gml:pos>4 5 6 7</gml:pos></gml:LineString>',
    ],
    [
      'as many as a tuple holds',
      '<gml:LineString><gml:coordinates>1,2,3 4,5,6</gml:coordinates></gml:LineString>',
    ],
    [
      'a comma on its own goes on with the tuple',
      '<gml:LineString><gml:coordinates>1,2 ,3 4,5\r\n,6</gml:coordinates></gml:LineString>',
    ],
    [
      "under GML 3.0's name",
      '<gml:LineString><gml:posList dimension="3">1 2 3 4 5 6</gml:posList></gml:LineString>',
    ],
    [
      'coord with Z',
      '<gml:LineString><gml:coord><gml:X>1</gml:X><gml:Y>2</gml:Y><gml:Z>3</gml:Z></gml:coord><gml:coord><gml:X>4</gml:X><gml:Y>5</gml:Y><gml:Z>6</gml:Z></gml:coord></gml:LineString>',
    ],
  ])('%s', (_, gml) => {
    expect(geometryOf(gml).geometry).toEqual(LineString([1, 2, 3], [4, 5, 6]));
  });

  test("of the Envelope around, where nothing nearer has one; a multi geometry's holds for its parts", () => {
    const bounds = '<gml:boundedBy><gml:Envelope srsDimension="3"/></gml:boundedBy>';
    expect(only(feature(`${bounds}<app:g>${line('1 2 3 4 5 6')}</app:g>`)).geometry).toEqual(
      LineString([1, 2, 3], [4, 5, 6]),
    );
    const multi = `<gml:MultiCurve srsDimension="3"><gml:curveMember>${line('1 2 3 4 5 6')}</gml:curveMember></gml:MultiCurve>`;
    expect(geometryOf(multi).geometry).toEqual({
      type: 'MultiLineString',
      coordinates: [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
    });
  });

  test('the first two change places, the third stays', () => {
    const { geometry } = geometryOf('<gml:Point><gml:pos>48 2 100</gml:pos></gml:Point>', {
      crs: () => ({ swap: true }),
    });
    expect(geometry).toEqual(Point(2, 48, 100));
  });
});

describe('every geometry element', () => {
  const members = (name: string, ...parts: string[]): string =>
    parts.map((part) => `<gml:${name}>${part}</gml:${name}>`).join('');
  const HOLE = ring('1 1 1 2 2 2 2 1 1 1');
  const HOLED = Polygon(SQUARE, [
    [1, 1],
    [1, 2],
    [2, 2],
    [2, 1],
    [1, 1],
  ]);
  const MULTI_POLYGON = { type: 'MultiPolygon', coordinates: [HOLED.coordinates, [SQUARE]] };
  const MULTI_LINE = {
    type: 'MultiLineString',
    coordinates: [
      [
        [0, 0],
        [1, 1],
      ],
      [
        [2, 2],
        [3, 3],
      ],
    ],
  };
  const MULTI_POINT = {
    type: 'MultiPoint',
    coordinates: [
      [1, 2],
      [3, 4],
    ],
  };
  test.each([
    ['Polygon', polygon(RING, HOLE), HOLED],
    [
      'Polygon of GML 2',
      `<gml:Polygon><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>0,0 4,0 4,4 0,4 0,0</gml:coordinates></gml:LinearRing></gml:outerBoundaryIs><gml:innerBoundaryIs>${HOLE}</gml:innerBoundaryIs></gml:Polygon>`,
      HOLED,
    ],
    [
      'two rings in one innerBoundaryIs',
      `<gml:Polygon><gml:outerBoundaryIs>${RING}</gml:outerBoundaryIs><gml:innerBoundaryIs>${HOLE}${HOLE}</gml:innerBoundaryIs></gml:Polygon>`,
      Polygon(SQUARE, HOLED.coordinates[1]!, HOLED.coordinates[1]!),
    ],
    [
      'the interior ring first',
      `<gml:Polygon><gml:interior>${HOLE}</gml:interior><gml:exterior>${RING}</gml:exterior></gml:Polygon>`,
      HOLED,
    ],
    [
      'MultiSurface',
      `<gml:MultiSurface>${members('surfaceMember', polygon(RING, HOLE), polygon(RING))}</gml:MultiSurface>`,
      MULTI_POLYGON,
    ],
    [
      'MultiSurface with surfaceMembers',
      `<gml:MultiSurface>${members('surfaceMembers', polygon(RING, HOLE) + polygon(RING))}</gml:MultiSurface>`,
      MULTI_POLYGON,
    ],
    [
      'MultiPolygon',
      `<gml:MultiPolygon>${members('polygonMember', polygon(RING, HOLE), polygon(RING))}</gml:MultiPolygon>`,
      MULTI_POLYGON,
    ],
    [
      'Surface of one patch',
      `<gml:Surface><gml:patches><gml:PolygonPatch><gml:exterior>${RING}</gml:exterior><gml:interior>${HOLE}</gml:interior></gml:PolygonPatch></gml:patches></gml:Surface>`,
      HOLED,
    ],
    [
      'Surface of two patches',
      `<gml:Surface><gml:patches><gml:PolygonPatch><gml:exterior>${RING}</gml:exterior><gml:interior>${HOLE}</gml:interior></gml:PolygonPatch><gml:Rectangle><gml:exterior>${RING}</gml:exterior></gml:Rectangle></gml:patches></gml:Surface>`,
      MULTI_POLYGON,
    ],
    [
      'CompositeSurface, OrientableSurface',
      `<gml:CompositeSurface>${members('surfaceMember', polygon(RING, HOLE), `<gml:OrientableSurface orientation="-"><gml:baseSurface>${polygon(RING)}</gml:baseSurface></gml:OrientableSurface>`)}</gml:CompositeSurface>`,
      MULTI_POLYGON,
    ],
    [
      'a Surface in a MultiSurface',
      `<gml:MultiSurface>${members('surfaceMember', `<gml:Surface><gml:patches><gml:PolygonPatch><gml:exterior>${RING}</gml:exterior><gml:interior>${HOLE}</gml:interior></gml:PolygonPatch><gml:PolygonPatch><gml:exterior>${RING}</gml:exterior></gml:PolygonPatch></gml:patches></gml:Surface>`)}</gml:MultiSurface>`,
      MULTI_POLYGON,
    ],
    [
      'PolyhedralSurface',
      `<gml:PolyhedralSurface><gml:polygonPatches><gml:PolygonPatch><gml:exterior>${RING}</gml:exterior><gml:interior>${HOLE}</gml:interior></gml:PolygonPatch><gml:PolygonPatch><gml:exterior>${RING}</gml:exterior></gml:PolygonPatch></gml:polygonPatches></gml:PolyhedralSurface>`,
      MULTI_POLYGON,
    ],
    [
      'Tin',
      `<gml:Tin><gml:trianglePatches><gml:Triangle><gml:exterior>${ring('0 0 1 0 0 1 0 0')}</gml:exterior></gml:Triangle></gml:trianglePatches><gml:controlPoint><gml:posList>0 0 1 1</gml:posList></gml:controlPoint></gml:Tin>`,
      Polygon([
        [0, 0],
        [1, 0],
        [0, 1],
        [0, 0],
      ]),
    ],
    [
      'Solid',
      `<gml:Solid><gml:exterior><gml:CompositeSurface>${members('surfaceMember', polygon(RING, HOLE), polygon(RING))}</gml:CompositeSurface></gml:exterior></gml:Solid>`,
      MULTI_POLYGON,
    ],
    ['Curve', curve(segment('0 0 1 1'), segment('1 1 2 0')), LineString([0, 0], [1, 1], [2, 0])],
    [
      'CompositeCurve',
      `<gml:CompositeCurve>${members('curveMember', line('0 0 1 1'), curve(segment('1.0 1 2 0')))}</gml:CompositeCurve>`,
      LineString([0, 0], [1, 1], [2, 0]),
    ],
    [
      'OrientableCurve',
      `<gml:OrientableCurve orientation="-"><gml:baseCurve>${line('0 0 1 1 2 0')}</gml:baseCurve></gml:OrientableCurve>`,
      LineString([2, 0], [1, 1], [0, 0]),
    ],
    [
      'an OrientableCurve inside a CompositeCurve',
      `<gml:CompositeCurve>${members('curveMember', line('0 0 1 1'), `<gml:OrientableCurve orientation="-"><gml:baseCurve>${line('2 0 1 1')}</gml:baseCurve></gml:OrientableCurve>`)}</gml:CompositeCurve>`,
      LineString([0, 0], [1, 1], [2, 0]),
    ],
    [
      'a Ring of curves',
      `<gml:Polygon><gml:exterior><gml:Ring>${members('curveMember', line('0 0 4 0 4 4'), curve(segment('4 4 0 4'), segment('0 4 0 0')))}</gml:Ring></gml:exterior></gml:Polygon>`,
      Polygon(SQUARE),
    ],
    [
      'splines by their control points',
      curve(
        '<gml:BSpline><gml:posList>0 0 1 1</gml:posList><gml:degree>1</gml:degree><gml:knot><gml:Knot><gml:value>0</gml:value></gml:Knot></gml:knot></gml:BSpline>',
        '<gml:CubicSpline><gml:posList>1 1 2 0</gml:posList><gml:vectorAtStart>1 1</gml:vectorAtStart></gml:CubicSpline>',
      ),
      LineString([0, 0], [1, 1], [2, 0]),
    ],
    [
      'a CompositeCurve against its direction, its joints written once',
      `<gml:OrientableCurve orientation="-"><gml:baseCurve><gml:CompositeCurve>${members('curveMember', line('0 0 1 1'), line('1 1 2 0'))}</gml:CompositeCurve></gml:baseCurve></gml:OrientableCurve>`,
      LineString([2, 0], [1, 1], [0, 0]),
    ],
    [
      'a position that is there twice in a row, joined once however deep it stands',
      `<gml:CompositeCurve>${members('curveMember', line('0 0 1 1'), `<gml:CompositeCurve>${members('curveMember', curve(segment('1 1 1 1 2 0')))}</gml:CompositeCurve>`)}</gml:CompositeCurve>`,
      LineString([0, 0], [1, 1], [1, 1], [2, 0]),
    ],
    ['LinearRing alone', RING, LineString(...SQUARE)],
    [
      'MultiCurve',
      `<gml:MultiCurve>${members('curveMember', line('0 0 1 1'), curve(segment('2 2 3 3')))}</gml:MultiCurve>`,
      MULTI_LINE,
    ],
    [
      'MultiCurve with curveMembers',
      `<gml:MultiCurve>${members('curveMembers', line('0 0 1 1') + line('2 2 3 3'))}</gml:MultiCurve>`,
      MULTI_LINE,
    ],
    [
      'MultiLineString',
      `<gml:MultiLineString>${members('lineStringMember', line('0 0 1 1'), line('2 2 3 3'))}</gml:MultiLineString>`,
      MULTI_LINE,
    ],
    [
      'MultiPoint',
      `<gml:MultiPoint>${members('pointMember', point('1 2'), point('3 4'))}</gml:MultiPoint>`,
      MULTI_POINT,
    ],
    [
      'MultiPoint with pointMembers',
      `<gml:MultiPoint>${members('pointMembers', point('1 2') + point('3 4'))}</gml:MultiPoint>`,
      MULTI_POINT,
    ],
    [
      'Envelope',
      '<gml:Envelope><gml:lowerCorner>0 0</gml:lowerCorner><gml:upperCorner>4 4</gml:upperCorner></gml:Envelope>',
      Polygon(SQUARE),
    ],
    ['Box', '<gml:Box><gml:coordinates>0,0 4,4</gml:coordinates></gml:Box>', Polygon(SQUARE)],
    [
      'MultiGeometry',
      `<gml:MultiGeometry>${members('geometryMember', point('1 2'), line('0 0 1 1'), polygon(RING))}</gml:MultiGeometry>`,
      { type: 'GeometryCollection', geometries: [Point(1, 2), LineString([0, 0], [1, 1]), Polygon(SQUARE)] },
    ],
    [
      'MultiGeometry of multi geometries and surfaces',
      `<gml:MultiGeometry>${members('geometryMember', `<gml:MultiPoint>${members('pointMember', point('1 2'), point('3 4'))}</gml:MultiPoint>`, `<gml:Surface><gml:patches><gml:PolygonPatch><gml:exterior>${RING}</gml:exterior></gml:PolygonPatch></gml:patches></gml:Surface>`)}</gml:MultiGeometry>`,
      { type: 'GeometryCollection', geometries: [MULTI_POINT, Polygon(SQUARE)] },
    ],
  ])('%s', (_, gml, expected) => {
    expect(geometryOf(gml)).toEqual({ geometry: expected, warnings: {} });
  });

  test('in no namespace at all, in whatever a schema calls a geometry, and by default', () => {
    const shape = '<LineString><posList>1 2 3 4</posList></LineString>';
    const expected = LineString([1, 2], [3, 4]);
    expect(
      only(`<FeatureCollection><member><a fid="1"><g>${shape}</g></a></member></FeatureCollection>`),
    ).toEqual({
      type: 'Feature',
      id: '1',
      geometry: expected,
      geometry_name: 'g',
      properties: {},
    });
    const featureType = {
      name: 'a',
      namespace: '',
      attributes: [],
      geometries: [{ name: 'g', type: 'Geometry' }],
    };
    const foreign = `<c:member xmlns:c="urn:c"><c:a fid="1"><c:g>${shape.replace(/<(\/?)/g, '<$1c:')}</c:g></c:a></c:member>`;
    expect(only(foreign, { featureType }).geometry).toEqual(expected);
    expect(only(foreign).properties).toEqual({ g: { LineString: { posList: '1 2 3 4' } } });
    expect(geometryOf(shape.replace('>', ' xmlns="http://www.opengis.net/gml/3.2">')).geometry).toEqual(
      expected,
    );
  });

  test('names and descriptions inside a geometry are not of it', () => {
    const gml =
      '<gml:Point><gml:description>d</gml:description><gml:name>n</gml:name><gml:pos>1 2</gml:pos></gml:Point>';
    expect(geometryOf(gml)).toEqual({ geometry: Point(1, 2), warnings: {} });
  });

  test.each([
    '<gml:MultiSurface/>',
    '<gml:Polygon/>',
    '<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList/></gml:LinearRing></gml:exterior></gml:Polygon>',
    '<gml:Point><gml:pos></gml:pos></gml:Point>',
    '<gml:LineString/>',
    '<gml:MultiGeometry><gml:geometryMember/></gml:MultiGeometry>',
    '<gml:Surface><gml:patches/></gml:Surface>',
    '',
  ])('an empty geometry is null, without a warning: %s', (gml) => {
    expect(geometryOf(gml)).toEqual({ geometry: null, warnings: {} });
  });

  test('an empty part leaves the others', () => {
    const gml = `<gml:MultiSurface>${members('surfaceMember', '<gml:Polygon/>', polygon(RING), '<gml:Polygon/>')}</gml:MultiSurface>`;
    expect(geometryOf(gml).geometry).toEqual({ type: 'MultiPolygon', coordinates: [[SQUARE]] });
  });
});

describe('the right-hand rule and closed rings (RFC 7946 §3.1.6)', () => {
  const CLOCKWISE = ring('0 0 0 4 4 4 4 0 0 0');
  const ofRings = (...rings: string[]) => geometryOf(polygon(...rings)).geometry?.coordinates;

  test('an exterior ring that runs clockwise is turned round, number for number', () => {
    const { text } = convert(feature(`<app:g>${polygon(ring('0.0 0 0 4.10 4 4 4 0 0.0 0'))}</app:g>`));
    expect(text).toContain('"coordinates":[[[0.0,0],[4,0],[4,4],[0,4.10],[0.0,0]]]');
    expect(ofRings(CLOCKWISE)).toEqual([SQUARE]);
  });

  test('an interior ring runs the other way', () => {
    const inside = '1 1 2 1 2 2 1 2 1 1';
    expect(ofRings(RING, ring(inside))).toEqual([
      SQUARE,
      [
        [1, 1],
        [1, 2],
        [2, 2],
        [2, 1],
        [1, 1],
      ],
    ]);
  });

  test('the direction is that of what is written, behind the swap', () => {
    const { geometry } = geometryOf(polygon(RING), { crs: () => ({ swap: true }) });
    expect(geometry?.coordinates).toEqual([
      [
        [0, 0],
        [4, 0],
        [4, 4],
        [0, 4],
        [0, 0],
      ],
    ]);
  });

  test('far from the origin the direction is still found', () => {
    const [x, y] = [1e7, 6e6];
    const text = [
      [0, 0],
      [0, 0.01],
      [0.01, 0.01],
      [0.01, 0],
      [0, 0],
    ]
      .map(([a, b]) => `${x + a!} ${y + b!}`)
      .join(' ');
    const { geometry } = geometryOf(polygon(ring(text)));
    expect((geometry!.coordinates as number[][][])[0]![1]).toEqual([x + 0.01, y]);
  });

  test('an open ring is closed with its first position', () => {
    const { text } = convert(feature(`<app:g>${polygon(ring('0.50 0 4 0 4 4'))}</app:g>`));
    expect(text).toContain('[[0.50,0],[4,0],[4,4],[0.50,0]]');
  });

  test('a ring closed in more digits than a number has is closed', () => {
    const { text } = convert(
      feature(`<app:g>${polygon(ring('53.85714 0 60 0 60 4 53.85714000000000000000 -0.0'))}</app:g>`),
    );
    expect(text).toContain('[[53.85714,0],[60,0],[60,4],[53.85714000000000000000,-0.0]]');
  });

  test('a ring closed in other digits is closed', () => {
    expect(ofRings(ring('0 0 4 0 4 4 0.0 0.00'))).toEqual([
      [
        [0, 0],
        [4, 0],
        [4, 4],
        [0, 0],
      ],
    ]);
  });
});

describe('arcs become chords no further than 0.031 % of the radius away', () => {
  const deviation = (points: number[][], [cx, cy]: [number, number], radius: number): number =>
    Math.max(
      ...points.map(([x, y], i) => {
        const [nx, ny] = points[i + 1] ?? [x, y];
        return Math.abs(Math.hypot((x! + nx!) / 2 - cx, (y! + ny!) / 2 - cy) - radius) / radius;
      }),
    );
  const path = (gml: string): number[][] => geometryOf(gml).geometry!.coordinates as number[][];

  test('an Arc begins and ends where it says, through its middle', () => {
    const points = path(curve('<gml:Arc><gml:posList>1 0 0 1 -1 0</gml:posList></gml:Arc>'));
    expect(points[0]).toEqual([1, 0]);
    expect(points.at(-1)).toEqual([-1, 0]);
    expect(Math.min(...points.map(([x, y]) => Math.hypot(x!, y! - 1)))).toBeLessThan(0.03);
    expect(points.every(([x, y]) => Math.abs(Math.hypot(x!, y!) - 1) < 1e-12)).toBe(true);
    expect(deviation(points, [0, 0], 1)).toBeLessThan(0.00031);
  });

  test('an ArcString goes on, and joins the segment behind it', () => {
    const points = path(
      curve(
        '<gml:ArcString><gml:posList>0 0 1 1 2 0 3 -1 4 0</gml:posList></gml:ArcString>',
        segment('4 0 5 0'),
      ),
    );
    expect(points.filter(([x, y]) => x === 4 && y === 0)).toHaveLength(1);
    expect(points.at(-1)).toEqual([5, 0]);
    expect(Math.min(...points.map(([, y]) => y!))).toBeLessThan(-0.99);
  });

  test('a Circle is a closed ring the right way round', () => {
    const { geometry } = geometryOf(
      `<gml:Polygon><gml:exterior><gml:Ring><gml:curveMember>${curve('<gml:Circle><gml:posList>1 0 0 -1 -1 0</gml:posList></gml:Circle>')}</gml:curveMember></gml:Ring></gml:exterior></gml:Polygon>`,
    );
    const [points] = geometry!.coordinates as number[][][];
    expect(points![0]).toEqual(points!.at(-1));
    expect(points!.length).toBe(129);
    const area =
      points!.slice(1).reduce((sum, [x, y], i) => sum + (points![i]![0]! * y! - x! * points![i]![1]!), 0) / 2;
    expect(area).toBeCloseTo(Math.PI, 2);
  });

  test('ArcByCenterPoint and CircleByCenterPoint, by radius and angles', () => {
    const quarter = path(
      curve(
        '<gml:ArcByCenterPoint numArc="1"><gml:pos>10 10</gml:pos><gml:radius uom="m">2</gml:radius><gml:startAngle uom="deg">0</gml:startAngle><gml:endAngle uom="deg">90</gml:endAngle></gml:ArcByCenterPoint>',
      ),
    );
    expect(quarter[0]![0]).toBeCloseTo(12, 9);
    expect(quarter.at(-1)![1]).toBeCloseTo(12, 9);
    expect(quarter).toHaveLength(33);
    const radians = quarter.length;
    expect(
      path(
        curve(
          '<gml:ArcByCenterPoint numArc="1"><gml:pos>10 10</gml:pos><gml:radius uom="m">2</gml:radius><gml:startAngle uom="rad">0</gml:startAngle><gml:endAngle uom="urn:ogc:def:uom:EPSG::9101">1.5707963267948966</gml:endAngle></gml:ArcByCenterPoint>',
        ),
      ),
    ).toHaveLength(radians);
    const circle = path(
      curve(
        '<gml:CircleByCenterPoint numArc="1"><gml:pos>10 10</gml:pos><gml:radius uom="m">2</gml:radius></gml:CircleByCenterPoint>',
      ),
    );
    expect(circle[0]).toEqual(circle.at(-1));
    expect(circle).toHaveLength(129);
  });

  test('a radius that is a length is not drawn among degrees', () => {
    const circle = (uom: string): string =>
      curve(
        `<gml:CircleByCenterPoint><gml:pos>2 48</gml:pos><gml:radius${uom}>5</gml:radius></gml:CircleByCenterPoint>`,
      );
    const crs = () => ({ swap: false, isGeographic: true });
    for (const uom of [' uom="m"', ' uom="[nmi_i]"', ' uom="urn:ogc:def:uom:EPSG::9001"'])
      expect(geometryOf(circle(uom), { crs })).toEqual({ geometry: null, warnings: { unsupportedCurve: 1 } });
    for (const uom of ['', ' uom="deg"', ' uom="urn:ogc:def:uom:EPSG::9102"'])
      expect(geometryOf(circle(uom), { crs }).geometry?.coordinates).toHaveLength(129);
    expect(geometryOf(circle(' uom="m"')).geometry?.coordinates).toHaveLength(129);
  });

  test('ArcByBulge rises to the left of its chord', () => {
    const points = path(
      curve(
        '<gml:ArcByBulge numArc="1"><gml:posList>0 0 2 0</gml:posList><gml:bulge>1</gml:bulge><gml:normal>1</gml:normal></gml:ArcByBulge>',
      ),
    );
    expect(Math.max(...points.map(([, y]) => y!))).toBeCloseTo(1, 9);
    expect(points.at(-1)).toEqual([2, 0]);
  });

  test('three points on a line are straight', () => {
    expect(path(curve('<gml:Arc><gml:posList>0 0 1 1 2 2</gml:posList></gml:Arc>'))).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
  });

  test('they are drawn in their own CRS and reprojected then', () => {
    const transform = (x: number, y: number) => [x * 2, y * 3] as const;
    const { geometry } = geometryOf(curve('<gml:Arc><gml:posList>1 0 0 1 -1 0</gml:posList></gml:Arc>'), {
      crs: () => ({ swap: false, transform }),
    });
    for (const [x, y] of geometry!.coordinates as number[][])
      expect(Math.hypot(x! / 2, y! / 3)).toBeCloseTo(1, 12);
  });
});

describe('numbers of very many digits', () => {
  const whole = `${'9'.repeat(121)}.${'9'.repeat(400)}`;
  const tiny = `0.${'0'.repeat(310)}5`;
  const long = `1.${'0'.repeat(65_530)}1`;

  test.each([
    ['posList', line(`1 2 ${whole} ${tiny}`)],
    [
      'coordinates',
      `<gml:LineString><gml:coordinates>1,2 ${whole},${tiny}</gml:coordinates></gml:LineString>`,
    ],
    [
      'coord',
      `<gml:LineString><gml:pos>1 2</gml:pos><gml:coord><gml:X>${whole}</gml:X><gml:Y>${tiny}</gml:Y></gml:coord></gml:LineString>`,
    ],
  ])('keep them: %s', (_, gml) => {
    for (const cut of [Number.POSITIVE_INFINITY, 700, 1]) {
      const { text, warnings } = convert(feature(`<app:g>${gml}</app:g>`), {}, cut);
      expect(text).toContain(`"coordinates":[[1,2],[${whole},${tiny}]]`);
      expect(warnings).toEqual({});
    }
  });

  test('up to 65,536 characters', () => {
    const { text, warnings } = convert(feature(`<app:g>${line(`1 2 ${long} 3`)}</app:g>`));
    expect(text).toContain(`[${long},3]`);
    expect(warnings).toEqual({});
  });

  test('are reprojected as what they are', () => {
    const transform = (x: number, y: number): [number, number] => [x + 1, y];
    const { geometry } = only(feature(`<app:g>${point(`1.${'0'.repeat(400)}5 ${whole}`)}</app:g>`), {
      crs: () => ({ swap: false, transform }),
    });
    expect(geometry).toEqual(Point(2, 1e121));
  });

  test('a ring is turned by what they are', () => {
    const one = `1.${'0'.repeat(400)}`;
    const { geometry } = only(
      feature(`<app:g>${polygon(ring(`0 0 0 ${one} ${one} ${one} ${one} 0 0 0`))}</app:g>`),
    );
    expect(geometry).toEqual(
      Polygon([
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
        [0, 0],
      ]),
    );
  });
});

describe('faults that cost a feature its geometry are counted by name', () => {
  test.each([
    ['nanCoordinate', point('NaN 2')],
    ['nanCoordinate', line('1 2 INF 4')],
    ['nanCoordinate', '<gml:Point><gml:coordinates>1,1e999</gml:coordinates></gml:Point>'],
    ['nanCoordinate', line(`1 2 3 ${'9'.repeat(400)}`)],
    ['badCoordinate', line('1 2 x 4')],
    ['badCoordinate', line(`1 2 3 0.${'4'.repeat(65_536)}`)],
    // XML Schema collapses less white space than JavaScript trims (XML Schema 2 §4.3.6).
    [
      'badCoordinate',
      '<gml:Point><gml:coord><gml:X>1</gml:X><gml:Y>\u2028.5</gml:Y></gml:coord></gml:Point>',
    ],
    ['badCoordinate', line('1 2 3 4\u00a0')],
    ['badCoordinate', '<gml:Point><gml:coord><gml:X>1 2</gml:X><gml:Y>3</gml:Y></gml:coord></gml:Point>'],
    ['badCoordinate', line('1 2 3,5 4')],
    ['incompletePosition', line('1 2 3')],
    ['incompletePosition', '<gml:Point><gml:pos>1</gml:pos></gml:Point>'],
    ['badDimension', '<gml:LineString><gml:posList srsDimension="1">1 2</gml:posList></gml:LineString>'],
    [
      'badDimension',
      '<gml:LineString><gml:posList srsDimension="x">1 2 3 4 5 6</gml:posList></gml:LineString>',
    ],
    ['badDimension', '<gml:Point><gml:pos>1 2 3 4 5</gml:pos></gml:Point>'],
    [
      'badDimension',
      '<gml:LineString><gml:posList srsDimension="2.5">1 2 3 4 5 6</gml:posList></gml:LineString>',
    ],
    ['tooFewPositions', line('1 2')],
    ['tooFewPositions', polygon(ring('0 0 1 1 0 0'))],
    ['exteriorMissing', `<gml:Polygon><gml:interior>${RING}</gml:interior></gml:Polygon>`],
    ['unsupportedCurve', curve('<gml:Clothoid><gml:posList>0 0 1 1</gml:posList></gml:Clothoid>')],
    [
      'unsupportedCurve',
      curve(
        '<gml:ArcByCenterPoint><gml:pos>0 0</gml:pos><gml:radius>1</gml:radius><gml:startAngle>0</gml:startAngle><gml:endAngle>1e12</gml:endAngle></gml:ArcByCenterPoint>',
      ),
    ],
    [
      'unsupportedCurve',
      curve(
        '<gml:ArcByCenterPoint><gml:pos>0 0</gml:pos><gml:radius>1</gml:radius><gml:startAngle>0</gml:startAngle><gml:endAngle>east</gml:endAngle></gml:ArcByCenterPoint>',
      ),
    ],
    ...['', '0x10', '\u00a01', 'one'].map((radius): [string, string] => [
      'unsupportedCurve',
      curve(
        `<gml:CircleByCenterPoint><gml:pos>0 0</gml:pos><gml:radius>${radius}</gml:radius></gml:CircleByCenterPoint>`,
      ),
    ]),
    [
      'nanCoordinate',
      curve(
        '<gml:CircleByCenterPoint><gml:pos>1e308 1e308</gml:pos><gml:radius>1e308</gml:radius></gml:CircleByCenterPoint>',
      ),
    ],
    ['unsupportedCurve', curve('<gml:Arc><gml:posList>0 0 1 1</gml:posList></gml:Arc>')],
    [
      'unexpectedElement',
      `<gml:MultiSurface><gml:surfaceMember>${point('1 2')}</gml:surfaceMember></gml:MultiSurface>`,
    ],
    ['unexpectedElement', '<gml:Polygon><gml:posList>1 2 3 4</gml:posList></gml:Polygon>'],
    ['unexpectedElement', '<gml:Point><gml:mystery>1</gml:mystery><gml:pos>1 2</gml:pos></gml:Point>'],
    [
      'unexpectedElement',
      `<gml:Polygon><gml:exterior>${RING}</gml:exterior><gml:exterior>${RING}</gml:exterior></gml:Polygon>`,
    ],
    ['unexpectedElement', line('1 2 3 4 <gml:pos>5 6</gml:pos> 7 8')],
    ['unexpectedElement', '<gml:Point><gml:coord><gml:pos>1 2</gml:pos></gml:coord></gml:Point>'],
    ['unexpectedElement', curve(`<gml:Arc>${line('0 0 1 1')}<gml:pos>2 0</gml:pos></gml:Arc>`)],
    ['unexpectedElement', '<gml:Polygon><gml:exterior xlink:href="#p"/></gml:Polygon>'],
    ['unresolvedReference', '<gml:MultiPoint><gml:pointMember xlink:href="#later"/></gml:MultiPoint>'],
  ])('%s: %s', (fault, gml) => {
    const { features, warnings } = convert(
      collection(
        '<app:a><app:g><gml:Point gml:id="p"><gml:pos>1 2</gml:pos></gml:Point></app:g></app:a>',
        `<app:a><app:g>${gml}</app:g></app:a>`,
      ),
    );
    expect([features[1]?.geometry, warnings]).toEqual([null, { [fault]: 1 }]);
  });

  test('the feature itself and those behind it stay whole', () => {
    const gml = collection(
      `<app:a fid="1"><app:g>${point('NaN 2')}</app:g><app:x>1</app:x></app:a>`,
      `<app:a fid="2"><app:g>${point('1 2')}</app:g></app:a>`,
    );
    const { features, warnings } = convert(gml);
    expect(features[0]).toEqual({
      type: 'Feature',
      id: '1',
      geometry: null,
      geometry_name: 'g',
      properties: { x: '1' },
    });
    expect(features[1]?.geometry).toEqual(Point(1, 2));
    expect(warnings).toEqual({ nanCoordinate: 1 });
  });
});

describe('references to geometries', () => {
  const withId = (id: string, gml: string): string => gml.replace(/^<gml:(\w+)/, `<gml:$1 gml:id="${id}"`);
  const href = (id: string): string => `xlink:href="#${id}"`;

  test('to one before, as the geometry, as a part, as a vertex', () => {
    const gml = collection(
      `<app:a fid="1"><app:g>${withId('p', point('1 2'))}</app:g><app:h>${withId('s', polygon(RING))}</app:h><app:l>${withId('l', line('1 1 2 2'))}</app:l></app:a>`,
      `<app:a fid="2"><app:g ${href('s')}/></app:a>`,
      `<app:a fid="3"><app:g><gml:MultiSurface><gml:surfaceMember ${href('s')}/><gml:surfaceMember>${polygon(RING)}</gml:surfaceMember></gml:MultiSurface></app:g></app:a>`,
      `<app:a fid="4"><app:g><gml:LineString><gml:pos>0 0</gml:pos><gml:pointProperty ${href('p')}/></gml:LineString></app:g></app:a>`,
      `<app:a fid="5"><app:g><gml:CompositeCurve><gml:curveMember>${line('0 0 1 1')}</gml:curveMember><gml:curveMember ${href('l')}/></gml:CompositeCurve></app:g></app:a>`,
    );
    const { features, warnings } = convert(gml);
    expect(warnings).toEqual({});
    expect(features.map(({ geometry }) => geometry)).toEqual([
      Point(1, 2),
      Polygon(SQUARE),
      { type: 'MultiPolygon', coordinates: [[SQUARE], [SQUARE]] },
      LineString([0, 0], [1, 2]),
      LineString([0, 0], [1, 1], [2, 2]),
    ]);
  });

  test('forward, remote or to itself: a null geometry and a warning where the schema declares a geometry', () => {
    const gml = collection(
      `<app:a fid="1"><app:g ${href('later')}/></app:a>`,
      '<app:a fid="2"><app:g xlink:href="http://example.org/#p"/></app:a>',
      `<app:a fid="3"><app:g><gml:MultiPoint gml:id="m"><gml:pointMember ${href('m')}/></gml:MultiPoint></app:g></app:a>`,
      `<app:a fid="4"><app:g>${withId('later', point('1 2'))}</app:g></app:a>`,
    );
    const featureType = {
      name: 'a',
      namespace: '',
      attributes: [],
      geometries: [{ name: 'g', type: 'Geometry' }],
    };
    const { features, warnings } = convert(gml, { featureType });
    expect(features.map(({ geometry }) => geometry)).toEqual([null, null, null, Point(1, 2)]);
    expect(warnings).toEqual({ unresolvedReference: 3 });
  });

  test('to a boundary that is part of another: shared by two polygons, in either direction', () => {
    const member = (content: string): string => `<gml:curveMember>${content}</gml:curveMember>`;
    const inRing = (...parts: string[]): string =>
      `<gml:Polygon><gml:exterior><gml:Ring>${parts.join('')}</gml:Ring></gml:exterior></gml:Polygon>`;
    const shared = withId('shared', curve(segment('4 0 4 4')));
    const reversed = `<gml:OrientableCurve orientation="-"><gml:baseCurve ${href('shared')}/></gml:OrientableCurve>`;
    const { features, warnings } = convert(
      collection(
        `<app:a><app:g>${inRing(member(line('0 4 0 0 4 0')), member(shared), member(line('4 4 0 4')))}</app:g></app:a>`,
        `<app:a><app:g>${inRing(member(line('4 0 8 0 8 4 4 4')), member(reversed))}</app:g></app:a>`,
        `<app:a><app:g>${inRing(`<gml:curveMember ${href('shared')}/>`, member(line('4 4 0 2 4 0')))}</app:g></app:a>`,
        `<app:a><app:g ${href('shared')}/></app:a>`,
      ),
    );
    const ring = (...positions: number[][]) => Polygon([...positions, positions[0] as number[]]);
    expect(warnings).toEqual({});
    expect(features.map(({ geometry }) => geometry)).toEqual([
      ring([0, 4], [0, 0], [4, 0], [4, 4]),
      ring([4, 0], [8, 0], [8, 4], [4, 4]),
      ring([4, 0], [4, 4], [0, 2]),
      LineString([4, 0], [4, 4]),
    ]);
  });

  test('to a ring, as the exterior of one polygon and the hole of another', () => {
    const hole = '1 1 2 1 2 2 1 2 1 1';
    const { features, warnings } = convert(
      collection(
        `<app:a><app:g>${polygon(withId('r', ring(hole)))}</app:g></app:a>`,
        `<app:a><app:g><gml:Polygon><gml:interior ${href('r')}/><gml:exterior>${RING}</gml:exterior></gml:Polygon></app:g></app:a>`,
        `<app:a><app:g><gml:Polygon><gml:exterior ${href('r')}/></gml:Polygon></app:g></app:a>`,
      ),
    );
    const inside = [
      [1, 1],
      [2, 1],
      [2, 2],
      [1, 2],
      [1, 1],
    ];
    expect(warnings).toEqual({});
    expect(features.map(({ geometry }) => geometry)).toEqual([
      Polygon(inside),
      Polygon(SQUARE, [...inside].reverse()),
      Polygon(inside),
    ]);
  });

  test('to a collection: all its parts', () => {
    const surface = (id: string): string =>
      `<gml:CompositeSurface gml:id="${id}"><gml:surfaceMember>${polygon(RING)}</gml:surfaceMember><gml:surfaceMember>${polygon(RING)}</gml:surfaceMember></gml:CompositeSurface>`;
    const { features, warnings } = convert(
      collection(
        `<app:a><app:g><gml:MultiSurface gml:id="m"><gml:surfaceMember>${polygon(RING)}</gml:surfaceMember><gml:surfaceMember>${surface('c')}</gml:surfaceMember></gml:MultiSurface></app:g></app:a>`,
        `<app:a><app:g><gml:MultiSurface><gml:surfaceMember ${href('c')}/></gml:MultiSurface></app:g></app:a>`,
        `<app:a><app:g><gml:MultiGeometry gml:id="all"><gml:geometryMember ${href('m')}/><gml:geometryMember>${point('1 2')}</gml:geometryMember></gml:MultiGeometry></app:g></app:a>`,
        `<app:a><app:g ${href('all')}/></app:a>`,
        `<app:a><app:g><gml:MultiGeometry><gml:geometryMember ${href('all')}/></gml:MultiGeometry></app:g></app:a>`,
      ),
    );
    const many = (count: number) => ({ type: 'MultiPolygon', coordinates: Array(count).fill([SQUARE]) });
    const all = { type: 'GeometryCollection', geometries: [many(3), Point(1, 2)] };
    expect(warnings).toEqual({});
    expect(features.map(({ geometry }) => geometry)).toEqual([many(3), many(2), all, all, all]);
  });

  test('unresolved, without a schema: a geometry by its name is null and counted, anything else stays a reference', () => {
    const { features, warnings } = convert(
      collection(
        '<app:a><app:the_geom xlink:href="#later"/><app:owner xlink:href="#o.1"/></app:a>',
        '<app:a><gml:pointProperty xlink:href="http://example.org/p"/></app:a>',
      ),
    );
    expect(
      features.map(({ geometry, geometry_name, properties }) => [geometry, geometry_name, properties]),
    ).toEqual([
      [null, 'the_geom', { owner: { '@href': '#o.1' } }],
      [null, 'pointProperty', {}],
    ]);
    expect(warnings).toEqual({ unresolvedReference: 2 });
  });

  test('a reference beside content, or in a nil element, is none', () => {
    const integer = { type: 'integer', xsdType: 'int', nullable: true, repeated: false } as const;
    const featureType = {
      name: 'thing',
      namespace: '',
      attributes: [
        { ...integer, name: 'n' },
        { ...integer, name: 'm' },
      ],
      geometries: [],
    };
    const gml = feature(
      '<app:n xlink:href="#x">5</app:n><app:m xsi:nil="true" xlink:href="#x"/><app:t xlink:href="#x">\n </app:t>',
    );
    expect(only(gml, { featureType }).properties).toEqual({ n: 5, m: null, t: { '@href': '#x' } });
  });

  test('nothing is kept where no bytes are allowed for it', () => {
    const gml = collection(
      `<app:a><app:geom>${withId('p', point('1 2'))}</app:geom></app:a>`,
      `<app:a><app:geom ${href('p')}/></app:a>`,
    );
    const { features, warnings } = convert(gml, { limits: { referenceBytes: 0 } });
    expect(features[1]?.geometry).toBeNull();
    expect(warnings).toEqual({ unresolvedReference: 1 });
    expect(convert(gml).features[1]?.geometry).toEqual(Point(1, 2));
  });

  test('what is kept is bounded: the first of very many is forgotten, the latest is not', () => {
    const count = 700;
    const long = Array.from({ length: 400 }, (_, i) => `${i} ${i}.5`).join(' ');
    const features = Array.from(
      { length: count },
      (_, i) => `<app:a><app:g>${withId(`l${i}`, line(`${i} -1 ${long}`))}</app:g></app:a>`,
    );
    const gml = collection(
      ...features,
      `<app:a fid="first"><app:g ${href('l0')}/></app:a>`,
      `<app:a fid="last"><app:g ${href(`l${count - 1}`)}/></app:a>`,
    );
    const outcome = convert(gml, {}, 65536);
    expect(outcome.features.at(-2)?.geometry).toBeNull();
    expect(outcome.features.at(-1)?.geometry).toEqual(outcome.features.at(-3)?.geometry);
  });
});

describe('coordinate reference systems', () => {
  test('each srsName is asked about once, the one that is not there too', () => {
    const asked: (string | undefined)[] = [];
    const crs = (srsName: string | undefined) => {
      asked.push(srsName);
      return { swap: srsName === 'urn:ogc:def:crs:EPSG::4326' };
    };
    const at = (srsName: string) =>
      `<app:a><app:g><gml:Point${srsName}><gml:pos>1 2</gml:pos></gml:Point></app:g></app:a>`;
    const [urn, short] = [' srsName="urn:ogc:def:crs:EPSG::4326"', " srsName='EPSG:4326'"];
    const { features } = convert(collection(at(urn), at(short), at(''), at(urn), at(''), at(short)), { crs });
    expect(asked).toEqual(['urn:ogc:def:crs:EPSG::4326', 'EPSG:4326', undefined]);
    expect(features.map(({ geometry }) => geometry?.coordinates)).toEqual([
      [2, 1],
      [1, 2],
      [1, 2],
      [2, 1],
      [1, 2],
      [1, 2],
    ]);
  });

  test("a multi geometry's srsName holds for its parts, unless they have one", () => {
    const gml =
      '<gml:MultiPoint srsName="a"><gml:pointMember><gml:Point><gml:pos>1 2</gml:pos></gml:Point></gml:pointMember><gml:pointMember><gml:Point srsName="b"><gml:pos>1 2</gml:pos></gml:Point></gml:pointMember></gml:MultiPoint>';
    const { geometry } = geometryOf(gml, { crs: (srsName) => ({ swap: srsName === 'a' }) });
    expect(geometry?.coordinates).toEqual([
      [2, 1],
      [1, 2],
    ]);
  });

  test('of the nearest Envelope only where that is asked for', () => {
    const envelope = (srsName: string) =>
      `<gml:boundedBy><gml:Envelope srsName="${srsName}"><gml:lowerCorner>0 0</gml:lowerCorner></gml:Envelope></gml:boundedBy>`;
    const at = (bounds: string) =>
      `<gml:featureMember><app:a>${bounds}<app:g>${point('1 2')}</app:g></app:a></gml:featureMember>`;
    const gml = `<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:app="app">${envelope('outer')}${at('')}${at(envelope('inner'))}${at('')}</wfs:FeatureCollection>`;
    const read = (srsNameFromEnvelope: boolean) => {
      const asked: (string | undefined)[] = [];
      const crs = (srsName: string | undefined) => {
        asked.push(srsName);
        return { swap: false };
      };
      convert(gml, { srsNameFromEnvelope, crs });
      return asked;
    };
    expect(read(true)).toEqual(['outer', 'inner']);
    expect(read(false)).toEqual([undefined]);
  });

  test('reprojection comes behind the swap, and turns rings by what it gives', () => {
    const transform = (x: number, y: number) => [-x, y + 0.5] as const;
    const { geometry } = geometryOf(polygon(RING), { crs: () => ({ swap: true, transform }) });
    const [exterior] = geometry!.coordinates as number[][][];
    expect(exterior).toContainEqual([-4, 0.5]);
    const area = exterior!
      .slice(1)
      .reduce((sum, [x, y], i) => sum + (exterior![i]![0]! * y! - x! * exterior![i]![1]!), 0);
    expect(area).toBeGreaterThan(0);
  });

  test('a position that cannot be reprojected is a fault of its feature', () => {
    const transform = () => [Number.POSITIVE_INFINITY, 0] as const;
    expect(geometryOf(point('1 2'), { crs: () => ({ swap: false, transform }) })).toEqual({
      geometry: null,
      warnings: { nanCoordinate: 1 },
    });
  });
});
