import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { variables } from '../src/config.js';
import { statusOf } from '../src/errors.js';
import { GML_LIMITS } from '../src/gml/index.js';
import { mediaTypes } from '../src/http/negotiate.js';
import { type ServiceProcess, startProcess } from './support/process.js';
import {
  README_URL,
  readExamples,
  readmes,
  root,
  runProgram,
  toComparable,
  toOutput,
  toRequest,
  toWords,
} from './support/readme.js';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const openapi = parse(readFileSync(join(root, 'openapi/wfs-geoportail.yml'), 'utf8'));

/** What the sections that are looked into are called. */
const headings = {
  en: {
    start: 'Try it',
    search: 'Search',
    errors: 'Errors',
    environment: 'Environment',
    gml: 'GML to GeoJSON',
    walk: 'The way a request walks',
  },
  fr: {
    start: 'L’essayer',
    search: 'La recherche',
    errors: 'Erreurs',
    environment: 'Environnement',
    gml: 'GML vers GeoJSON',
    walk: 'Le chemin d’une requête',
  },
};
type Language = keyof typeof headings;
const languages = Object.keys(headings) as Language[];

/** The text between a heading and the next. */
function sectionOf(language: Language, name: keyof (typeof headings)['en']): string {
  const heading = headings[language][name];
  const section = readmes[language].split(/^## /m).find((text) => text.startsWith(heading));
  if (section === undefined) throw new Error(`no section ${heading}`);
  return section;
}

/** The rows of the tables in a text, without their headings. */
const rowsOf = (text: string): string[][] =>
  [...text.matchAll(/^\|(?!---)(.*)\|$/gm)]
    .map(([, row = '']) => row.split('|').map((cell) => cell.trim()))
    .filter(([cell = '']) => /^[`*\d]/.test(cell));

/** What stands in backticks. */
const codesIn = (text: string): string[] => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);

let service: ServiceProcess;
beforeAll(async () => {
  service = await startProcess({}, ['--demo']);
});
afterAll(() => service.stop('SIGKILL'));

const curl = async (command: string): Promise<string> => {
  const { url, init } = toRequest(command);
  return (await fetch(url, init)).text();
};
const node = (code: string) => runProgram(process.execPath, '--input-type=module', '-e', code);

describe('the examples', () => {
  const examples = readExamples();

  test('are curl and fetch, and each has its output below', () => {
    expect(examples.map(({ language }) => language).sort()).toEqual(['js', 'js', 'sh', 'sh', 'sh', 'sh']);
    for (const { output } of examples) expect(output?.language).toMatch(/^(json|text)$/);
  });

  test.each(examples)('answer what is printed below them: $title', async ({ language, code, output }) => {
    const printed = await toOutput(service.url, language === 'sh' ? curl : node, code);
    const [actual, expected] = [printed, output?.text ?? ''].map(
      output?.language === 'json' ? toComparable : (text) => text.trim(),
    );
    expect(actual).toBe(expected);
  });

  test('and the three things that the demo says to try find something', async () => {
    expect(manifest.scripts.demo).toBe(`${manifest.scripts.start} --demo`);
    const commands = service.log().match(/^curl (?:.*\\\n)*.*$/gm) ?? [];
    expect(commands).toHaveLength(3);
    for (const command of commands) {
      const { features } = JSON.parse(await curl(command));
      expect(features.length).toBeGreaterThan(0);
    }
  });

  test('a command is read as a shell and curl read it', () => {
    expect(toWords(`a 'b "c"' \\\n  "d 'e'"=f g''`)).toEqual(['a', 'b "c"', "d 'e'=f", 'g']);
    for (const command of ['a $b', 'a | b', 'a "`b`"', 'a > b', "a 'b"])
      expect(() => toWords(command)).toThrow();
    expect(() => toRequest('curl --next x')).toThrow('--next');
    expect(toRequest("curl -sG u -d a=1 --data-urlencode 'b=é &' -H 'X-A: 1'")).toEqual({
      url: 'u?a=1&b=%C3%A9%20%26',
      init: { headers: [['X-A', '1']] },
    });
    expect(toRequest('curl -s u -d a=1 -d b=2').init).toEqual({
      method: 'POST',
      headers: [['Content-Type', 'application/x-www-form-urlencoded']],
      body: 'a=1&b=2',
    });
  });
});

describe.each(languages)('what the README names is there: %s', (language) => {
  const readme = readmes[language];
  test('every page and path', async () => {
    const paths = codesIn(sectionOf(language, 'search') + sectionOf(language, 'start')).filter((code) =>
      /^\/[a-z]/.test(code),
    );
    const links = [...readme.matchAll(/http:\/\/localhost:8091(\/[\w/.-]*)[;.\s]/g)].map(
      ([, path = '']) => path,
    );
    expect(paths.length).toBeGreaterThan(6);
    for (const path of [...paths, ...links]) {
      const response = await fetch(service.url + path.replace('{source}', 'BAN.DATA.GOUV:ban'));
      expect([path, response.status]).toEqual([path, 200]);
    }
    expect(README_URL).toBe(`http://localhost:${variables.PORT.default}`);
  });

  test('every parameter of the search, and no other', () => {
    const names = rowsOf(sectionOf(language, 'search').split('\n### ')[0] ?? '')
      .filter(([cell = '']) => !cell.startsWith('`/'))
      .flatMap(([cell = '']) => codesIn(cell));
    expect(names.sort()).toEqual(Object.keys(openapi.components.schemas.SearchBody.properties).sort());
  });

  test('every format, with its media type', () => {
    const [, section = ''] = sectionOf(language, 'search').split('### Formats');
    const rows = rowsOf(section.split('\n### ')[0] ?? '');
    const named = rows.flatMap(([names = '', types = '']) => {
      const known = codesIn(types);
      return codesIn(names).map((format, i) => [format, known[Math.min(i, known.length - 1)]]);
    });
    expect(Object.fromEntries(named)).toEqual(mediaTypes);
  });

  test('every status of the one table, and no other', () => {
    const statuses = rowsOf(sectionOf(language, 'errors')).flatMap(([cell = '']) =>
      cell.split(',').map(Number),
    );
    expect(statuses.sort()).toEqual([...new Set(Object.values(statusOf))].sort());
  });

  test('variables that the service reads, with their defaults', () => {
    const named = [...codesIn(readme), ...readme.split(/[\s=]/)].filter((word) =>
      /^[A-Z]+(_[A-Z]+)+$/.test(word),
    );
    for (const name of named) expect(Object.keys(variables)).toContain(name);
    for (const [names = '', defaults = ''] of rowsOf(sectionOf(language, 'environment'))) {
      const expected = codesIn(names).flatMap((name) => {
        const variable = variables[name as keyof typeof variables];
        return 'default' in variable ? variable.default : [];
      });
      expect([names, codesIn(defaults)]).toEqual([names, expected]);
    }
  });

  test('every npm script', () => {
    const scripts = [...readme.matchAll(/npm (?:run )?([a-z][\w:]*)/g)].map(([, name = '']) => name);
    expect(scripts.length).toBeGreaterThan(5);
    for (const name of scripts) expect(['ci', ...Object.keys(manifest.scripts)]).toContain(name);
  });

  test('every file and every room', () => {
    const files = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, file = '']) => file);
    const rooms = [...sectionOf(language, 'walk').matchAll(/-> ([a-z]+\/) /g)].map(([, room = '']) => room);
    expect(rooms).toEqual(['http/', 'query/', 'answers/', 'wfs/', 'gml/', 'formats/']);
    for (const file of [
      ...files,
      ...rooms.map((room) => `src/${room}`),
      '.ci/run',
      '.dependency-cruiser.cjs',
    ])
      expect([file, existsSync(join(root, file))]).toEqual([file, true]);
  });

  test('GML to GeoJSON on its own, as a command and as a module', async () => {
    const section = sectionOf(language, 'gml');
    const [, command = ''] = /^(node .*) > answer\.geojson$/m.exec(section) ?? [];
    const answer = 'tests/fixtures/gml/mapserver-adresse/answer.xml';
    const [, ...args] = toWords(command.replace('answer.gml', answer));
    const { type, features } = JSON.parse(await runProgram(process.execPath, ...args));
    expect([type, features.length > 0]).toEqual(['FeatureCollection', true]);
    const [statement] = codesIn(section).filter((code) => code.startsWith('import'));
    expect(await node(`${statement}; console.log(typeof createGmlConverter)`)).toBe('function\n');
    const [, example = ''] = /```js\n([\s\S]*?)```/.exec(section) ?? [];
    expect(await node(example.replace('answer.gml', answer))).toBe(
      `${features.length} features, warnings: {}\n`,
    );
    const limits = [...section.matchAll(/`(\w+)` (\d+)/g)].map(([, name = '', value]) => [
      name,
      Number(value),
    ]);
    expect(Object.fromEntries(limits)).toEqual(GML_LIMITS);
  });
});

