import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createDemoServer, createLayer, type Value, type XsdType } from '../../src/demo/index.js';
import { startCpuTime } from '../support/cpu-time.js';
import {
  ADDRESSES,
  BUILDINGS,
  DEPARTMENTS,
  EASEMENTS,
  layers,
  ROADS,
  serveSamples,
  ZONES,
} from './samples.js';
import {
  ask,
  between,
  combine,
  compare,
  exceptionOf,
  get,
  idsOf,
  isNull,
  like,
  literal,
  post,
  property,
  toParameters,
  toXml,
} from './wfs.js';

const server = serveSamples();

/** Ids of the features whose value of an attribute passes a test: looked at one by one. */
function expectedIds(typeName: string, name: string, isMatch: (value: Value) => boolean): string[] {
  const layer = layers.find((candidate) => candidate.typeName === typeName)!;
  const position = layer.attributes.findIndex((attribute) => attribute.name === name);
  expect(position).toBeGreaterThanOrEqual(0);
  return layer.features.filter(({ values }) => isMatch(values[position] ?? null)).map(({ id }) => id);
}

type Case = [
  question: string,
  typeName: string,
  filter: string,
  name: string,
  isMatch: (value: Value) => boolean,
];

const instant = (value: Value) => (value === null ? Number.NaN : Date.parse(String(value)));
const day = (value: Value) => (value === null ? Number.NaN : Date.parse(String(value).slice(0, 10)));

