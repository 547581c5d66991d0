import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createGmlConverter, type FeatureType, type GmlConverter } from '../../src/gml/index.js';
import { SimdLoop } from '../../src/gml/simd.js';
import { convert, convertCut, type Options, only } from './convert.js';
import { dialects, featureType, ring } from './features.js';

const HEAD =
  '<c:FeatureCollection xmlns:c="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:a="a">';
const TAIL = '</c:FeatureCollection>';
const member = (i: number, content: string): string =>
  `<gml:featureMember><a:t fid="t.${i}">${content}</a:t></gml:featureMember>`;
const collectionOf = (count: number, content: (i: number) => string): string =>
  HEAD + Array.from({ length: count }, (_, i) => member(i, content(i))).join('') + TAIL;

/** Read from strictly, each feature for itself. */
function expectEach(count: number, content: (i: number) => string, options: Options, cut = Infinity): void {
  const { features, error } = convert(collectionOf(count, content), options, cut);
  expect(error).toBeUndefined();
  const strict = { ...options, limits: { ...options.limits, memoTransitions: 0 } };
  features.forEach((feature, i) => {
    expect(feature).toEqual(only(HEAD + member(i, content(i)) + TAIL, strict));
  });
  expect(features).toHaveLength(count);
}

const line = (positions: string, more = ''): string =>
  `<a:g><gml:LineString${more}><gml:posList>${positions}</gml:posList></gml:LineString></a:g>`;

describe('every loop gives what the strict reader gives', () => {
  const digit = fc.integer({ min: 0, max: 9 });
  const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
    fc.array(digit, { minLength, maxLength }).map((one) => one.join(''));
  const numeral = fc
    .tuple(fc.constantFrom('', '', '-', '+'), digits(0, 12), fc.constantFrom('', '.', '.'), digits(0, 22))
    .map(([sign, whole, point, fraction]) => sign + whole + point + (point === '' ? '' : fraction));
  const space = fc.constantFrom(' ', ' ', ' ', '\n', '  ', '\t', '\r\n');

  test('for coordinates of any spelling, two or three at a time', () => {
    const one = fc.tuple(numeral, space).map(([text, white]) => text + white);
    const list = fc.array(one, { minLength: 4, maxLength: 24 }).map((texts) => texts.join(''));
    const lists = fc.array(list, { minLength: 4, maxLength: 12 });
    fc.assert(
      fc.property(lists, fc.boolean(), fc.constantFrom('', ' srsDimension="3"'), (all, swap, more) => {
        const content = (i: number): string => line(i < 8 ? '1 2 3 4 5 6' : (all[i - 8] as string), more);
        expectEach(8 + all.length, content, { crs: () => ({ swap }) }, 1500);
      }),
      { numRuns: 25 },
    );
  });

  test('for numbers, booleans and times of any spelling', () => {
    const type: FeatureType = {
      ...featureType,
      attributes: ['number', 'integer', 'boolean', 'date', 'dateTime', 'time'].map((name) => ({
        ...(featureType.attributes[0] as FeatureType['attributes'][number]),
        name,
        type: name as 'number',
      })),
    };
    const text = fc.oneof(
      numeral,
      fc.constantFrom('', ' ', 'true', 'false', '1', '0', 'tru', 'falsey', 'NaN', '1e5', ' 1', '1 ', '&#49;'),
      fc.constantFrom('2026-04-15', '2026-04-15Z', '2026-04-15+02:00', '2026-04-15T00:00:00Z', '12:30:00Z'),
      fc.constantFrom('2026-04-15 00:00:00+00:00', '2026-04-15 12:00:00.5Z', '2026-4-15Z', 'à l’aube', 'x]'),
    );
    const texts = fc.array(text, { minLength: 6, maxLength: 6 });
    const usual = ['1.5', '2', 'true', '2026-04-15', '2026-04-15T00:00:00Z', '12:00:00'];
    fc.assert(
      fc.property(fc.array(texts, { minLength: 3, maxLength: 10 }), (all) => {
        const content = (i: number): string =>
          type.attributes
            .map(({ name }, k) => `<a:${name}>${(i < 6 ? usual : (all[i - 6] as string[]))[k]}</a:${name}>`)
            .join('');
        expectEach(6 + all.length, content, { featureType: type });
      }),
      { numRuns: 25 },
    );
  });

  test('for text of any characters, written in any way', () => {
    const piece = fc.oneof(
      fc
        .string({ unit: 'grapheme', maxLength: 20 })
        .map((text) => text.replace(/[^\t\n\r\u0020-\ud7ff]|[<&\]]/gu, '~')),
      fc.constantFrom('&amp;', '&lt;', '&gt;', '&quot;', '&apos;', '&#9;', '&#x41;', '&#233;', '&#x1F600;'),
      fc.constantFrom(']', '] ]', '\r', '\r\n', '"', '\\', '<!-- - -->'),
      fc.constantFrom('<![CDATA[<]]>', '<![CDATA[]]>', '<![CDATA[]]]]>', '<![CDATA[a ]] > & é]]]>'),
      fc.constantFrom('<![CDATA[\r]]>', '<![CDATA[\r\n"\\\t]]>', `<![CDATA[${'long '.repeat(300)}]]>`),
    );
    const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.array(text, { minLength: 3, maxLength: 12 }), (all) => {
        expectEach(6 + all.length, (i) => `<a:n>${i < 6 ? 'usual' : all[i - 6]}</a:n><a:o>x</a:o>`, {});
      }),
      { numRuns: 25 },
    );
  });

  test('for features of any length, in pieces of any length', () => {
    const lengths = [100, 70_000, 150_000, 300_000, 1_100_000];
    const content = (i: number): string => {
      const length = i % 7 === 6 ? (lengths[Math.floor(i / 7)] as number) : 30;
      return `<a:n>${'é "x" '.repeat(length / 7)}</a:n>${line(`${'1.25 -3.5 '.repeat(length / 10)}1 2`)}`;
    };
    const gml = collectionOf(35, content);
    const whole = convert(gml);
    expect(
      whole.features.map(({ geometry }) => (geometry as { coordinates: unknown[] }).coordinates.length),
    ).toEqual(
      Array.from(
        { length: 35 },
        (_, i) => (i % 7 === 6 ? (lengths[Math.floor(i / 7)] as number) : 30) / 10 + 1,
      ),
    );
    expect(convert(gml, {}, 65_536).text).toBe(whole.text);
  });

  test('for wrong rings and right ones, closed and open, of any size', () => {
    const polygon = (i: number): string => {
      const closed = ring(i, 3 + (i % 50), i % 2 === 0);
      const positions = i % 5 === 4 ? closed.split(' ').slice(0, -2).join(' ') : closed;
      return `<a:g><gml:Polygon><gml:${i % 3 === 2 ? 'interior' : 'exterior'}><gml:LinearRing><gml:posList>${positions}</gml:posList></gml:LinearRing></gml:${i % 3 === 2 ? 'interior' : 'exterior'}></gml:Polygon></a:g>`;
    };
    expectEach(120, polygon, { crs: () => ({ swap: true }) });
    expectEach(120, polygon, {});
  });
});

