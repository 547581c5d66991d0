import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createGmlConverter, type FeatureType, type GmlEngine, GmlError } from '../../src/gml/index.js';
import { collection, convert, convertCut, fixtures, type Options } from './convert.js';
import { documents } from './documents.js';
import { type Dialect, dialects, faults, featureType, oddities } from './features.js';

/** What reads: the strict reader alone, or one of the loops that go by what was learnt. */
type Way = 'strict' | GmlEngine;
const FAST: readonly GmlEngine[] = ['typescript', 'simd'];

/** All a converter says of a document, push by push. */
function story(way: Way, gml: Uint8Array, options: Options, next: () => number): unknown {
  const limits = { ...options.limits, ...(way === 'strict' ? { memoTransitions: 0 } : {}) };
  const converter = createGmlConverter({
    crs: () => ({ swap: false }),
    ...options,
    limits,
    engine: way === 'simd' ? way : 'typescript',
  });
  const pushes: unknown[] = [];
  const take = ({ bytes, ends }: { bytes: Uint8Array; ends: readonly number[] }): void => {
    if (bytes.length > 0) pushes.push([Buffer.from(bytes).toString(), ...ends]);
  };
  let error: unknown;
  try {
    for (let at = 0; at < gml.length; ) {
      const length = Math.min(next(), gml.length - at);
      take(converter.push(gml.subarray(at, at + length)));
      at += length;
    }
    take(converter.end());
  } catch (thrown) {
    if (!(thrown instanceof GmlError)) throw thrown;
    error = [thrown.message, thrown.line, thrown.column, thrown.path, thrown.text];
  }
  const { numberOfFeatures, declaredCount, warnings } = converter;
  return { pushes, error, numberOfFeatures, declaredCount, warnings };
}

/** The lengths over and over. */
function lengthsOf(lengths: readonly number[]): () => number {
  let next = 0;
  return () => lengths[next++ % lengths.length] as number;
}

/** What is remembered, and who goes by it, changes nothing. */
function expectSame(gml: string | Uint8Array, options: Options = {}, lengths: number[] = [Infinity]): void {
  const bytes = typeof gml === 'string' ? Buffer.from(gml) : gml;
  const strict = story('strict', bytes, options, lengthsOf(lengths));
  for (const engine of FAST) expect(story(engine, bytes, options, lengthsOf(lengths))).toEqual(strict);
}

const write = ({ head, tail }: Dialect, features: string[]): string => head + features.join('') + tail;
const usual = (dialect: Dialect, count: number): string[] =>
  Array.from({ length: count }, (_, i) => dialect.usual(i));

/** Features that were not read strictly. */
function countFast(engine: GmlEngine, gml: string, options: Options): number {
  const converter = createGmlConverter({ crs: () => ({ swap: false }), ...options, engine });
  converter.push(Buffer.from(gml));
  converter.end();
  return (converter as unknown as { shortcut: { fastFeatures: number } }).shortcut.fastFeatures;
}

describe('CDATA sections, in which QGIS Server writes every text that XML would escape', () => {
  const content = (i: number): string =>
    `<app:n><![CDATA[L'Église n°${i} & "Cie" ]] \\]]></app:n><app:o>${i}</app:o>`;
  const member = (i: number): string => `<app:f gml:id="f.${i}">${content(i)}</app:f>`;
  const members = (count: number): string => Array.from({ length: count }, (_, i) => member(i)).join('');

  test.each(FAST)('are read by what was learnt: %s', (engine) => {
    const gml = collection(members(100));
    expect(countFast(engine, gml, {})).toBeGreaterThan(90);
    expect(convert(gml).features[7]?.properties).toEqual({ n: `L'Église n°7 & "Cie" ]] \\`, o: '7' });
  });

  test('cut anywhere', () => {
    for (const length of [1, 7, 61, 1000]) expectSame(collection(members(20)), {}, [length]);
    const { length } = Buffer.from(member(10));
    expectSame(collection(members(10) + member(10).repeat(length)), {}, [length + 1]);
  });

  test('that never end are a fault, where it is', () => {
    for (const length of [Infinity, 7]) {
      expectSame(
        `${collection(members(12)).split('</gml:featureMembers>')[0]}${member(12).replace(']]>', ']]')}`,
        {},
        [length],
      );
    }
  });
});