const cases: Case[] = [
  [
    'a boolean that is a name of JavaScript',
    ADDRESSES,
    compare('EqualTo', 'certifie', 'constructor'),
    'certifie',
    () => false,
  ],
  ['a text', ROADS, compare('EqualTo', 'nature', 'Sentier'), 'nature', (v) => v === 'Sentier'],
  [
    'a text with accents',
    ROADS,
    compare('EqualTo', 'nature', 'Route à 1 chaussée'),
    'nature',
    (v) => v === 'Route à 1 chaussée',
  ],
  [
    'a text in other letters is another text',
    ROADS,
    compare('EqualTo', 'nature', 'SENTIER'),
    'nature',
    () => false,
  ],
  [
    'matchCase false',
    ROADS,
    compare('EqualTo', 'nature', 'ROUTE À 1 CHAUSSÉE', ' matchCase="false"'),
    'nature',
    (v) => v === 'Route à 1 chaussée',
  ],
  [
    'matchCase true',
    ROADS,
    compare('EqualTo', 'nature', 'Sentier', ' matchCase="true"'),
    'nature',
    (v) => v === 'Sentier',
  ],
  [
    'markup as a value',
    ADDRESSES,
    compare('EqualTo', 'nom_voie', 'Impasse "du Pont" <nord>'),
    'nom_voie',
    (v) => v === 'Impasse "du Pont" <nord>',
  ],
  [
    'the end of a CDATA section as a value',
    EASEMENTS,
    compare('EqualTo', 'nomsuplitt', `Ligne "225 kV" l'Épine]]>`),
    'nomsuplitt',
    (v) => String(v).endsWith(']]>'),
  ],
  [
    'the empty text is not null',
    EASEMENTS,
    compare('EqualTo', 'nomsuplitt', ''),
    'nomsuplitt',
    (v) => v === '',
  ],
  ['null', EASEMENTS, isNull('nomsuplitt'), 'nomsuplitt', (v) => v === null],
  ['not null', EASEMENTS, combine('Not', isNull('nomsuplitt')), 'nomsuplitt', (v) => v !== null],
  [
    'a code with a leading zero',
    DEPARTMENTS,
    compare('EqualTo', 'code_insee', '01'),
    'code_insee',
    (v) => v === '01',
  ],
  ['a code is not a number', DEPARTMENTS, compare('EqualTo', 'code_insee', '1'), 'code_insee', () => false],
  [
    'a text that is greater',
    DEPARTMENTS,
    compare('GreaterThan', 'code_insee', '2A'),
    'code_insee',
    (v) => String(v) > '2A',
  ],
  [
    'a number by value, not by text',
    ROADS,
    compare('EqualTo', 'largeur_de_chaussee', '5.0'),
    'largeur_de_chaussee',
    (v) => v === 5,
  ],
  [
    'a number with an exponent',
    ROADS,
    compare('EqualTo', 'largeur_de_chaussee', '52.5e-1'),
    'largeur_de_chaussee',
    (v) => v === 5.25,
  ],
  [
    'numbers in order, not texts',
    ADDRESSES,
    compare('LessThan', 'numero', '9'),
    'numero',
    (v) => Number(v) < 9,
  ],
  ['at most', ADDRESSES, compare('LessThanOrEqualTo', 'numero', '9'), 'numero', (v) => Number(v) <= 9],
  [
    'at least',
    ADDRESSES,
    compare('GreaterThanOrEqualTo', 'numero', '149.5'),
    'numero',
    (v) => Number(v) >= 149.5,
  ],
  ['more than', ADDRESSES, compare('GreaterThan', 'x', '588000.12'), 'x', (v) => Number(v) > 588000.12],
  [
    'null is neither less nor greater',
    BUILDINGS,
    compare('LessThan', 'HAUTEUR', '1000'),
    'HAUTEUR',
    (v) => v !== null,
  ],
  [
    'null is not equal to anything',
    BUILDINGS,
    compare('NotEqualTo', 'NB_ETAGES', '2'),
    'NB_ETAGES',
    (v) => v !== 2,
  ],
  ['a word is no number', BUILDINGS, compare('EqualTo', 'NB_ETAGES', 'deux'), 'NB_ETAGES', () => false],
  ['hexadecimal is no number', BUILDINGS, compare('EqualTo', 'NB_ETAGES', '0x2'), 'NB_ETAGES', () => false],
  [
    '2^53 + 1',
    ROADS,
    compare('EqualTo', 'identifiant_voie', '9007199254740993'),
    'identifiant_voie',
    (v) => v === 9007199254740993n,
  ],
  [
    '2^53 + 1 with a point',
    ROADS,
    compare('EqualTo', 'identifiant_voie', '9007199254740993.00'),
    'identifiant_voie',
    (v) => v === 9007199254740993n,
  ],
  [
    'above 2^53 + 1',
    ROADS,
    compare('GreaterThan', 'identifiant_voie', '9007199254740993'),
    'identifiant_voie',
    (v) => v !== null && BigInt(String(v)) > 9007199254740993n,
  ],
  ['true', ADDRESSES, compare('EqualTo', 'certifie', 'true'), 'certifie', (v) => v === true],
  ['0 is false', ADDRESSES, compare('EqualTo', 'certifie', '0'), 'certifie', (v) => v === false],
  [
    'not true is false or null',
    ADDRESSES,
    compare('NotEqualTo', 'certifie', 'true'),
    'certifie',
    (v) => v !== true,
  ],
  [
    'a day',
    ZONES,
    compare('EqualTo', 'datappro', '2009-02-02'),
    'datappro',
    (v) => String(v).startsWith('2009-02-02'),
  ],
  [
    'days before',
    ZONES,
    compare('LessThan', 'datappro', '2012-01-01Z'),
    'datappro',
    (v) => day(v) < Date.parse('2012-01-01'),
  ],
  [
    'an instant in another time zone',
    ROADS,
    compare('EqualTo', 'date_creation', '2010-02-02T03:07:00+02:00'),
    'date_creation',
    (v) => v === '2010-02-02T01:07:00Z',
  ],
  [
    'instants since',
    ROADS,
    compare('GreaterThanOrEqualTo', 'date_modification', '2015-06-01T00:00:00Z'),
    'date_modification',
    (v) => instant(v) >= Date.parse('2015-06-01'),
  ],
  [
    'between, bounds included',
    ADDRESSES,
    between('numero', '10', '12'),
    'numero',
    (v) => [10, 11, 12].includes(Number(v)),
  ],
  [
    'between texts',
    DEPARTMENTS,
    between('code_insee', '27', '2A'),
    'code_insee',
    (v) => ['27', '28', '29', '2A'].includes(String(v)),
  ],
  ['between upside down', ADDRESSES, between('numero', '12', '10'), 'numero', () => false],
  ['begins with', ADDRESSES, like('nom_voie', 'Rue*'), 'nom_voie', (v) => String(v).startsWith('Rue')],
  ['contains', ADDRESSES, like('nom_voie', "*l'*"), 'nom_voie', (v) => String(v).includes("l'")],
  [
    'one character each',
    DEPARTMENTS,
    like('code_insee', '9??'),
    'code_insee',
    (v) => /^9..$/.test(String(v)),
  ],
  [
    'one character that is a surrogate pair or an accent',
    ROADS,
    like('nature', 'Route ? 1*'),
    'nature',
    (v) => v === 'Route à 1 chaussée',
  ],
  [
    'wild cards of SQL',
    EASEMENTS,
    like('nomsuplitt', '100 \\% des%', 'wildCard="%" singleChar="_" escapeChar="\\"'),
    'nomsuplitt',
    (v) => String(v).startsWith('100 % des'),
  ],
  [
    'escaped wild cards',
    EASEMENTS,
    like('nomsuplitt', '*abords!_rue!*!?\\', 'wildCard="*" singleChar="_" escapeChar="!"'),
    'nomsuplitt',
    (v) => v === '100 % des abords_rue*?\\',
  ],
  [
    'like without case',
    DEPARTMENTS,
    like('nom', 'CÔTES*', 'matchCase="false" wildCard="*" singleChar="." escapeChar="!"'),
    'nom',
    (v) => String(v).startsWith('Côtes'),
  ],
  ['like with case', DEPARTMENTS, like('nom', 'CÔTES*'), 'nom', () => false],
  [
    'like on a number looks at its text',
    ADDRESSES,
    like('numero', '14*'),
    'numero',
    (v) => String(v).startsWith('14'),
  ],
  ['like on null', EASEMENTS, like('nomsuplitt', '*'), 'nomsuplitt', (v) => v !== null],
  [
    'escape of version 1.0',
    DEPARTMENTS,
    like('nom', 'Eure*', 'wildCard="*" singleChar="." escape="!"'),
    'nom',
    (v) => String(v).startsWith('Eure'),
  ],
  [
    'and',
    ADDRESSES,
    combine('And', compare('GreaterThan', 'numero', '3'), compare('LessThan', 'numero', '6')),
    'numero',
    (v) => v === 4 || v === 5,
  ],
  [
    'or',
    ADDRESSES,
    combine(
      'Or',
      compare('EqualTo', 'numero', '3'),
      compare('EqualTo', 'numero', '6'),
      compare('EqualTo', 'numero', '7'),
    ),
    'numero',
    (v) => [3, 6, 7].includes(Number(v)),
  ],
  [
    'not of or',
    ADDRESSES,
    combine(
      'Not',
      combine('Or', compare('LessThan', 'numero', '10'), compare('GreaterThan', 'numero', '12')),
    ),
    'numero',
    (v) => Number(v) >= 10 && Number(v) <= 12,
  ],
  [
    'not of a comparison with null',
    BUILDINGS,
    combine('Not', compare('EqualTo', 'NB_ETAGES', '2')),
    'NB_ETAGES',
    (v) => v !== 2,
  ],
  [
    'a literal on the left',
    ADDRESSES,
    `<ogc:PropertyIsLessThan>${literal('147')}${property('numero')}</ogc:PropertyIsLessThan>`,
    'numero',
    (v) => Number(v) > 147,
  ],
  [
    'a name with the prefix of its layer',
    ROADS,
    compare('EqualTo', 'BDTOPO_V3:nature', 'Chemin'),
    'nature',
    (v) => v === 'Chemin',
  ],
];

