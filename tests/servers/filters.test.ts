import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { quote, sql, sqlList, toLab } from './lab.js';
import {
  type Feature,
  type Form,
  mapConcurrently,
  type Parameters,
  type Service,
  startService,
  toIds,
} from './service.js';

interface Server {
  readonly server: string;
  readonly key: string;
  readonly parcelId: string;
  readonly communeId: string;
  /** Text that this server can neither be asked for nor tell. */
  readonly isUnspeakable: (text: string) => boolean;
}

const servers: readonly Server[] = [
  { server: 'MapServer', key: 'gid', parcelId: 'id', communeId: 'insee', isUnspeakable: () => false },
  // QGIS Server 3.22 drops the characters beyond U+FFFF, from a filter as from an answer.
  {
    server: 'QGIS Server',
    key: 'fid',
    parcelId: 'gid',
    communeId: 'gid',
    isUnspeakable: (text) => /[\u{10000}-\u{10FFFF}]/u.test(text),
  },
];

describe.each(servers)(
  '$server filters as SQL does',
  ({ server, key, parcelId, communeId, isUnspeakable }) => {
    let service: Service;
    beforeAll(async () => {
      const lab = toLab();
      service = await startService(server === 'MapServer' ? lab.mapserver : lab.qgis);
    });
    afterAll(() => service?.stop());

    const ask = async (parameters: Parameters, form: Form = 'get'): Promise<string[]> => {
      const page = await service.search(parameters, form);
      return page.status === 200 ? toIds([page]) : [`${page.status} ${page.detail}`];
    };
    const rows = (layer: string, column: string, where: string): string[] =>
      sqlList(`select '${layer}.' || ${column} from ${layer} where ${where}`).sort();

    // `texte` holds quotes, markup, wildcards, escapes, attempts at injection, white space and up to 100 kB of text, and
    // near misses of each: a filter that is dropped, widened or matched without case shows.
    test.each<Form>(['get', 'json', 'form'])(
      'text is compared to the last character, and injects nothing: %s',
      async (form) => {
        const texts = sql<{ gid: number; valeur: string }>(
          'select gid, valeur from texte order by gid',
        ).filter(({ valeur }) => !isUnspeakable(valeur) && (form !== 'get' || valeur.length < 1000));
        expect(texts.length).toBeGreaterThan(85);
        const answers = await mapConcurrently(texts, 4, ({ valeur }) =>
          ask({ source: 'texte', valeur }, form),
        );
        const wrong = texts.flatMap(({ gid, valeur }, n) => {
          const expected = rows('texte', 'gid', `valeur = ${quote(valeur)}`);
          return `${answers[n]}` === `${expected}`
            ? []
            : [{ gid, valeur: valeur.slice(0, 40), found: answers[n]?.slice(0, 3) }];
        });
        expect(wrong).toEqual([]);
      },
      60_000,
    );

    test('text that no row holds finds none', async () => {
      const texts = [
        'abc%',
        'ab_',
        'a*',
        '.*',
        'x" or "1"="1',
        "') or true or ('",
        '</ogc:Literal></ogc:PropertyIsEqualTo>',
        '&lt;b&gt;',
        '"[valeur]"',
        '\\" = "\\"',
      ];
      for (const valeur of texts)
        expect([valeur, await ask({ source: 'texte', valeur }, 'json')]).toEqual([valeur, []]);
    });

    test('names and ids inject nothing', async () => {
      const unknown = ['valeur"/><x a="', "valeur' or '1'='1", 'TYPENAME', 'FILTER', 'valeur)(', '1=1'];
      for (const name of unknown) {
        const page = await service.search({ source: 'texte', [name]: 'abc' }, 'json');
        expect([name, page.status]).toEqual([name, 400]);
      }
      for (const id of [
        'texte.1" or "1"="1',
        "texte.1' or '1'='1",
        'texte.1"/><ogc:FeatureId fid="texte.2',
        'texte.*',
        ']]>',
      ]) {
        expect([id, (await service.search({ source: 'texte', _featureId: id }, 'json')).features]).toEqual([
          id,
          [],
        ]);
      }
    });

    test('every value that is answered can be asked for, as text and as JSON', async () => {
      const page = await service.search({ source: 'valeur' });
      expect(page.features).toHaveLength(10);
      const questions = page.features.flatMap((feature) => toQuestions(feature, key, isUnspeakable));
      const answers = await mapConcurrently(questions, 4, ({ name, value, form }) =>
        ask({ source: 'valeur', [name]: value }, form),
      );
      const wrong = questions.flatMap(({ row, name, value, form }, n) => {
        const where = `${name} is not distinct from (select ${name} from valeur where gid = ${row})`;
        const expected = rows('valeur', 'gid', where);
        return `${answers[n]}` === `${expected}` ? [] : [{ name, value, form, found: answers[n], expected }];
      });
      expect(wrong).toEqual([]);
    }, 60_000);

    test('numbers and booleans compare by value, dates by instant, text by its characters', async () => {
      const questions: readonly (readonly [Parameters, string])[] = [
        [{ reel: '3.50' }, 'reel = 3.5'],
        [{ reel: '1e-7' }, 'reel = 1e-7'],
        [{ reel: 123456789.125 }, 'reel = 123456789.125'],
        [{ entier: 42 }, 'entier = 42'],
        [{ entier: '042' }, 'entier = 42'],
        [{ grand: '9007199254740993' }, 'grand = 9007199254740993'],
        [{ grand: '9007199254740995' }, 'false'],
        [{ code: '1' }, "code = '1'"],
        [{ code: '01' }, 'false'],
        [{ code: 'TRUE' }, 'false'],
        [{ vrai: true }, 'vrai'],
        [{ vrai: false }, 'not vrai'],
        [{ jour: '2024-02-29' }, "jour = '2024-02-29'"],
        [{ instant: '2021-03-28T01:59:59Z' }, "instant = '2021-03-28T01:59:59Z'"],
        [{ instant: '2021-03-28T01:59:58Z' }, 'false'],
        [{ vrai: null }, 'vrai is null'],
        [{ jour: null }, 'jour is null'],
        [{ code: ['01004', '1004', null] }, "code in ('01004', '1004') or code is null"],
        [{ entier: [7, 8], vrai: true }, 'entier in (7, 8) and vrai'],
        [{ CODE: '2A004' }, "code = '2A004'"],
        [{ 'property:code': '2A004' }, "code = '2A004'"],
        [{ code: '2a004' }, 'false'],
      ];
      for (const [parameters, where] of questions) {
        const found = await ask({ source: 'valeur', ...parameters }, 'json');
        expect([parameters, found]).toEqual([parameters, rows('valeur', 'gid', where)]);
      }
    }, 30_000);

    test('attributes, geometry and box hold together', async () => {
      const geom = { type: 'Polygon', coordinates: [[[1.66, 48.115], [1.69, 48.115], [1.69, 48.14], [1.66, 48.14], [1.66, 48.115]]] }; // biome-ignore format: one ring
      const inside = `ST_Intersects(geom, ST_GeomFromGeoJSON('${JSON.stringify(geom)}'))`;
      const questions: readonly (readonly [Parameters, string])[] = [
        [{ geom, code_com: ['085', '901'] }, `${inside} and code_com in ('085', '901')`],
        [{ geom, feuille: '' }, `${inside} and feuille is null`],
        [
          { geom, bbox: '1.68,48.13,1.72,48.15' },
          `${inside} and ST_Intersects(geom, ST_MakeEnvelope(1.68, 48.13, 1.72, 48.15, 4326))`,
        ],
        [
          { bbox: '1.68,48.13,1.72,48.15', arpente: true, section: 'BB' },
          `ST_Intersects(geom, ST_MakeEnvelope(1.68, 48.13, 1.72, 48.15, 4326)) and arpente and section = 'BB'`,
        ],
        [{ date_maj: '2001-02-02' }, "date_maj = '2001-02-02'"],
      ];
      for (const [parameters, where] of questions) {
        const expected = rows('parcelle', parcelId, where);
        expect(expected.length).toBeGreaterThan(1);
        expect(await ask({ source: 'parcelle', _limit: 5000, ...parameters }, 'json')).toEqual(expected);
        const page = await service.search(
          { source: 'parcelle', _limit: 3, _start: 2, _count: 'true', ...parameters },
          'json',
        );
        expect([parameters, page.numberMatched]).toEqual([parameters, expected.length]);
      }
    }, 60_000);

    test.each([1, 2, 49, 300])(
      '%i feature ids, whatever they are made of',
      async (count) => {
        const parcels = rows('parcelle', parcelId, `gid % 16 = 3`).slice(0, count);
        expect(parcels).toHaveLength(count);
        expect(await ask({ source: 'parcelle', _featureId: parcels.join(',') }, 'json')).toEqual(parcels);
        const communes = rows('commune', communeId, 'true').slice(0, count);
        expect(
          await ask({ source: 'commune', _featureId: [...communes, 'commune.0'].join(',') }, 'json'),
        ).toEqual(communes);
      },
      60_000,
    );

    test('only the attributes asked for come', async () => {
      const page = await service.search({ source: 'parcelle', _propertyNames: 'numero,id', _limit: 2 });
      expect(page.features.map((feature) => Object.keys(feature.properties))).toEqual([
        ['id', 'numero'],
        ['id', 'numero'],
      ]);
      expect(page.features.every((feature) => feature.geometry?.type === 'Polygon')).toBe(true);
    });
  },
);

interface Question {
  readonly row: unknown;
  readonly name: string;
  readonly value: unknown;
  readonly form: Form;
}

/** Every property of a feature as a question: by its text in a query string, and as it is in a JSON body. */
function toQuestions(feature: Feature, key: string, isUnspeakable: (text: string) => boolean): Question[] {
  const row = feature.properties[key];
  const [original] = sql<{ libelle: string | null }>(`select libelle from valeur where gid = ${row}`);
  return Object.entries(feature.properties).flatMap(([name, value]): Question[] => {
    if (name === key || (name === 'libelle' && isUnspeakable(original?.libelle ?? ''))) return [];
    // JSON.parse would round a bigint on the other side, too: only its text says what is meant.
    const json = typeof value === 'bigint' ? String(value) : value;
    return [
      { row, name, value: json, form: 'get' },
      { row, name, value: json, form: 'json' },
    ];
  });
}
