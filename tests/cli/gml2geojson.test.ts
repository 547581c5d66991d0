import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';

const COMMAND = fileURLToPath(new URL('../../dist/cli/gml2geojson.js', import.meta.url));
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/gml/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gml2geojson-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the command; `input` is written to its standard input. */
function run(args: string[], input: string | Buffer = ''): Promise<Run> {
  const child = spawn(process.execPath, [COMMAND, ...args]);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.on('close', (code) =>
      resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    );
  });
}

function point(srsName: string, envelope = ''): string {
  const bounds = envelope && `<gml:boundedBy><gml:Envelope srsName="${envelope}"/></gml:boundedBy>`;
  return `<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml">${bounds}<gml:featureMember><a fid="1"><g><gml:Point${srsName && ` srsName="${srsName}"`}><gml:pos>48 2</gml:pos></gml:Point></g><n>01</n></a></gml:featureMember></gml:FeatureCollection>`;
}
const coordinatesOf = ({ out }: Run): unknown[] =>
  JSON.parse(out).features.map((one: { geometry: { coordinates: unknown } }) => one.geometry.coordinates);

describe('gml2geojson', () => {
  test('a file becomes a FeatureCollection, typed by the schema that is given', async () => {
    const { swap, features } = JSON.parse(readFileSync(fixture('qgis-commune/expected.json'), 'utf8'));
    const args = ['--axis', swap ? 'swap' : 'keep', '--schema', fixture('qgis-commune/schema.xsd')];
    const { code, out, err } = await run([...args, fixture('qgis-commune/answer.xml')]);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({ type: 'FeatureCollection', features });
  });

  test('standard input too; strings only without a schema', async () => {
    const { code, out } = await run([], point('urn:ogc:def:crs:EPSG::4326'));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      type: 'FeatureCollection',
      features: [
        {
          type: 'Feature',
          id: '1',
          geometry: { type: 'Point', coordinates: [2, 48] },
          geometry_name: 'g',
          properties: { n: '01' },
        },
      ],
    });
  });

  test('--axis auto goes by the form of each srsName, or of the nearest Envelope; keep and swap by nothing', async () => {
    const names: [string, number[]][] = [
      ['urn:ogc:def:crs:EPSG::4326', [2, 48]],
      ['urn:x-ogc:def:crs:EPSG:4326', [2, 48]],
      ['http://www.opengis.net/def/crs/EPSG/0/4326', [2, 48]],
      ['urn:ogc:def:crs:EPSG::2154', [48, 2]],
      ['urn:ogc:def:crs:OGC:1.3:CRS84', [48, 2]],
      ['EPSG:4326', [48, 2]],
      ['http://www.opengis.net/gml/srs/epsg.xml#4326', [48, 2]],
      ['', [2, 48]],
    ];
    const features = names.map(([srsName]) => /<a .*<\/a>/.exec(point(srsName))?.[0]).join('');
    const gml = point('', 'urn:ogc:def:crs:EPSG::4326').replace(/<a .*<\/a>/, features);
    const [auto, keep, swap] = await Promise.all(
      ['auto', 'keep', 'swap'].map((axis) => run(['--axis', axis], gml)),
    );
    expect(coordinatesOf(auto as Run)).toEqual(names.map(([, coordinates]) => coordinates));
    expect(coordinatesOf(keep as Run)).toEqual(names.map(() => [48, 2]));
    expect(coordinatesOf(swap as Run)).toEqual(names.map(() => [2, 48]));
  });

  test.each([
    ['MapServer 8.0, WFS 1.1.0', 'VERSION=1.1.0', [2, 48]],
    ['MapServer 8.0, WFS 1.0.0', 'VERSION=1.0.0', [48, 2]],
  ])('what EPSG:4326 stands for is known of %s, however the input comes', async (_, version, expected) => {
    const root = `xmlns:ms="http://mapserver.gis.umn.edu/mapserver" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://mapserver.gis.umn.edu/mapserver http://localhost/?SERVICE=WFS&amp;${version}&amp;REQUEST=DescribeFeatureType&amp;TYPENAME=a"`;
    const gml = point('EPSG:4326').replace('<gml:FeatureCollection ', `$&${root} `);
    expect(coordinatesOf(await run([], gml))).toEqual([expected]);
    const child = spawn(process.execPath, [COMMAND]);
    const out: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stdin.write(gml.slice(0, 40));
    setTimeout(() => child.stdin.end(gml.slice(40)), 100);
    await new Promise((resolve) => child.on('close', resolve));
    expect(JSON.parse(Buffer.concat(out).toString()).features[0].geometry.coordinates).toEqual(expected);
  });

  test('what EPSG:4326 stands for is known of FME', async () => {
    const gml = point('EPSG:4326').replace(
      '<gml:FeatureCollection ',
      '$&xmlns:fme="http://www.safe.com/gml/fme" ',
    );
    expect(coordinatesOf(await run([], gml))).toEqual([[2, 48]]);
    expect(coordinatesOf(await run(['--axis', 'keep'], gml))).toEqual([[48, 2]]);
  });

  test('an empty collection', async () => {
    const { code, out } = await run([], '<gml:featureMembers xmlns:gml="http://www.opengis.net/gml"/>');
    expect([code, out]).toEqual([0, '{"type":"FeatureCollection","features":[]}\n']);
  });

  test('a fault: 65, and where it is; nothing on standard output', async () => {
    const { code, out, err } = await run([], '<FeatureCollection>\n  <featureMember></b>');
    expect([code, out]).toEqual([65, '']);
    expect(err).toBe(
      'gml2geojson: standard input: </featureMember> was expected and </b> found, at line 2, column 18 (in FeatureCollection/featureMember).\n',
    );
  });

  test('a fault behind features: 65, and no closing bracket', async () => {
    const file = join(folder, 'cut.gml');
    writeFileSync(
      file,
      `${point('').replace('</gml:FeatureCollection>', '').repeat(1)}${' '.repeat(200_000)}`,
    );
    const { code, out, err } = await run([file]);
    expect(code).toBe(65);
    expect(out).toMatch(/^\{"type":"FeatureCollection","features":\[\{.*\}$/);
    expect(err).toContain('The document ends too early, at line 1, column');
  });

  test('a lost geometry: 0, null, and counted by its fault on standard error', async () => {
    const features = ['NaN 2', '1 2', 'x 2', '1 INF'].map((pos) => point('').replace('48 2', pos));
    const gml = point('').replace(
      /<gml:featureMember>.*<\/gml:featureMember>/,
      features.map((one) => /<gml:featureMember>.*<\/gml:featureMember>/.exec(one)?.[0]).join(''),
    );
    const { code, out, err } = await run([], gml);
    expect(code).toBe(0);
    const geometries = JSON.parse(out).features.map((one: { geometry: unknown }) => one.geometry);
    expect(geometries).toEqual([null, { type: 'Point', coordinates: [1, 2] }, null, null]);
    expect(err).toBe(
      'gml2geojson: standard input: warning: nanCoordinate: 2\ngml2geojson: standard input: warning: badCoordinate: 1\n',
    );
  });

  test('an exception report: 65, and its text', async () => {
    const { code, err } = await run(
      [],
      '<ServiceExceptionReport><ServiceException>no such layer</ServiceException></ServiceExceptionReport>',
    );
    expect([code, err]).toEqual([
      65,
      'gml2geojson: standard input: The answer is an exception report: no such layer\n',
    ]);
  });

  test('a schema at fault: 65, and its name', async () => {
    const file = join(folder, 'not.xsd');
    writeFileSync(file, '<html/>');
    const { code, err } = await run(['--schema', file], point(''));
    expect(code).toBe(65);
    expect(err).toContain(`${file}: The document is no XML Schema but <html>, at line 1, column 1`);
  });

  test.each([[['--axis', 'sideways']], [['--nope']], [['a.gml', 'b.gml']], [['--schema']]])(
    'wrong usage: 64, and the right one: %j',
    async (args) => {
      const { code, out, err } = await run(args);
      expect([code, out]).toEqual([64, '']);
      expect(err).toContain('usage: gml2geojson [--axis auto|keep|swap] [--schema FILE.xsd] [FILE]');
    },
  );

  test.each([
    [['/no/such/file.gml']],
    [[tmpdir()]],
    [['--schema', '/no/such.xsd', fixture('qgis-bord/answer.xml')]],
  ])('no such file: 66: %j', async (args) => {
    const { code, out, err } = await run(args);
    expect([code, out]).toEqual([66, '']);
    expect(err).toMatch(/^gml2geojson: .+\n$/);
  });

  test('--help', async () => {
    const { code, out } = await run(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('usage: gml2geojson');
  });

  test('a reader that leaves is no fault', async () => {
    const file = join(folder, 'long.gml');
    const member = point('').replace(
      /^.*?<gml:featureMember>|<\/gml:FeatureCollection>$/g,
      '<gml:featureMember>',
    );
    writeFileSync(
      file,
      point('').replace(
        '</gml:FeatureCollection>',
        `${member.slice(0, -19).repeat(40_000)}</gml:FeatureCollection>`,
      ),
    );
    const child = spawn(process.execPath, [COMMAND, file]);
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(0);
  });
});