test('converters that take turns do not disturb each other', () => {
  const begin = (): { converter: GmlConverter; text: string }[] =>
    dialects.map(({ options }) => ({
      converter: createGmlConverter({ crs: () => ({ swap: false }), ...options, engine: 'simd' }),
      text: '',
    }));
  const documents = dialects.map(({ head, tail, usual }) =>
    Buffer.from(head + Array.from({ length: 200 }, (_, i) => usual(i)).join('') + tail),
  );
  const running = begin();
  for (let at = 0; documents.some(({ length }) => at < length); at += 700) {
    running.forEach((one, i) => {
      const { bytes } = one.converter.push((documents[i] as Buffer).subarray(at, at + 700));
      if (bytes.length > 0) one.text += `${one.text === '' ? '' : ','}${Buffer.from(bytes).toString()}`;
    });
  }
  running.forEach(({ converter, text }, i) => {
    converter.end();
    expect(text).toBe(convertCut(documents[i] as Buffer, dialects[i]?.options ?? {}, () => Infinity).text);
  });
});

test('markup that never comes again is read all the same, and what is remembered of it is bounded', () => {
  const converter = createGmlConverter({ crs: () => ({ swap: false }), engine: 'simd' });
  const strict = createGmlConverter({ crs: () => ({ swap: false }), limits: { memoTransitions: 0 } });
  const sizes: number[] = [];
  const memo = (converter as unknown as { memo: { size: number; pool: { length: number } } }).memo;
  const push = (text: string): void => {
    const [fast, slow] = [converter.push(Buffer.from(text)), strict.push(Buffer.from(text))];
    expect(Buffer.compare(fast.bytes, slow.bytes)).toBe(0);
    sizes.push(memo.size);
  };
  push(HEAD);
  for (let batch = 0; batch < 60; batch++) {
    const feature = (_: unknown, i: number): string =>
      member(i, i % 4 === 0 ? '<a:n>same</a:n>' : `<a:n x${batch}.${i}="">1</a:n><a:m y${batch}.${i}=""/>`);
    push(Array.from({ length: 100 }, feature).join(''));
  }
  push(TAIL);
  expect(sizes.at(-1)).toBeLessThanOrEqual(4200);
  expect(memo.pool.length).toBeLessThan(1.1e6);
});

describe('200,000 pieces of markup, none of which comes twice', () => {
  // A process of its own, with the flags of `npm start`: nothing else is in its memory, which is 45 MB at the start.
  const script = new URL('distinct-markup.mjs', import.meta.url).pathname;
  const flags = ['--expose-gc', '--max-semi-space-size=1'];

  test.each(['simd', 'typescript'])(
    'are read right, fast where they can be, in bounded memory: %s',
    async (engine) => {
      const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, '200000', engine]);
      const { features, fast, transitions, memoBytes, growth, peak } = JSON.parse(stdout);
      expect(features).toBe(240_000);
      // The features between are read by what was learnt, to the end: also when no more can be.
      expect(fast).toBeGreaterThan(0.8 * features);
      expect(transitions).toBeLessThanOrEqual(4096);
      expect(memoBytes).toBeLessThan(1.1e6);
      expect(growth).toBeLessThan(4e6);
      expect(peak).toBeLessThan(140e6);
    },
    60_000,
  );
});

describe('which loop is in use', () => {
  const engineOf = (options: Options): string =>
    createGmlConverter({ crs: () => ({ swap: false }), ...options }).engine;

  test('the fastest there is, or TypeScript alone where that is wanted', () => {
    expect(SimdLoop.get()).toBeDefined();
    expect(engineOf({})).toBe('simd');
    expect(engineOf({ engine: 'typescript' })).toBe('typescript');
  });

  test('TypeScript, where there is no WebAssembly', () => {
    const script = `import { createGmlConverter } from './dist/gml/index.js';
      const converter = createGmlConverter({ crs: () => ({ swap: false }) });
      const { bytes } = converter.push(Buffer.from(process.argv[1]));
      converter.end();
      console.log(converter.engine + ' ' + Buffer.from(bytes));`;
    const gml = collectionOf(2, (i) => `<a:n>${i}</a:n>`);
    const { stdout } = spawnSync(process.execPath, ['--jitless', '--input-type=module', '-e', script, gml], {
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe(`typescript ${convert(gml).text}`);
  });
});
