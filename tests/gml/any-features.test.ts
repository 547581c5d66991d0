import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FeatureType, SchemaAttribute } from '../../src/gml/index.js';
import { convertCut } from './convert.js';

type Position = [string, string] | [string, string, string];
type Ring = Position[];
type Geometry =
  | { type: 'Point'; coordinates: Position }
  | { type: 'LineString'; coordinates: Position[] }
  | { type: 'Polygon'; coordinates: Ring[] }
  | { type: 'MultiPoint'; coordinates: Position[] }
  | { type: 'MultiLineString'; coordinates: Position[][] }
  | { type: 'MultiPolygon'; coordinates: Ring[][] };
type Value = string | number | boolean | null;
interface Feature {
  id: string;
  geometry: Geometry | null;
  values: Value[];
}

// Features

const ordinate = fc.oneof(
  fc.integer({ min: -180, max: 180 }).map(String),
  fc
    .double({ min: -1e7, max: 1e7, noNaN: true, noDefaultInfinity: true })
    .map((value) => String(value === 0 ? 0 : value)),
  fc.constantFrom('0.10', '-0.5', '9007199254740993', '1e-7', '12345678.123456789012'),
);
const positions = (hasZ: boolean, minLength: number) => {
  const position: fc.Arbitrary<Position> = hasZ
    ? fc.tuple(ordinate, ordinate, ordinate)
    : fc.tuple(ordinate, ordinate);
  return fc.array(position, { minLength, maxLength: 12 });
};

/** A star about a centre: its direction is known without computing it. */
const ring = (isInterior: boolean): fc.Arbitrary<Ring> =>
  fc
    .record({
      centre: fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -1000, max: 1000 })),
      radii: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 3, maxLength: 12 }),
    })
    .map(({ centre: [x, y], radii }) => {
      const turn = (isInterior ? -2 : 2) * Math.PI;
      const around = radii.map((radius, i): Position => {
        const angle = (turn * i) / radii.length;
        return [(x + radius * Math.cos(angle)).toFixed(4), (y + radius * Math.sin(angle)).toFixed(4)];
      });
      return [...around, around[0] as Position];
    });
const polygon = fc
  .tuple(ring(false), fc.array(ring(true), { maxLength: 2 }))
  .map(([exterior, interiors]) => [exterior, ...interiors]);
const geometry: fc.Arbitrary<Geometry | null> = fc.boolean().chain((hasZ) =>
  fc.oneof(
    fc.constant(null),
    positions(hasZ, 1).map(([first]): Geometry => ({ type: 'Point', coordinates: first as Position })),
    positions(hasZ, 2).map((coordinates): Geometry => ({ type: 'LineString', coordinates })),
    positions(hasZ, 1).map((coordinates): Geometry => ({ type: 'MultiPoint', coordinates })),
    fc
      .array(positions(hasZ, 2), { minLength: 1, maxLength: 3 })
      .map((coordinates): Geometry => ({ type: 'MultiLineString', coordinates })),
    polygon.map((coordinates): Geometry => ({ type: 'Polygon', coordinates })),
    fc
      .array(polygon, { minLength: 1, maxLength: 3 })
      .map((coordinates): Geometry => ({ type: 'MultiPolygon', coordinates })),
  ),
);

// XML 1.0 §2.2, without CR (which a parser turns into LF).
const isXml = (text: string): boolean =>
  /^[\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u.test(text);
const anyText = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter(isXml);
const text = fc.oneof(anyText, fc.constantFrom('01004', ']]>', ' ', '&amp;', 'true', '<a>', '"\\', 'é東😀'));
const valueOfType: Record<string, fc.Arbitrary<Value>> = {
  string: fc.option(text),
  integer: fc.option(fc.integer()),
  number: fc.option(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  ),
  boolean: fc.option(fc.boolean()),
  date: fc.option(fc.constantFrom('2024-02-29', '1999-12-31')),
};
const types = Object.keys(valueOfType) as SchemaAttribute['type'][];
const layer = fc.array(fc.constantFrom(...types), { maxLength: 6 }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    features: fc.array(
      fc.record({
        id: text,
        geometry,
        values: fc.tuple(...columns.map((type) => valueOfType[type] as fc.Arbitrary<Value>)) as fc.Arbitrary<
          Value[]
        >,
      }),
      { maxLength: 5 },
    ),
  }),
);

