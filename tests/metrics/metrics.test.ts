import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createMetrics, type Metrics } from '../../src/metrics/index.js';
import { startOver } from '../support/over.js';
import { startUpstream, toCollection, toMember } from '../support/upstream.js';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describe('the dashboard', () => {
  const dashboard = readFileSync(new URL('../../ops/grafana-dashboard.json', import.meta.url), 'utf8');
  const panels = JSON.parse(dashboard).panels as { title: string; targets?: { expr: string }[] }[];
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const used = new Set(
    expressions.flatMap((expr) => expr.match(/\b(?:carto_wfs|nodejs|process)_\w+/g) ?? []),
  );
  const namesIn = async (metrics: Metrics) =>
    [...(await metrics.write()).matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name = '', type = '']) => ({
      name,
      type,
    }));

  const withAll = (metrics: Metrics) => {
    metrics.watchCache({ bytes: 0, entries: 0 });
    metrics.shared.watchStore(() => 1);
    metrics.shared.watchRate('a', () => 1);
    return metrics;
  };

  test('shows metrics that exist, and every one of ours', async () => {
    const known = await namesIn(withAll(createMetrics({ ofProcess: true })));
    const written = known.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    );
    for (const name of used) expect(written).toContain(name);
    const ours = (await namesIn(withAll(createMetrics()))).map(({ name, type }) =>
      type === 'histogram' ? `${name}_bucket` : name,
    );
    expect(ours.length).toBeGreaterThan(15);
    expect([...used]).toEqual(expect.arrayContaining(ours));
  });

  test('asks for labels that there are', () => {
    const labels = new Set(
      expressions.flatMap((expr) =>
        [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/)),
      ),
    );
    for (const label of labels)
      expect(['le', 'module', 'route', 'status', 'outcome', 'reason', 'result']).toContain(label);
  });
});

test('what the upstream is asked, and how it answers', async () => {
  let fails = 1;
  const upstream = await startUpstream((_, response) => {
    fails -= 1;
    if (fails >= 0) response.writeHead(503).end();
    else response.end(toCollection(toMember(1), toMember(2)));
  });
  const metrics = createMetrics();
  const service = await startOver(upstream.url, { metrics: metrics.upstream('m') });
  open.push(upstream.close, service.close);
  const search = `${service.url}/api/wfs-geoportail/search?source=t:point&_count=false`;
  const reply = await fetch(search);
  expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('"numberReturned":2')]);
  const text = await metrics.write();
  const value = (line: string) =>
    Number(
      text
        .split('\n')
        .find((one) => one.startsWith(`${line} `))
        ?.split(' ')[1],
    );
  expect(value('carto_wfs_upstream_retries_total{module="m",reason="gateway"}')).toBe(1);
  expect(value('carto_wfs_upstream_requests_total{module="m",outcome="503"}')).toBe(1);
  expect(value('carto_wfs_upstream_requests_total{module="m",outcome="200"}')).toBeGreaterThanOrEqual(4);
  expect(value('carto_wfs_upstream_bytes_total{module="m"}')).toBeGreaterThan(1000);
  expect(value('carto_wfs_upstream_active_requests{module="m"}')).toBe(0);
  expect(value('carto_wfs_upstream_queue_requests{module="m"}')).toBe(0);
  expect(value('carto_wfs_upstream_circuit_open{module="m"}')).toBe(0);
});

test('answers, by where they come from', async () => {
  const metrics = createMetrics();
  metrics.answered('m', 'hit');
  metrics.answered('m', 'joined');
  metrics.watchCache({ bytes: 7, entries: 2 });
  const text = await metrics.write();
  expect(text).toContain('carto_wfs_answers_total{module="m",result="joined"} 1');
  expect(text).toContain('carto_wfs_cache_bytes 7');
  expect(text).toContain('carto_wfs_cache_entries 2');
});