describe('a filter finds what a look at every feature finds', () => {
  test.each(cases)('%s', async (_, typeName, filter, name, isMatch) => {
    const wanted = expectedIds(typeName, name, isMatch);
    const question = { typeName, filter, propertyNames: [name] };
    expect(idsOf(await ask(server.url, question))).toEqual(wanted);
    const hits = await get(server.url, toParameters({ typeName, filter, resultType: 'hits' }));
    expect(hits.root.attributes.numberOfFeatures).toBe(String(wanted.length));
  });

  test('the cases are not all of nothing', () => {
    const counts = cases.map(([, typeName, , name, isMatch]) => expectedIds(typeName, name, isMatch).length);
    expect(counts.filter((count) => count === 0)).toHaveLength(8);
  });

  test('two attributes are compared with each other', async () => {
    const filter = `<ogc:PropertyIsEqualTo>${property('datappro')}${property('datvalid')}</ogc:PropertyIsEqualTo>`;
    const ids = idsOf(await ask(server.url, { typeName: ZONES, filter }));
    expect(ids).toEqual(expectedIds(ZONES, 'datvalid', (v) => v !== null));
  });

  test('a geometry that is not there is null', async () => {
    const layer = layers.find(({ typeName }) => typeName === EASEMENTS)!;
    const wanted = layer.features.filter(({ geometry }) => geometry === null).map(({ id }) => id);
    expect(wanted.length).toBeGreaterThan(0);
    expect(idsOf(await ask(server.url, { typeName: EASEMENTS, filter: isNull('geom') }))).toEqual(wanted);
  });
});

