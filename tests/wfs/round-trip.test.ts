import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import type { Bbox, Geometry } from '../../src/geometry/index.js';
import type { Filter } from '../../src/wfs/filter.js';
import { encodeGetFeature, encodeGetFeatureKvp, type GetFeature } from '../../src/wfs/get-feature.js';
import { isXmlText } from '../../src/wfs/xml.js';

// Whatever stands in a request, and wherever: an independent parser reads back what was to be said, and nothing else.

interface Element {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: Element[];
  text: string;
}

function parse(xml: string): Element {
  const parser = new SaxesParser();
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element: Element = { name, attributes: { ...attributes }, children: [], text: '' };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('text', (text) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  });
  parser.on('closetag', () => void open.pop());
  parser.write(xml).close();
  return root.children[0] as Element;
}

const textOf = (element: Element | undefined, name: string) =>
  element?.children.find((child) => child.name === name)?.text ?? '';

/** A filter read back; of geometries, a point and a box. */
function toFilter(element: Element): Filter {
  const { name, children } = element;
  const operator = name.replace('ogc:', '');
  const propertyName = textOf(element, 'ogc:PropertyName');
  const shape = children[1];
  const form = { srsName: shape?.attributes.srsName ?? '', axisOrder: 'lonLat' } as const;
  switch (operator) {
    case 'And':
    case 'Or':
      return { operator, operands: children.map(toFilter) };
    case 'PropertyIsEqualTo':
      return { operator, propertyName, literal: textOf(element, 'ogc:Literal') };
    case 'PropertyIsNull':
      return { operator, propertyName };
    case 'PropertyIsLike':
      return { operator, propertyName, pattern: textOf(element, 'ogc:Literal') };
    case 'PropertyIsBetween': {
      const [, lower, upper] = children;
      return {
        operator,
        propertyName,
        lower: textOf(lower, 'ogc:Literal'),
        upper: textOf(upper, 'ogc:Literal'),
      };
    }
    case 'Intersects': {
      const coordinates = textOf(shape, 'gml:pos').split(' ').map(Number);
      return {
        operator,
        propertyName,
        geometry: { type: 'Point', coordinates } as unknown as Geometry,
        form,
      };
    }
    default: {
      const corners = ['gml:lowerCorner', 'gml:upperCorner'].flatMap((corner) =>
        textOf(shape, corner).split(' '),
      );
      return { operator: 'BBOX', propertyName, bbox: corners.map(Number) as never, form };
    }
  }
}

const toWhole = (element: Element): Filter =>
  element.children[0]?.name === 'ogc:FeatureId'
    ? { operator: 'FeatureId', featureIds: element.children.map(({ attributes }) => attributes.fid ?? '') }
    : toFilter(element.children[0] as Element);

const hostile = fc.constantFrom(
  '</ogc:Literal></ogc:PropertyIsEqualTo><ogc:Or/>',
  '<![CDATA[x]]>',
  ']]>',
  '&lt;&#0;&amp;',
  '"/><x a="',
  '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
  '-->',
  '<?xml?>',
  ' a\tb\r\nc\u0085\u2028 ',
  '😀é',
);
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }).filter(isXmlText), hostile);
const degrees = fc.integer({ min: -180_000, max: 180_000 }).map((n) => n / 1000);
const form = text.map((srsName) => ({ srsName, axisOrder: 'lonLat' }) as const);

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ operator: fc.constant('PropertyIsEqualTo' as const), propertyName: text, literal: text }),
    fc.record({ operator: fc.constant('PropertyIsNull' as const), propertyName: text }),
    fc.record({ operator: fc.constant('PropertyIsLike' as const), propertyName: text, pattern: text }),
    fc.record({
      operator: fc.constant('PropertyIsBetween' as const),
      propertyName: text,
      lower: text,
      upper: text,
    }),
    fc.record({
      operator: fc.constant('Intersects' as const),
      propertyName: text,
      geometry: fc.tuple(degrees, degrees).map((coordinates) => ({ type: 'Point', coordinates }) as Geometry),
      form,
    }),
    fc.record({
      operator: fc.constant('BBOX' as const),
      propertyName: text,
      bbox: fc.tuple(degrees, degrees, degrees, degrees).map((bbox) => bbox as Bbox),
      form,
    }),
    fc.record({
      operator: fc.constantFrom('And' as const, 'Or' as const),
      operands: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
    }),
  ),
}));
const anyFilter = fc.oneof(
  filter,
  fc.record({
    operator: fc.constant('FeatureId' as const),
    featureIds: fc.array(text, { minLength: 1, maxLength: 4 }),
  }),
);
const anyRequest = fc.record({
  typeName: text,
  namespace: text,
  srsName: fc.option(text, { nil: undefined }),
  filter: fc.option(anyFilter, { nil: undefined }),
  propertyNames: fc.option(fc.array(text, { maxLength: 3 }), { nil: undefined }),
  sortBy: fc.array(fc.record({ propertyName: text, descending: fc.boolean() }), { maxLength: 2 }),
});

/** `-0` is written as `0`. */
const toPlain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('a request for features reads back to itself, with any text in any place', () => {
  test('as XML', () => {
    fc.assert(
      fc.property(anyRequest, (request: GetFeature) => {
        const root = parse(encodeGetFeature(request));
        const [query] = root.children;
        const byName = (name: string) => query?.children.filter((child) => child.name === name) ?? [];
        const [encoded] = byName('ogc:Filter');
        const sorts = byName('ogc:SortBy').flatMap(({ children }) => children);
        expect(root.children).toHaveLength(1);
        expect(query?.attributes.typeName).toBe(request.typeName);
        expect(query?.attributes.srsName).toBe(request.srsName);
        expect(byName('wfs:PropertyName').map((child) => child.text)).toEqual(request.propertyNames ?? []);
        expect(toPlain(encoded === undefined ? null : toWhole(encoded))).toEqual(
          toPlain(request.filter ?? null),
        );
        expect(
          sorts.map((sort) => ({
            propertyName: textOf(sort, 'ogc:PropertyName'),
            descending: textOf(sort, 'ogc:SortOrder') === 'DESC',
          })),
        ).toEqual(request.sortBy);
      }),
      { numRuns: 200 },
    );
  });

  test('and its filter as a parameter of a GET', () => {
    fc.assert(
      fc.property(anyRequest, filter, (request, given) => {
        const sent = new URL('http://a.example/wfs');
        const parameters = encodeGetFeatureKvp({ ...request, filter: given });
        for (const [name, value] of Object.entries(parameters)) sent.searchParams.set(name, value);
        const read = new URL(sent.href).searchParams;
        expect(read.get('typeName')).toBe(request.typeName);
        expect(toPlain(toWhole(parse(read.get('filter') ?? '')))).toEqual(toPlain(given));
        expect([...read.keys()].sort()).toEqual(Object.keys(parameters).sort());
      }),
      { numRuns: 200 },
    );
  });
});
