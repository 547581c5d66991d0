import type { FeatureType } from '../../src/gml/index.js';
import type { Options } from './convert.js';

/** How a server writes its answers. */
export interface Dialect {
  name: string;
  head: string;
  tail: string;
  /** A feature of the usual kind. */
  usual(i: number): string;
  /** What stands around a feature's own elements. */
  wrap(i: number, content: string): string;
  options: Options;
}

const XMLNS =
  'xmlns:wfs="http://www.opengis.net/wfs" xmlns:xlink="http://www.w3.org/1999/xlink" ' +
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:app="http://example.org/app"';
const GML = 'xmlns:gml="http://www.opengis.net/gml"';
const GML32 = 'xmlns:gml="http://www.opengis.net/gml/3.2"';

const attribute = (name: string, type: FeatureType['attributes'][number]['type'], repeated = false) => ({
  name,
  type,
  xsdType: 'x',
  nullable: true,
  repeated,
});
export const featureType: FeatureType = {
  name: 'thing',
  namespace: 'http://example.org/app',
  attributes: [
    attribute('name', 'string'),
    attribute('size', 'number'),
    attribute('count', 'integer'),
    attribute('open', 'boolean'),
    attribute('day', 'date'),
    attribute('note', 'string'),
    attribute('tags', 'string', true),
  ],
  geometries: [
    { name: 'geom', type: 'Geometry' },
    { name: 'centre', type: 'Point' },
  ],
};
const { attributes } = featureType;
const typed: FeatureType = { ...featureType, attributes: attributes.filter(({ repeated }) => !repeated) };

/** A closed ring of `n` corners; turned the right way for an exterior one unless `isTurned`. */
export function ring(i: number, n: number, isTurned = false): string {
  const corners = Array.from({ length: n }, (_, k) => {
    const angle = ((isTurned ? -k : k) / n) * 2 * Math.PI;
    return `${(48 + i / 7 + Math.sin(angle)).toFixed(5)} ${(-2 - i / 3 + Math.cos(angle)).toFixed(6)}`;
  });
  return [...corners, corners[0]].join(' ');
}

const polygon = (i: number): string =>
  `<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>${ring(i, 5 + (i % 4), i % 3 === 0)}</gml:posList></gml:LinearRing></gml:exterior>` +
  (i % 5 === 0
    ? `<gml:interior><gml:LinearRing><gml:posList>${ring(i, 4, i % 2 === 0)}</gml:posList></gml:LinearRing></gml:interior>`
    : '') +
  '</gml:Polygon>';

const NAMES = ['Straße', 'A&amp;B', 'x', '', 'two words', '"quoted" \\', 'é&#233;&lt;', 'a]b=c|d}'];
const properties = (i: number): string =>
  `<app:name>${NAMES[i % NAMES.length]}</app:name>` +
  (i % 4 === 1 ? '' : `<app:size>${(i * 1.25 - 9).toFixed(i % 3)}</app:size>`) +
  (i % 5 === 2 ? '<app:count xsi:nil="true"/>' : `<app:count>${i * 7}</app:count>`) +
  `<app:open>${i % 2 === 0}</app:open>` +
  (i % 6 === 3 ? '<app:day/>' : `<app:day>20${10 + (i % 80)}-01-02Z</app:day>`) +
  (i % 3 === 0 ? '' : `<app:note>n ${'long '.repeat(i % 40)}</app:note>`);

const members = (content: string): string =>
  `<app:thing gml:id="thing.${content.length % 97}">${content}</app:thing>`;