// Writing them as servers do

interface Dialect {
  gml: string;
  isGml2: boolean;
  isTurned: boolean;
  isSwapped: boolean;
  nulls: 'absent' | 'nil' | 'empty';
  notation: 'posList' | 'pos' | 'coordinates' | 'coord';
  space: string;
  usesCdata: boolean;
  geometryAt: number;
}
const dialect: fc.Arbitrary<Dialect> = fc.record({
  gml: fc.constantFrom('gml', 'g', ''),
  isGml2: fc.boolean(),
  isTurned: fc.boolean(),
  isSwapped: fc.boolean(),
  nulls: fc.constantFrom('absent', 'nil', 'empty'),
  notation: fc.constantFrom('posList', 'pos', 'coordinates', 'coord'),
  space: fc.constantFrom('', '\n  ', '<!-- c -->', '\t<?pi?>'),
  usesCdata: fc.boolean(),
  geometryAt: fc.nat(6),
});

class Writer {
  constructor(private readonly dialect: Dialect) {}

  document(features: Feature[]): string {
    const { space, gml } = this.dialect;
    const prefix = gml === '' ? 'xmlns' : `xmlns:${gml}`;
    const members = features.map((one) => `${space}${this.tag('featureMember', this.feature(one))}`);
    return (
      `<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:t="t" ${prefix}="http://www.opengis.net/gml" xmlns:id="http://www.opengis.net/gml"` +
      ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${members.join('')}${space}</wfs:FeatureCollection>`
    );
  }

  private feature({ id, geometry: shape, values }: Feature): string {
    const { space, geometryAt, isGml2 } = this.dialect;
    const properties = values.map((value, i) => this.value(`a${i}`, value));
    const written = shape === null ? '' : `<t:geom>${space}${this.geometry(shape)}</t:geom>`;
    properties.splice(Math.min(geometryAt, properties.length), 0, written);
    const name = isGml2 ? 'fid' : 'id:id';
    const attribute = toXmlText(id)
      .replace(/"/g, '&quot;')
      .replace(/[\n\t]/g, (one) => `&#${one.charCodeAt(0)};`);
    return `<t:f ${name}="${attribute}">${properties.map((one) => space + one).join('')}</t:f>`;
  }

  private value(name: string, value: Value): string {
    const { nulls, usesCdata } = this.dialect;
    if (value === null) {
      return nulls === 'absent'
        ? ''
        : nulls === 'nil'
          ? `<t:${name} xsi:nil="true"/>`
          : `<t:${name}></t:${name}>`;
    }
    const lexical = String(value);
    const content = usesCdata
      ? `<![CDATA[${lexical.replace(/]]>/g, ']]]]><![CDATA[>')}]]>`
      : toXmlText(lexical);
    return `<t:${name}>${content}</t:${name}>`;
  }

  private geometry(shape: Geometry): string {
    switch (shape.type) {
      case 'Point':
        return this.point(shape.coordinates);
      case 'LineString':
        return this.line(shape.coordinates);
      case 'Polygon':
        return this.polygon(shape.coordinates);
      case 'MultiPoint':
        return this.multi(
          'MultiPoint',
          'pointMember',
          shape.coordinates.map((one) => this.point(one)),
        );
      case 'MultiLineString': {
        const [name, member] = this.dialect.isGml2
          ? ['MultiLineString', 'lineStringMember']
          : ['MultiCurve', 'curveMember'];
        return this.multi(
          name as string,
          member as string,
          shape.coordinates.map((one) => this.line(one)),
        );
      }
      case 'MultiPolygon': {
        const [name, member] = this.dialect.isGml2
          ? ['MultiPolygon', 'polygonMember']
          : ['MultiSurface', 'surfaceMember'];
        return this.multi(
          name as string,
          member as string,
          shape.coordinates.map((one) => this.polygon(one)),
        );
      }
    }
  }

  private multi(name: string, member: string, parts: string[]): string {
    return this.tag(name, parts.map((part) => this.tag(member, part)).join(this.dialect.space));
  }

  private point(position: Position): string {
    return this.tag('Point', this.numbers([position]));
  }

  private line(path: Position[]): string {
    return this.tag('LineString', this.numbers(path));
  }

  private polygon(rings: Ring[]): string {
    const [exterior, interior] = this.dialect.isGml2
      ? ['outerBoundaryIs', 'innerBoundaryIs']
      : ['exterior', 'interior'];
    const written = rings.map((one, i) => {
      const path = this.dialect.isTurned ? [...one].reverse() : one;
      return this.tag((i === 0 ? exterior : interior) as string, this.tag('LinearRing', this.numbers(path)));
    });
    return this.tag('Polygon', written.join(this.dialect.space));
  }

  private numbers(path: Position[]): string {
    const ordered = path.map(([x, y, ...z]) => (this.dialect.isSwapped ? [y, x, ...z] : [x, y, ...z]));
    const dimension = path[0]?.length ?? 2;
    switch (this.dialect.notation) {
      case 'posList':
        return this.tag(
          'posList',
          ordered.map((one) => one.join(' ')).join('\n '),
          dimension === 3 ? ' srsDimension="3"' : '',
        );
      case 'pos':
        return ordered.map((one) => this.tag('pos', one.join(' '))).join('');
      case 'coordinates':
        return this.tag('coordinates', ordered.map((one) => one.join(',')).join(' '));
      case 'coord':
        return ordered
          .map((one) =>
            this.tag('coord', one.map((value, i) => this.tag('XYZ'[i] as string, value)).join('')),
          )
          .join('');
    }
  }

  private tag(name: string, content: string, attributes = ''): string {
    const qualified = this.dialect.gml === '' ? name : `${this.dialect.gml}:${name}`;
    return `<${qualified}${attributes}>${content}</${qualified}>`;
  }
}

const toXmlText = (value: string): string =>
  value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

// What they are as GeoJSON, number for number

function toJson({ id, geometry: shape, values }: Feature): string {
  const numbers = (value: unknown): string =>
    Array.isArray(value) ? `[${value.map(numbers).join(',')}]` : String(value);
  const written =
    shape === null ? 'null' : `{"type":"${shape.type}","coordinates":${numbers(shape.coordinates)}}`;
  const properties = values.map(
    (value, i) => `"a${i}":${typeof value === 'number' ? String(value) : JSON.stringify(value)}`,
  );
  return `{"type":"Feature","id":${JSON.stringify(id)},"geometry":${written},"geometry_name":"geom","properties":{${properties.join(',')}}}`;
}

test('any features, in any dialect, cut anywhere, come back as they were', () => {
  fc.assert(
    fc.property(
      layer,
      dialect,
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      ({ columns, features }, how, lengths) => {
        const featureType: FeatureType = {
          name: 'f',
          namespace: 't',
          attributes: columns.map((type, i) => ({
            name: `a${i}`,
            type,
            xsdType: type,
            nullable: true,
            repeated: false,
          })),
          geometries: [{ name: 'geom', type: 'Geometry' }],
        };
        const gml = new Writer(how).document(features);
        let next = 0;
        const cut = () => lengths[next++ % lengths.length] as number;
        const outcome = convertCut(gml, { featureType, crs: () => ({ swap: how.isSwapped }) }, cut);
        expect(outcome.error).toBeUndefined();
        expect(outcome.warnings).toEqual({});
        expect(outcome.text).toBe(features.map(toJson).join(','));
      },
    ),
    { numRuns: 250 },
  );
});