describe.each(dialects.map((one) => [one.name, one] as const))('%s', (_, dialect) => {
  test.each(FAST)('most features are read by what was learnt: %s', (engine) => {
    expect(countFast(engine, write(dialect, usual(dialect, 400)), dialect.options)).toBeGreaterThan(300);
  });

  test('whole, and cut at every byte', () => {
    const gml = write(dialect, usual(dialect, 40));
    for (const length of [Infinity, 1, 3, 1000]) expectSame(gml, dialect.options, [length]);
  });

  test('cut once, anywhere', () => {
    // Some features over and over, in pieces a byte longer than they are: cut at another place each time.
    const some = usual(dialect, 14).slice(11);
    const { length } = Buffer.from(some.join(''));
    const gml = write(dialect, [...usual(dialect, 11), ...Array<string>(length).fill(some.join(''))]);
    expectSame(gml, dialect.options, [length + 1]);
  });

  test.each(oddities)('among them %s', (_, content) => {
    const features = usual(dialect, 18);
    for (const i of [9, 10, 16]) features[i] = dialect.wrap(i, content(i));
    const gml = write(dialect, features);
    const sizeOf = (count: number): number =>
      Buffer.byteLength(dialect.head + features.slice(0, count).join(''));
    // Whole; and two of them a byte at a time, with half the feature before and behind.
    const before = Math.floor((sizeOf(8) + sizeOf(9)) / 2);
    const behind = Math.floor((sizeOf(11) + sizeOf(12)) / 2);
    for (const lengths of [[Infinity], [before, ...Array<number>(behind - before).fill(1), Infinity]]) {
      expectSame(gml, dialect.options, lengths);
    }
  });

  test.each(oddities)('nothing but %s', (_, content) => {
    const features = Array.from({ length: 8 }, (_, i) => dialect.wrap(i, content(i)));
    expectSame(write(dialect, features), dialect.options, [61]);
  });

  test.each(faults)('then %s', (_, content) => {
    const features = [...usual(dialect, 16), dialect.wrap(0, content), ...usual(dialect, 3)];
    const gml = write(dialect, features);
    for (const length of [Infinity, 7]) expectSame(gml, dialect.options, [length]);
  });

  test('cut short', () => {
    const gml = Buffer.from(write(dialect, usual(dialect, 14)));
    const from = Buffer.from(write(dialect, usual(dialect, 12))).length;
    for (let at = from; at < gml.length; at += 37) {
      expectSame(gml.subarray(0, at), dialect.options, [at % 2 === 0 ? Infinity : 50]);
    }
  });

  test('bytes that are no UTF-8', () => {
    const gml = Buffer.from(write(dialect, usual(dialect, 14)));
    for (let at = gml.length - 900; at < gml.length; at += 61) {
      const broken = Buffer.from(gml);
      broken[at] = 0xff;
      expectSame(broken, dialect.options, [at % 2 === 0 ? Infinity : 50]);
    }
  });

  test('features in any mixture', () => {
    const odd = fc.constantFrom(...oddities).map(
      ([, content]) =>
        (i: number) =>
          dialect.wrap(i, content(i)),
    );
    const one = fc.oneof({ weight: 4, arbitrary: fc.constant(dialect.usual) }, { weight: 1, arbitrary: odd });
    const lengths = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(one, { minLength: 5, maxLength: 60 }), lengths, (features, cuts) => {
        const gml = write(
          dialect,
          features.map((feature, i) => feature(i)),
        );
        expectSame(gml, dialect.options, cuts);
      }),
      { numRuns: 15 },
    );
  });

  test('whatever is done to the bytes', () => {
    const gml = Buffer.from(write(dialect, usual(dialect, 16)));
    const place = fc.integer({ min: Math.floor(gml.length / 3), max: gml.length - 1 });
    const inserted = fc.oneof(
      fc.constantFrom(
        '<',
        '>',
        '&',
        ']]>',
        '"',
        '/',
        ' ',
        '\n',
        '-',
        '.',
        '0',
        'é',
        '<!--',
        '</',
        '<a>',
        '\0',
      ),
      fc.string({ maxLength: 4 }),
    );
    const change = fc.record({ place, removed: fc.integer({ min: 0, max: 40 }), inserted });
    const lengths = fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), lengths, (changes, cuts) => {
        let mutant = gml;
        for (const { place, removed, inserted } of changes) {
          mutant = Buffer.concat([
            mutant.subarray(0, place),
            Buffer.from(inserted),
            mutant.subarray(place + removed),
          ]);
        }
        expectSame(mutant, dialect.options, cuts);
      }),
      { numRuns: 50 },
    );
  });
});