describe('the twin in French', () => {
  const { en, fr } = readmes;
  const figures = /<!-- figures: begin[\s\S]*figures: end -->/;
  const outline = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '').match(/^#+(?= )/gm);
  const blocks = (text: string) => text.match(/^```[\s\S]*?^```$/gm);
  const rows = (text: string) =>
    text
      .replace(figures, '')
      .match(/^\|.*\|$/gm)
      ?.map((row) => row.split('|').length);
  const words = (text: string) =>
    [...new Set(codesIn(text.replace(/^```[\s\S]*?^```$/gm, '').replace(figures, '')))].sort();

  test('has the same sections, tables and rows', () => {
    expect(outline(fr)).toEqual(outline(en));
    expect(rows(fr)).toEqual(rows(en));
  });

  test('has the same examples', () => {
    expect(blocks(fr)).toEqual(blocks(en));
  });

  test('names the same parameters, settings, paths and files', () => {
    expect(words(fr)).toEqual(words(en));
    const links = (text: string) =>
      [...new Set([...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link))].sort();
    expect(links(fr).filter((link) => link !== 'README.md')).toEqual(
      links(en).filter((link) => link !== 'README.fr.md'),
    );
  });

  test('has the same numbers', () => {
    const numbers = (text: string) =>
      text
        .replace(figures, '')
        .replace(/^```[\s\S]*?^```$/gm, '')
        .match(/\d+(?:\.\d+)?/g)
        ?.sort();
    const [english, french] = [
      en.replace(/(?<=\d),(?=\d{3}\b)/g, ''),
      fr.replace(/(?<=\d) (?=\d{3}\b)/g, '').replace(/(?<=\d),(?=\d)/g, '.'),
    ];
    expect(numbers(french)).toEqual(numbers(english));
  });
});