/** A server over one attribute that holds what a test puts there. */
async function withValues<T>(
  type: XsdType,
  values: readonly Value[],
  use: (url: string) => Promise<T>,
): Promise<T> {
  const definition = {
    prefix: 'own',
    name: 'thing',
    title: '',
    abstract: '',
    keywords: [],
    geometryName: 'geom',
    geometryType: 'Point',
    code: 4326,
    attributes: [{ name: 'value', type }],
  } as const;
  const features = values.map((value, i) => ({ id: `thing.${i}`, geometry: null, values: [value] }));
  const own = await createDemoServer({ layers: [createLayer(definition, features)] });
  try {
    return await use(own.url);
  } finally {
    await own.close();
  }
}

const xmlText = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .map((text) => text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, ''));
const nasty = fc.constantFrom(
  '',
  ' ',
  '  a ',
  '\n',
  '\t',
  ']]>',
  '<![CDATA[',
  "' OR 1=1 --",
  '"',
  '&amp;',
  '&',
  '</ogc:Literal>',
  '%',
  '*',
  '?',
  '!',
  '\\',
  '.*',
  '(a+)+$',
  '(<x/>)(<x/>)',
  '日本',
  '🌲',
  'é',
  'e\u0301',
);

describe('literals', () => {
  test('a text equals itself and no other, comes back as it was, and is like itself when escaped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.oneof(nasty, xmlText), { minLength: 2, maxLength: 8 }),
        async (texts) => {
          await withValues('string', texts, async (url) => {
            for (const [i, text] of texts.entries()) {
              const reply = await ask(url, {
                typeName: 'own:thing',
                filter: compare('EqualTo', 'value', text),
              });
              expect(idsOf(reply)).toEqual([`thing.${i}`]);
              const written = reply.root.children[0]!.children[0]!.children[0];
              expect(written?.text ?? '').toBe(text);
              const pattern = text.replace(/[*?!]/g, (character) => `!${character}`);
              expect(
                idsOf(await ask(url, { typeName: 'own:thing', filter: like('value', pattern) })),
              ).toEqual([`thing.${i}`]);
            }
          });
        },
      ),
      { numRuns: 10 },
    );
  });

  test('integers of 64 bits are told apart and ordered exactly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 3n }), async (low) => {
        await withValues('long', [low, low + 1n, low + 2n], async (url) => {
          const idsOfOperator = async (operator: string) =>
            idsOf(
              await ask(url, { typeName: 'own:thing', filter: compare(operator, 'value', String(low + 1n)) }),
            );
          expect(await idsOfOperator('EqualTo')).toEqual(['thing.1']);
          expect(await idsOfOperator('LessThan')).toEqual(['thing.0']);
          expect(await idsOfOperator('GreaterThanOrEqualTo')).toEqual(['thing.1', 'thing.2']);
        });
      }),
      { numRuns: 10 },
    );
  });

  test.each(['double', 'decimal'] as const)(
    'each %s comes back as it was and equals its own text',
    async (type) => {
      const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value || 0);
      // Also those above 2^53, whose shortest text is not the number's exact value.
      const finite = fc.oneof(
        double,
        fc.integer().map((value) => value * 2 ** 24),
      );
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(finite, { minLength: 1, maxLength: 5 }), async (values) => {
          await withValues(type, values, async (url) => {
            for (const [i, value] of values.entries()) {
              const reply = await ask(url, {
                typeName: 'own:thing',
                filter: compare('EqualTo', 'value', String(value)),
              });
              expect(idsOf(reply)).toEqual([`thing.${i}`]);
              const { text } = reply.root.children[0]!.children[0]!.children[0]!;
              expect(Number(text)).toBe(value);
              expect(type === 'decimal' && /e/i.test(text)).toBe(false);
            }
          });
        }),
        { numRuns: 10 },
      );
    },
  );

  test('a literal of 100 kB is compared whole', async () => {
    const long = `${'é<&\'"]]>'.repeat(12_000)}`;
    await withValues('string', [long, `${long}x`], async (url) => {
      expect(
        idsOf(await post(url, toXml({ typeName: 'own:thing', filter: compare('EqualTo', 'value', long) }))),
      ).toEqual(['thing.0']);
    });
  });

  test('a pattern of wild cards on a text without end takes no time', async () => {
    await withValues('string', ['a'.repeat(50_000)], async (url) => {
      const cpuTime = startCpuTime();
      const filter = like('value', `${'*a'.repeat(40)}*b`);
      expect(idsOf(await post(url, toXml({ typeName: 'own:thing', filter })))).toEqual([]);
      expect(cpuTime()).toBeLessThan(3000);
    });
  });
});