describe('attributes of which any may be missing', () => {
  const types = ['string', 'integer', 'number', 'boolean', 'date', 'object'] as const;
  const names = Array.from({ length: 24 }, (_, i) => `a${i}`);
  const wide: FeatureType = {
    name: 'thing',
    namespace: 'http://example.org/app',
    attributes: names.map((name, i) => ({
      name,
      type: types[i % types.length] as (typeof types)[number],
      xsdType: 'x',
      nullable: true,
      repeated: i === 20,
    })),
    geometries: [{ name: 'geom', type: 'Point' }],
  };
  const values = ['x &amp; y', '12', '-1.50', 'true', '2020-01-02Z', ''];
  const value = (i: number): string => `<app:a${i}>${values[i % values.length]}</app:a${i}>`;
  const geom = '<app:geom><gml:Point><gml:pos>1 2</gml:pos></gml:Point></app:geom>';
  /** The attributes whose bit is set, and what stands before and behind. */
  const thing = (bits: number, between = '', before = geom, behind = ''): string => {
    const some = names.flatMap((_, i) => ((bits >> i) & 1 ? [value(i)] : []));
    return `<app:thing gml:id="t.${bits}">${[before, ...some].join(between)}${between}${behind}</app:thing>`;
  };
  const isRepeated = 1 << 20;
  /** Half of them, another half each time. */
  const bitsOf = (i: number): number => (Math.imul(i + 1, 0x9e3779b1) >>> 4) & 0xffffff & ~isRepeated;
  const all = 0xffffff & ~isRepeated;
  const options: Options = { featureType: wide };

  test.each(FAST)('are read by what was learnt of others: %s', (engine) => {
    const gml = collection(thing(all), ...Array.from({ length: 100 }, (_, i) => thing(bitsOf(i))));
    // Each next of all, and each last, would be a feature to be read strictly.
    expect(countFast(engine, gml, options)).toBeGreaterThan(90);
  });

  test.each([
    ['side by side', ''],
    ['indented', '\n  '],
    ['indented by CR LF', '\r\n\t'],
  ])('are null: %s', (_, between) => {
    const gml = collection(...Array.from({ length: 60 }, (_, i) => thing(bitsOf(i), between)));
    for (const length of [Infinity, 1, 7, 1000]) expectSame(gml, options, [length]);
    expectSame(gml, { ...options, propertyNames: ['a3', 'a4', 'a9', 'a17'] });
    expectSame(gml, {});
  });

  test('beside others that are out of the ordinary', () => {
    const bounds =
      '<gml:boundedBy><gml:Envelope srsName="urn:x"><gml:lowerCorner>1 2</gml:lowerCorner></gml:Envelope></gml:boundedBy>';
    const odd = [
      (i: number) => thing(bitsOf(i), '', bounds + geom),
      (i: number) => thing(bitsOf(i), '', bounds),
      (i: number) => thing(bitsOf(i), '', '', geom),
      (i: number) => thing(bitsOf(i), '', ''),
      (i: number) => thing(bitsOf(i), '', geom, value(2)),
      (i: number) => thing(bitsOf(i), '', geom, value(20) + value(20)),
      (i: number) => thing(bitsOf(i), '', value(6) + geom),
      (i: number) =>
        thing(bitsOf(i) & 0xfff, '', geom, '<app:a13 xsi:nil="true"/><app:a14/><app:a15></app:a15>'),
      (i: number) => thing(bitsOf(i) & 0xfff, '', geom, '<app:a13 uom="m">1</app:a13><app:a18>x</app:a18>'),
      (i: number) =>
        thing(bitsOf(i) & 0xfff, '', geom, '<app:a12 gml:id="x">1</app:a12><app:a13>2</app:a13>'),
      (i: number) => thing(bitsOf(i) & 0xfff, '', geom, '<app:none>1</app:none><app:a18>x</app:a18>'),
      (i: number) =>
        thing(bitsOf(i) & 0xfff, '', geom, '<app:a12><app:b>1</app:b></app:a12><app:a18>x</app:a18>'),
      (i: number) => thing(bitsOf(i), '<!-- c -->'),
      (i: number) => thing(bitsOf(i), 'text'),
      (i: number) =>
        thing(bitsOf(i)).replaceAll('app:', 'a:').replace('<a:thing', '<a:thing xmlns:a="urn:a"'),
      (i: number) => thing(bitsOf(i)).replaceAll(/<\/(app:a\d+)>/g, '</$1 >'),
    ];
    for (const [k, one] of odd.entries()) {
      const plain = Array.from({ length: 12 }, (_, i) => thing(bitsOf(100 * k + i)));
      const mixed = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? one(i) : thing(bitsOf(i))));
      for (const length of [Infinity, 61]) expectSame(collection(...plain, ...mixed), options, [length]);
    }
    const every = Array.from({ length: 200 }, (_, i) => (odd[(i * 7) % 19] ?? thing)(bitsOf(i)));
    for (const length of [Infinity, 61]) expectSame(collection(...every), options, [length]);
  });

  test('cut short', () => {
    const gml = Buffer.from(collection(...Array.from({ length: 12 }, (_, i) => thing(bitsOf(i)))));
    for (let at = gml.length - 1500; at < gml.length; at += 3)
      expectSame(gml.subarray(0, at), options, [997]);
  });
});