export const dialects: Dialect[] = [
  {
    name: 'GeoServer, GML 3.1.1, with a schema',
    head: `<?xml version="1.0" encoding="UTF-8"?><wfs:FeatureCollection ${XMLNS} ${GML} numberOfFeatures="7"><gml:featureMembers>`,
    tail: '</gml:featureMembers></wfs:FeatureCollection>',
    usual: (i) =>
      members(
        `<app:geom><gml:MultiSurface srsName="urn:x-ogc:def:crs:EPSG:4326" srsDimension="2"><gml:surfaceMember>${polygon(i)}</gml:surfaceMember></gml:MultiSurface></app:geom>${properties(i)}`,
      ),
    wrap: (i, content) => `<app:thing gml:id="odd.${i}">${content}</app:thing>`,
    options: { featureType: typed, crs: () => ({ swap: true }) },
  },
  {
    name: 'MapServer, indented, without a schema',
    head: `<?xml version='1.0' encoding="UTF-8" ?>\r\n<wfs:FeatureCollection ${XMLNS} ${GML}>\r\n  <gml:boundedBy><gml:Envelope srsName="EPSG:4326" srsDimension="2"><gml:lowerCorner>1 2</gml:lowerCorner></gml:Envelope></gml:boundedBy>\r\n`,
    tail: '</wfs:FeatureCollection>\n',
    usual: (i) =>
      `    <gml:featureMember>\n      <app:thing gml:id='t.${i}'>\n        <gml:boundedBy>\n\t<gml:Envelope srsName="EPSG:4326">\n<gml:lowerCorner>${i}.5 -1</gml:lowerCorner></gml:Envelope>\n        </gml:boundedBy>\n` +
      `        <app:geom>\n          ${i % 4 === 0 ? `<gml:Point srsName="EPSG:2154"><gml:pos>${i} 2.50 </gml:pos></gml:Point>` : polygon(i)}\n        </app:geom>\n        ${properties(i)}\n      </app:thing>\n    </gml:featureMember>\n`,
    wrap: (i, content) =>
      `    <gml:featureMember>\n      <app:thing gml:id='odd.${i}'>\n${content}\n      </app:thing>\n    </gml:featureMember>\n`,
    options: { crs: (srsName) => ({ swap: srsName === 'EPSG:4326' }), srsNameFromEnvelope: true },
  },
  {
    name: 'GML 2, coordinates, fid',
    head: `<wfs:FeatureCollection ${XMLNS} ${GML}>`,
    tail: '</wfs:FeatureCollection>',
    usual: (i) =>
      `<gml:featureMember><app:thing fid="thing.${i}">${properties(i)}<app:geom><gml:LineString><gml:coordinates decimal="." cs="," ts=" ">${ring(i, 4).replace(/(\S+) (\S+)/g, '$1,$2')}</gml:coordinates></gml:LineString></app:geom></app:thing></gml:featureMember>`,
    wrap: (i, content) =>
      `<gml:featureMember><app:thing fid="odd.${i}">${content}</app:thing></gml:featureMember>`,
    options: { featureType: typed, propertyNames: ['size', 'note'] },
  },
  {
    name: 'GML 3.2, ids everywhere, reprojected, three dimensions',
    head: `<wfs:FeatureCollection ${XMLNS} ${GML32} numberMatched="unknown">`,
    tail: '</wfs:FeatureCollection>',
    usual: (i) =>
      `<wfs:member><app:thing gml:id="t.${i}"><gml:description>n${i}</gml:description>${properties(i)}<app:geom><gml:MultiCurve gml:id="t.${i}.g" srsName="urn:ogc:def:crs:EPSG::2154"><gml:curveMember><gml:LineString gml:id="t.${i}.0" srsDimension="3"><gml:posList>1 2 3 4 5 ${i}</gml:posList></gml:LineString></gml:curveMember>` +
      `<gml:curveMember><gml:Curve gml:id="c.${i}"><gml:segments><gml:LineStringSegment><gml:posList>${ring(i, 3)}</gml:posList></gml:LineStringSegment></gml:segments></gml:Curve></gml:curveMember></gml:MultiCurve></app:geom><app:length uom="m">${i}</app:length></app:thing></wfs:member>`,
    wrap: (i, content) => `<wfs:member><app:thing gml:id="odd.${i}">${content}</app:thing></wfs:member>`,
    options: { crs: () => ({ swap: false, transform: (x, y) => [x + 1, y * 2] }) },
  },
];

