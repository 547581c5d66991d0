import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Converted,
  createGmlConverter,
  type GmlConverter,
  type GmlEngine,
  type GmlError,
} from '../../src/gml/index.js';
import { convert, convertCut, fixtures, type Options } from './convert.js';
import { documents } from './documents.js';
import { dialects } from './features.js';

const all = [
  ...fixtures.map(({ name, answer, options }) => ({ name, gml: answer as Uint8Array, options })),
  ...documents.map(({ name, gml, options = {} }) => ({ name, gml: Buffer.from(gml) as Uint8Array, options })),
];

const ENGINES: readonly GmlEngine[] = ['typescript', 'simd'];
const create = (options: Options, engine: GmlEngine): GmlConverter =>
  createGmlConverter({ crs: () => ({ swap: false }), ...options, engine });

interface Read {
  text: string;
  error: unknown;
}

/** What comes of the document cut behind its first bytes, and in pieces from there on. */
function read(converter: GmlConverter, gml: Uint8Array, first: number, length: number): Read {
  let text = '';
  const take = ({ bytes }: { bytes: Uint8Array }): void => {
    if (bytes.length > 0) text += (text === '' ? '' : ',') + Buffer.from(bytes).toString();
  };
  try {
    if (first > 0) take(converter.push(gml.subarray(0, first)));
    for (let at = first; at < gml.length; at += length) take(converter.push(gml.subarray(at, at + length)));
    take(converter.end());
    return { text, error: undefined };
  } catch (error) {
    const { text: fault, line, column, path } = error as GmlError;
    return { text, error: { fault, line, column, path } };
  }
}

describe('where a document is cut never matters', () => {
  test.each(all.map((one) => [one.name, one] as const))(
    '%s: whole, and byte by byte',
    (_, { gml, options }) => {
      const whole = convert(gml, options);
      const bytewise = convert(gml, options, 1);
      expect(bytewise.text.startsWith(whole.text)).toBe(true);
      expect(bytewise.error).toEqual(whole.error);
      expect(bytewise.warnings).toEqual(whole.warnings);
      if (whole.error === undefined) expect(bytewise.text).toBe(whole.text);
    },
  );

  const cases = all.flatMap((one) => ENGINES.map((engine) => [one.name, engine, one] as const));
  const expectSame = ({ text, error }: Read, whole: Read, what: string): void => {
    if (error !== whole.error) expect(error).toEqual(whole.error);
    if (error === undefined ? text !== whole.text : !text.startsWith(whole.text))
      throw new Error(`other output ${what}: ${text}`);
  };

  // Pieces of 2 bytes, of 7 and of 120, beginning at each place: every byte is one where the document is cut, after a
  // piece of each length.
  test.each(cases)('%s: at every byte, in pieces: %s', (_, engine, { gml, options }) => {
    const whole = read(create(options, engine), gml, 0, gml.length);
    for (const length of [2, 7, 120]) {
      for (let first = 1; first <= length; first++) {
        const what = `in pieces of ${length} behind the first ${first}`;
        expectSame(read(create(options, engine), gml, first, length), whole, what);
      }
    }
  });

  // By a converter that has read it before, where it can be used again: most features are read by what was learnt.
  test.each(cases)('%s: at every byte, in two: %s', (_, engine, { gml, options }) => {
    let converter = create(options, engine);
    const whole = read(converter, gml, 0, gml.length);
    for (let first = 1; first < gml.length; first++) {
      if (!converter.reuse()) converter = create(options, engine);
      expectSame(read(converter, gml, first, gml.length), whole, `cut behind byte ${first}`);
    }
  });

  test.each(cases)('%s: taken at every third piece: %s', (_, engine, { gml, options }) => {
    const whole = read(create(options, engine), gml, 0, gml.length);
    const bytewise = read(create(options, engine), gml, 0, 1);
    for (const length of [1, 7, 120, 500]) {
      const converter = create(options, engine);
      const features: string[] = [];
      const take = ({ bytes, ends }: Converted): void => {
        ends.forEach((end, i) => {
          const start = i === 0 ? 0 : (ends[i - 1] as number) + 1;
          features.push(Buffer.from(bytes.subarray(start, end)).toString());
        });
      };
      const readAll = () => {
        for (let [at, piece] = [0, 1]; at < gml.length; at += length, piece++)
          take(converter.push(gml.subarray(at, at + length), piece % 3 !== 0));
        take(converter.end());
      };
      if (whole.error === undefined) readAll();
      else expect(readAll).toThrow();
      if (whole.error === undefined) expect(features.join(',')).toBe(whole.text);
      else expect(bytewise.text.startsWith(features.join(','))).toBe(true);
    }
  });

  test.each(dialects.map((one) => [one.name, one] as const))(
    'a longer answer, at 1,000 places: %s',
    (_, { head, usual, tail, options }) => {
      const features = Array.from({ length: 60 }, (_, i) => usual(i));
      const gml = Buffer.from(head + features.join('') + tail);
      const place = fc.integer({ min: 1, max: gml.length - 1 });
      fc.assert(
        fc.property(fc.uniqueArray(place, { minLength: 1000, maxLength: 1000 }), (places) => {
          const cuts = [...places.sort((a, b) => a - b), gml.length];
          let last = 0;
          const next = (): number => {
            const at = cuts.shift() as number;
            const length = at - last;
            last = at;
            return length;
          };
          expect(convertCut(gml, options, next).text).toBe(convert(gml, options).text);
        }),
        { numRuns: 3 },
      );
    },
  );

  test('anywhere', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        (one, lengths) => {
          const whole = convert(one.gml, one.options);
          let next = 0;
          const cut = convertCut(one.gml, one.options, () => lengths[next++ % lengths.length] as number);
          expect(cut.error).toEqual(whole.error);
          if (whole.error === undefined) expect(cut.text).toBe(whole.text);
        },
      ),
      { numRuns: 80 },
    );
  });
});

test("the bytes of a batch are the caller's own", () => {
  const { gml, options } = all[0]!;
  const copy = Uint8Array.from(gml);
  const first = convert(copy, options);
  copy.fill(0);
  expect(convert(gml, options).text).toBe(first.text);
});