describe('what is remembered changes nothing', () => {
  const all = [
    ...fixtures.map(({ name, answer, options }) => ({ name, gml: answer as Uint8Array, options })),
    ...documents.map(({ name, gml, options = {} }) => ({ name, gml: Buffer.from(gml), options })),
  ];
  test.each(all.map((one) => [one.name, one] as const))('%s', (_, { gml, options }) => {
    for (const length of [Infinity, 7]) expectSame(gml, options, [length]);
    expectSame(gml, { ...options, propertyNames: ['id', 'nom'] });
    expectSame(gml, { ...(options.crs === undefined ? {} : { crs: options.crs }) });
  });

  test('with attributes that may be repeated', () => {
    for (const dialect of dialects) {
      const gml = write(dialect, usual(dialect, 20));
      expectSame(gml, { ...dialect.options, featureType });
    }
  });

  // Each of these tags is a transition for itself that begins a value and ends it: what stood before is not in its state.
  const twice: [string, string[]][] = [
    ['next to itself', ['<app:a/>', '<app:a/><app:a/>']],
    ['with another between', ['<app:a/><app:b/>', '<app:b/><app:a/>', '<app:a/><app:b/><app:a/>']],
    ['first and last', ['<app:n>1</app:n><app:a/>', '<app:a/><app:n>1</app:n><app:a/>']],
    [
      'behind an Envelope, and last',
      [
        '<gml:boundedBy><gml:Envelope srsName="EPSG:4326"><gml:lowerCorner>1 2</gml:lowerCorner></gml:Envelope></gml:boundedBy><app:n>1</app:n><app:a/>',
        '<gml:boundedBy><gml:Envelope srsName="EPSG:4326"><gml:lowerCorner>1 2</gml:lowerCorner></gml:Envelope></gml:boundedBy><app:a/><app:n>1</app:n><app:a/>',
      ],
    ],
    ['null, then text', ['<app:a xsi:nil="true"/>', '<app:a/><app:a>x</app:a>', '<app:a>x</app:a>']],
    ['once GML’s own', ['<gml:name/>', '<app:name/>', '<gml:name/><app:name/>']],
    [
      'with its unit',
      ['<app:a uom="m"/>', '<app:a uom="m"/><app:a uom="m"/>', '<app:a_uom/><app:a uom="m"/>'],
    ],
  ];
  test.each(twice)('with an empty property outside the schema twice: %s', (_, contents) => {
    const order = [0, 0, 0, 1, 0, 1, 1, 2, 0, 2, 1].filter((i) => i < contents.length);
    const gml = collection(...order.map((i) => `<app:thing gml:id="t.${i}">${contents[i]}</app:thing>`));
    const strict = convert(gml, { limits: { memoTransitions: 0 } });
    // In two pieces, cut behind what is read strictly in any case; and both again when the converter is used again.
    for (let at = gml.indexOf('</app:thing>'); at <= gml.length; at++) {
      const lengths = [at, Number.POSITIVE_INFINITY];
      expect(convertCut(gml, {}, () => lengths.shift() as number).text).toBe(strict.text);
    }
  });

  test('with a bound on a feature, a tag, the depth', () => {
    const [dialect] = dialects as [Dialect];
    const features = usual(dialect, 20);
    features[15] = dialect.wrap(15, `<app:name>${'x'.repeat(9_000_000)}</app:name>`);
    expectSame(
      write(dialect, features),
      { ...dialect.options, limits: { featureBytes: 8_500_000 } },
      [65536],
    );
    features[15] = dialect.usual(15).replace('thing.', 'thing.'.repeat(100));
    expectSame(write(dialect, features), { ...dialect.options, limits: { tagBytes: 400 } });
    features[15] = dialect.wrap(15, '<app:name><a><a><a><a><a/></a></a></a></a></app:name>');
    expectSame(write(dialect, features), { ...dialect.options, limits: { depth: 10 } });
  });

  test('where reprojection throws', () => {
    const [dialect] = dialects as [Dialect];
    const transform = (x: number, y: number): [number, number] => {
      if (x > 50) throw new GmlError({ id: 'gml.truncated', values: {} }, { line: 1, column: 1, path: '' });
      return [x, y];
    };
    expectSame(write(dialect, usual(dialect, 40)), {
      ...dialect.options,
      crs: () => ({ swap: false, transform }),
    });
  });
});