/** The content of features that are out of the ordinary, each in its own way. */
export const oddities: [name: string, content: (i: number) => string][] = [
  ['nothing', () => ''],
  ['white space', () => ' \n\t'],
  ['text between properties', () => 'a<app:name>b</app:name>c &amp; d'],
  ['a comment in a value', () => '<app:name>a<!-- & -->b</app:name><app:count>1<!-- -->2</app:count>'],
  ['a comment between properties', () => '<app:name>a</app:name><!-- x --><app:size>1</app:size>'],
  ['an instruction', () => '<?pi x?><app:name>a<?pi y?></app:name>'],
  ['CDATA', () => '<app:name><![CDATA[<&>]]></app:name><app:size><![CDATA[12]]></app:size>'],
  ['references', () => '<app:name>&#65;&#x1F600;&apos;&quot;</app:name><app:size>&#49;2</app:size>'],
  ['brackets', () => '<app:name>]</app:name><app:note>a]]b]</app:note>'],
  ['line ends', () => '<app:name>a\r\nb\rc\nd\te</app:name><app:size>\r\n1\r\n</app:size>'],
  ['numbers in odd spelling', () => '<app:size>007</app:size><app:count>+1</app:count>'],
  ['exponents and NaN', () => '<app:size>1e5</app:size><app:count>NaN</app:count>'],
  [
    'values outside their types',
    () => '<app:size>big</app:size><app:open>perhaps</app:open><app:day> </app:day>',
  ],
  ['booleans as numbers', () => '<app:open>1</app:open>'],
  [
    'spaces around values',
    () => '<app:size> 1 </app:size><app:open> true</app:open><app:day>2020-01-01 </app:day>',
  ],
  ['a property twice', () => '<app:name>a</app:name><app:name>b</app:name>'],
  ['properties out of order', () => '<app:note>a</app:note><app:name>b</app:name>'],
  ['a property nobody knows', () => '<app:name>a</app:name><app:extra>1</app:extra><app:extra2/>'],
  [
    'a nested property',
    () => '<app:name><app:first>a</app:first><app:last/></app:name><app:size>1</app:size>',
  ],
  ['nil with text', () => '<app:name xsi:nil="true">a</app:name><app:size xsi:nil="1">2</app:size>'],
  ['not nil', () => '<app:name xsi:nil="false">a</app:name>'],
  ['gml:name beside name', () => '<gml:name>a</gml:name><app:name>b</app:name>'],
  ['a unit', () => '<app:size uom="m²">1.5</app:size><app:size uom="m"/>'],
  ['other declarations', () => '<n:name xmlns:n="urn:n">a</n:name><name xmlns="urn:x">b</name>'],
  ['single quotes and spaces in tags', () => "<app:name\n a='\"' >a</app:name\t><app:size  />"],
  [
    'a long value',
    (i) => `<app:name>${'xyz '.repeat(500 + i)}</app:name><app:day>${'9'.repeat(100)}</app:day>`,
  ],
  ['a reference to a geometry before', (i) => `<app:geom xlink:href="#t.${i - 1}.0"/>`],
  [
    'a reference to nothing',
    () => '<app:geom xlink:href="#none"/><app:note xlink:href="http://example.org/"/>',
  ],
  ['an empty geometry', () => '<app:geom/><app:name>a</app:name>'],
  ['a point', () => '<app:geom><gml:Point><gml:pos>1 2</gml:pos></gml:Point></app:geom>'],
  [
    'a point with an id',
    () => '<app:geom><gml:Point gml:id="p&amp;1"><gml:pos>1 2 3</gml:pos></gml:Point></app:geom>',
  ],
  [
    'two points in one',
    () => '<app:geom><gml:Point><gml:pos>1 2</gml:pos><gml:pos>3 4</gml:pos></gml:Point></app:geom>',
  ],
  ['a NaN coordinate', () => '<app:geom><gml:Point><gml:pos>1 NaN</gml:pos></gml:Point></app:geom>'],
  [
    'a coordinate that is none',
    () => '<app:geom><gml:LineString><gml:posList>1 2 x 4</gml:posList></gml:LineString></app:geom>',
  ],
  [
    'an incomplete position',
    () => '<app:geom><gml:LineString><gml:posList>1 2 3</gml:posList></gml:LineString></app:geom>',
  ],
  [
    'coordinates in odd spelling',
    () =>
      '<app:geom><gml:LineString><gml:posList>+1 .5 1e2 007 1. -0</gml:posList></gml:LineString></app:geom>',
  ],
  [
    'many digits',
    () =>
      '<app:geom><gml:LineString><gml:posList>1.12345678901234567 123456789012 0.1234567891 -0.00000000001</gml:posList></gml:LineString></app:geom>',
  ],
  [
    'a line of one position',
    () => '<app:geom><gml:LineString><gml:posList>1 2</gml:posList></gml:LineString></app:geom>',
  ],
  [
    'an empty list',
    () => '<app:geom><gml:LineString><gml:posList></gml:posList></gml:LineString></app:geom>',
  ],
  [
    'a bad dimension',
    () =>
      '<app:geom><gml:LineString srsDimension="1"><gml:posList>1 2 3 4</gml:posList></gml:LineString></app:geom>',
  ],
  [
    'pos after pos',
    (i) =>
      `<app:geom><gml:LineString><gml:pos>1 2</gml:pos> <gml:pos>3 ${i}</gml:pos><gml:pos/></gml:LineString></app:geom>`,
  ],
  [
    'two lists in a line',
    () =>
      '<app:geom><gml:LineString><gml:posList>1 2</gml:posList><gml:posList>3 4</gml:posList></gml:LineString></app:geom>',
  ],
  [
    'coord',
    () =>
      '<app:geom><gml:Point><gml:coord><gml:X>1</gml:X><gml:Y>2</gml:Y></gml:coord></gml:Point></app:geom>',
  ],
  [
    'separators of its own',
    () =>
      '<app:geom><gml:LineString><gml:coordinates decimal="," cs=" " ts=";">1,5 2;3 4</gml:coordinates></gml:LineString></app:geom>',
  ],
  [
    'tuples the other way round',
    () => '<app:geom><gml:LineString><gml:coordinates>1 2,3 4</gml:coordinates></gml:LineString></app:geom>',
  ],
  [
    'an open ring',
    () =>
      '<app:geom><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>0 0 0 1 1 1 1 0</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></app:geom>',
  ],
  [
    'a ring too short',
    () =>
      '<app:geom><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>0 0 0 1 0 0</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></app:geom>',
  ],
  [
    'a ring of pos',
    () =>
      '<app:geom><gml:Polygon><gml:exterior><gml:LinearRing><gml:pos>0 0</gml:pos><gml:pos>0 1</gml:pos><gml:pos>1 1</gml:pos><gml:pos>0 0</gml:pos></gml:LinearRing></gml:exterior></gml:Polygon></app:geom>',
  ],
  [
    'interior before exterior',
    (i) =>
      `<app:geom><gml:Polygon><gml:interior><gml:LinearRing><gml:posList>${ring(i, 4)}</gml:posList></gml:LinearRing></gml:interior><gml:exterior><gml:LinearRing><gml:posList>${ring(i, 5)}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></app:geom>`,
  ],
  [
    'no exterior',
    (i) =>
      `<app:geom><gml:Polygon><gml:interior><gml:LinearRing><gml:posList>${ring(i, 4)}</gml:posList></gml:LinearRing></gml:interior></gml:Polygon></app:geom>`,
  ],
  [
    'a surface of one patch',
    (i) =>
      `<app:geom><gml:Surface gml:id="s.${i}"><gml:patches><gml:PolygonPatch><gml:exterior><gml:LinearRing><gml:posList>${ring(i, 4)}</gml:posList></gml:LinearRing></gml:exterior></gml:PolygonPatch></gml:patches></gml:Surface></app:geom>`,
  ],
  [
    'a surface of two patches',
    (i) =>
      `<app:geom><gml:Surface><gml:patches>${polygon(i)}${polygon(i + 1)}</gml:patches></gml:Surface></app:geom>`,
  ],
  [
    'a collection',
    (i) =>
      `<app:geom><gml:MultiGeometry><gml:geometryMember>${polygon(i)}</gml:geometryMember><gml:geometryMember><gml:Point><gml:pos>1 2</gml:pos></gml:Point></gml:geometryMember></gml:MultiGeometry></app:geom>`,
  ],
  [
    'points',
    () =>
      '<app:geom><gml:MultiPoint><gml:pointMember><gml:Point><gml:pos>1 2</gml:pos></gml:Point></gml:pointMember><gml:pointMembers><gml:Point><gml:pos>3 4</gml:pos></gml:Point></gml:pointMembers></gml:MultiPoint></app:geom>',
  ],
  [
    'members by reference',
    (i) =>
      `<app:geom><gml:MultiCurve><gml:curveMember xlink:href="#t.${i - 1}.0"/></gml:MultiCurve></app:geom>`,
  ],
  [
    'an envelope',
    () =>
      '<app:geom><gml:Envelope><gml:lowerCorner>1 2</gml:lowerCorner><gml:upperCorner>3 4</gml:upperCorner></gml:Envelope></app:geom>',
  ],
  [
    'an arc',
    () =>
      '<app:geom><gml:Curve><gml:segments><gml:Arc><gml:posList>0 0 1 1 2 0</gml:posList></gml:Arc></gml:segments></gml:Curve></app:geom>',
  ],
  [
    'segments that join',
    () =>
      '<app:geom><gml:Curve><gml:segments><gml:LineStringSegment><gml:posList>0 0 1 1</gml:posList></gml:LineStringSegment><gml:LineStringSegment><gml:posList>1 1 2 2</gml:posList></gml:LineStringSegment></gml:segments></gml:Curve></app:geom>',
  ],
  [
    'a segment of two lists',
    () =>
      '<app:geom><gml:Curve><gml:segments><gml:LineStringSegment><gml:posList>0 0 1 1</gml:posList><gml:posList>1 1 2 2</gml:posList></gml:LineStringSegment></gml:segments></gml:Curve></app:geom>',
  ],
  [
    'a curve against its direction',
    () =>
      '<app:geom><gml:OrientableCurve orientation="-"><gml:baseCurve><gml:LineString><gml:posList>0 0 1 1</gml:posList></gml:LineString></gml:baseCurve></gml:OrientableCurve></app:geom>',
  ],
  [
    'an element no geometry has',
    () => '<app:geom><gml:Polygon><gml:wrong>1</gml:wrong></gml:Polygon></app:geom>',
  ],
  [
    'two geometries',
    () =>
      '<app:geom><gml:Point><gml:pos>1 2</gml:pos></gml:Point></app:geom><app:centre><gml:Point><gml:pos>3 4</gml:pos></gml:Point></app:centre>',
  ],
  [
    'the second geometry alone',
    () => '<app:centre><gml:Point><gml:pos>3 4</gml:pos></gml:Point></app:centre>',
  ],
  [
    'a geometry deep inside',
    () => '<app:name><app:place><gml:Point><gml:pos>3 4</gml:pos></gml:Point></app:place></app:name>',
  ],
  [
    'text before a geometry',
    () => '<app:geom> here <gml:Point><gml:pos>3 4</gml:pos></gml:Point> there</app:geom>',
  ],
  [
    'an extent',
    () =>
      '<gml:boundedBy><gml:Envelope srsName="EPSG:3857" srsDimension="3"><gml:lowerCorner>1 2 &amp; ] 3</gml:lowerCorner></gml:Envelope></gml:boundedBy><app:geom><gml:LineString><gml:posList>1 2 3 4 5 6</gml:posList></gml:LineString></app:geom>',
  ],
  [
    'another srsName',
    () => '<app:geom><gml:Point srsName="EPSG:4326"><gml:pos>3 4</gml:pos></gml:Point></app:geom>',
  ],
  [
    'coordinates in lines',
    () =>
      '<app:geom><gml:LineString><gml:posList>\r\n1 2\r\n3 4\r\n</gml:posList></gml:LineString></app:geom>',
  ],
];