describe('what cannot be a filter', () => {
  const textOf = async (filter: string) => exceptionOf(await ask(server.url, { typeName: ROADS, filter }));

  test.each([
    ['nothing', '', 'ogc:Filter is empty'],
    ['two predicates', isNull('nature') + isNull('source'), 'ogc:Filter holds more than one predicate'],
    ['an unknown operator', '<ogc:PropertyIsFunny/>', 'PropertyIsFunny is not a supported filter operator'],
    [
      'an operator by a name of JavaScript',
      '<ogc:constructor/>',
      'constructor is not a supported filter operator',
    ],
    [
      'an operator of another namespace',
      '<gml:PropertyIsNull/>',
      'PropertyIsNull is not a supported filter operator',
    ],
    ['And of one', combine('And', isNull('nature')), 'ogc:And needs at least 2 operands'],
    ['Not of two', combine('Not', isNull('nature'), isNull('source')), 'ogc:Not takes one operand'],
    [
      'a comparison with one side',
      `<ogc:PropertyIsEqualTo>${property('nature')}</ogc:PropertyIsEqualTo>`,
      'ogc:PropertyIsEqualTo takes two expressions',
    ],
    [
      'a function',
      `<ogc:PropertyIsEqualTo>${property('nature')}<ogc:Function name="x"/></ogc:PropertyIsEqualTo>`,
      'ogc:Function is not a supported expression',
    ],
    [
      'a comparison with the geometry',
      compare('EqualTo', 'geometrie', 'x'),
      'Cannot use a spatial property in a alphanumeric binary comparison',
    ],
    [
      'like without its characters',
      like('nature', 'a', ''),
      'ogc:PropertyIsLike needs wildCard, singleChar and escapeChar',
    ],
    [
      'between without a bound',
      `<ogc:PropertyIsBetween>${property('nature')}</ogc:PropertyIsBetween>`,
      'ogc:PropertyIsBetween needs an expression, ogc:LowerBoundary and ogc:UpperBoundary',
    ],
  ])('%s', async (_, filter, text) => {
    expect(await textOf(filter)).toEqual({ code: 'InvalidParameterValue', locator: 'filter', text });
  });

  test.each([
    ['EqualTo', compare('EqualTo', 'nothing', 'x'), 'nothing'],
    ['Like', like('nature;x', 'x'), 'nature;x'],
    ['Null', isNull('the_geom'), 'the_geom'],
    ['other letters', isNull('NATURE'), 'NATURE'],
    ['deep inside', combine('Not', combine('Or', isNull('nature'), isNull('la:nature2'))), 'la:nature2'],
  ])("an unknown property in %s, in GeoServer's words", async (_, filter, name) => {
    const text = `Illegal property name: ${name} for feature type ${ROADS}`;
    expect(await textOf(filter)).toEqual({ code: 'InvalidParameterValue', locator: undefined, text });
  });
});
