import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { README_URL, root, runProgram } from '../support/readme.js';

jest.setTimeout(120_000);

// The recipes whose tool Debian has, run as they stand over the demo.

const recipes = readFileSync(join(root, 'docs/recipes.md'), 'utf8');

let service: ServiceProcess;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'carto-wfs-recipes-'));
  service = await startProcess({}, ['--demo']);
});
afterAll(async () => {
  await service?.stop('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** The blocks of code of a recipe, asking the service of this test. */
function blocksOf(heading: string): string[] {
  const section = recipes.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`no recipe ${heading}`);
  const blocks = [...section.matchAll(/^```\w+\n(.*?)^```$/gms)];
  return blocks.map(([, code = '']) => code.trim().replaceAll(README_URL, service.url));
}

const count = async (parameters: string) => {
  const response = await fetch(`${service.url}/api/wfs-geoportail/search?${parameters}`);
  return ((await response.json()) as { numberReturned: number }).numberReturned;
};
const python = (code: string) => runProgram('/usr/bin/python3', '-c', code);
const bash = (code: string) => runProgram('bash', '-c', `cd '${folder}' && ${code}`);

test('Python, with geopandas: a frame of the parcels that the point is in', async () => {
  const [post = '', read = ''] = blocksOf('Python, with geopandas');
  expect(await python(`${post}\nprint(len(parcels), parcels.crs, parcels.geometry.iloc[0].geom_type)`)).toBe(
    '1 EPSG:4326 MultiPolygon\n',
  );
  expect(await python(`${read}\nprint(len(addresses), addresses.crs.to_epsg())`)).toBe('100 4326\n');
});

test('R, with sf: a frame of the communes', async () => {
  const [code = ''] = blocksOf('R, with sf');
  const printed = await runProgram(
    'Rscript',
    '-e',
    `${code}\ncat(nrow(communes), st_crs(communes)$epsg, "\\n")`,
  );
  const communes = await count('source=ADMINEXPRESS-COG.LATEST:commune');
  expect(printed.trim().split('\n').at(-1)?.trim()).toBe(`${communes} 4326`);
});

test('QGIS: a layer of the addresses in the box', async () => {
  const [uri = ''] = blocksOf('QGIS');
  const printed = await runProgram(
    'env',
    'QT_QPA_PLATFORM=offscreen',
    '/usr/bin/python3',
    '-c',
    `from qgis.core import QgsApplication, QgsVectorLayer
app = QgsApplication([], False)
app.initQgis()
layer = QgsVectorLayer(${JSON.stringify(uri)}, 'addresses', 'ogr')
print(layer.isValid(), layer.featureCount(), layer.crs().authid())`,
  );
  const addresses = await count('source=BAN.DATA.GOUV:ban&bbox=1.485,48.446,1.49,48.449');
  expect(addresses).toBeGreaterThan(0);
  expect(printed.trim().split('\n').at(-1)).toBe(`True ${addresses} EPSG:4326`);
});

test('GDAL, by FlatGeobuf: a GeoPackage of the addresses', async () => {
  const [code = ''] = blocksOf('GDAL, by FlatGeobuf');
  await bash(code);
  const info = await bash('ogrinfo -so -al ban.gpkg');
  expect(info).toContain(`Feature Count: ${await count('source=BAN.DATA.GOUV:ban')}`);
  expect(info).toMatch(/^certifie: Integer\(Boolean\)/m);
});

test('A spreadsheet: a row for each address', async () => {
  const [code = ''] = blocksOf('A spreadsheet');
  await bash(code);
  const lines = readFileSync(join(folder, 'ban.csv'), 'utf8').trim().split('\r\n');
  expect(lines).toHaveLength(1 + (await count('source=BAN.DATA.GOUV:ban')));
  expect(lines[0]).toMatch(/^_id,id,.*,lon,lat$/);
});

test('every other recipe says that it is untested', () => {
  const run = ['Python, with geopandas', 'R, with sf', 'QGIS', 'GDAL, by FlatGeobuf', 'A spreadsheet'];
  const headings = [...recipes.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading);
  const others = headings.filter((heading) => !run.includes(heading) && heading !== 'JavaScript, and curl');
  for (const heading of others) expect(heading).toContain('untested');
});