/** Features on which the document ends, each for its own reason. */
export const faults: [name: string, content: string][] = [
  ['a wrong end tag', '<app:name>a</app:nome>'],
  ['an end tag too many', '</app:name>'],
  ['an attribute twice', '<app:name a="1" a="2">a</app:name>'],
  ['an unbound prefix', '<nope:name>a</nope:name>'],
  ['an unknown entity', '<app:name>&eacute;</app:name>'],
  ['a bare ampersand', '<app:name>a & b</app:name>'],
  ['the end of CDATA', '<app:name>a]]>b</app:name>'],
  ['the end of CDATA in what is skipped', '<gml:boundedBy>]]></gml:boundedBy>'],
  ['a character XML does not allow', '<app:name>a\u0001b</app:name>'],
  ['U+FFFF', '<app:name>a\uffffb</app:name>'],
  ['a comment that is none', '<app:name>a</app:name><!-- -- -->'],
  ['a tag in a value', '<app:name>a<b</app:name>'],
  ['an id with a tag', '</app:thing><app:thing gml:id="<">'],
  [
    'a report',
    '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception><ows:ExceptionText>out</ows:ExceptionText></ows:Exception></ows:ExceptionReport>',
  ],
  ['a declaration', '<?xml version="1.0"?><a/>'],
];
