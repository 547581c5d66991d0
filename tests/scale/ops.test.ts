import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { variables } from '../../src/config.js';

// What is shipped to run the service with, as far as it can be checked without the engines it is for.

const folder = mkdtempSync(join(tmpdir(), 'ops-'));
afterAll(() => rmSync(folder, { recursive: true }));
const readText = (path: string) => readFileSync(path, 'utf8');

test('every variable that is set is one the service reads, and by its rules', () => {
  const { services } = parse(readText('compose.yaml'));
  const { configMapGenerator } = parse(readText('ops/kubernetes/kustomization.yaml'));
  const image = [...readText('Dockerfile').matchAll(/\b(HOST|PORT)=(\S+)/g)].map(([, name, value]) => [
    name,
    value,
  ]);
  const literals = configMapGenerator[0].literals.map((text: string) => text.split(/=(.*)/s).slice(0, 2));
  const given = [...Object.entries(services.service.environment), ...literals, ...image] as [
    string,
    string,
  ][];
  expect(given.length).toBeGreaterThan(8);
  for (const [name, text] of given) {
    expect(Object.keys(variables)).toContain(name);
    const value = text.replace(/\$\{\w+:-(.*)\}/, '$1');
    if (value === '') continue;
    const { success } = variables[name as keyof typeof variables].read.safeParse(value);
    expect({ name, success }).toEqual({ name, success: true });
  }
});

test('compose names files that there are, and all of its services', () => {
  const { services } = parse(readText('compose.yaml'));
  const mounts = Object.values(services).flatMap(
    (service) => (service as { volumes?: string[] }).volumes ?? [],
  );
  const files = mounts.map((mount) => mount.split(':')[0] ?? '').filter((path) => path.startsWith('.'));
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) expect(() => readFileSync(file)).not.toThrow(/ENOENT/);
  expect(readText('ops/nginx.conf')).toContain('server service:8091');
  expect(parse(readText('ops/prometheus.yml')).scrape_configs[0].dns_sd_configs[0].names).toEqual([
    'service',
  ]);
});

test('manifests: what selects something selects something, and every port has its name', () => {
  const files = readdirSync('ops/kubernetes').filter((name) => name !== 'kustomization.yaml');
  expect(parse(readText('ops/kubernetes/kustomization.yaml')).resources.sort()).toEqual(files.sort());
  const objects = files.flatMap((name) =>
    parseAllDocuments(readText(`ops/kubernetes/${name}`)).map((one) => one.toJS()),
  );
  const pods = objects
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ spec }) => spec.template.metadata.labels['app.kubernetes.io/name']);
  const selected = objects.flatMap(({ spec }) => {
    const { matchLabels = spec.selector } = spec.podSelector ?? spec.selector ?? {};
    return matchLabels === undefined ? [] : [matchLabels['app.kubernetes.io/name']];
  });
  expect(selected.length).toBeGreaterThan(5);
  for (const name of selected) expect(pods).toContain(name);
  const kinds = objects.map(({ kind }) => kind);
  for (const kind of ['HorizontalPodAutoscaler', 'PodDisruptionBudget', 'NetworkPolicy'])
    expect(kinds).toContain(kind);
});

test('the systemd unit is one', () => {
  // where it will be is not here yet
  const unit = readText('ops/carto-wfs.service').replaceAll('/opt/carto-wfs', folder);
  const path = join(folder, 'carto-wfs.service');
  writeFileSync(path, unit);
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('the build of the image takes all that is compiled', () => {
  const ignored = readText('.dockerignore');
  const copied = [...readText('Dockerfile').matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(
    ([, names = '']) => names.split(' '),
  );
  for (const name of copied)
    expect(ignored).toMatch(new RegExp(`^!${name.replace(/tsconfig.*/, 'tsconfig')}`, 'm'));
  const [, command = ''] = /^CMD (\[.*\])$/m.exec(readText('Dockerfile')) ?? [];
  const { scripts } = JSON.parse(readText('package.json'));
  const started = scripts.start.replace('scripts/start.mjs', 'dist/main.js');
  expect(JSON.parse(command).join(' ')).toBe(started);
  expect(execFileSync('sed', ['-n', 's/^USER //p', 'Dockerfile'], { encoding: 'utf8' }).trim()).toBe('node');
});
