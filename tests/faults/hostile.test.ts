import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadDocument } from '../../src/http/openapi.js';
import { mapConcurrently } from '../support/concurrently.js';
import { type ServiceOver, startOver } from '../support/over.js';
import { startUpstream, toCollection, toMember, type Upstream } from '../support/upstream.js';

// Values that somebody made up to do harm, in every parameter and header that the OpenAPI document knows, by GET and POST.

const COUNT = 1000;
const SEED = 20_261_128;

let upstream: Upstream;
let service: ServiceOver;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
beforeAll(async () => {
  upstream = await startUpstream((asked, response) =>
    asked.isHits ? response.end(toCollection()) : response.end(toCollection(toMember(1))),
  );
  service = await startOver(upstream.url);
});
afterAll(async () => {
  agent.destroy();
  await service.close();
  await upstream.close();
});

/** mulberry32: the same values in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const SEEDS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '</ogc:Literal></ogc:Filter><ogc:Filter>',
  ']]><x/>',
  '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;',
  '&lt;&#0;&undefined;',
  "'; DROP TABLE parcelle; --",
  "' OR '1'='1",
  '../../../../etc/passwd',
  '..%2f..%2f',
  'a\r\nX-Injected: yes',
  'a\nSet-Cookie: a=b',
  '\u0000',
  '\u0001\u0008\u001f\u007f\u0085\u2028',
  '\ud800',
  '\ufffe\uffff',
  '\u202e\u200b\ufeff',
  '🏔️é́ß中',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '{"__proto__":{"polluted":true}}',
  '{"type":"Point","coordinates":[1e999,-1e999]}',
  '{"type":"Polygon","coordinates":[[[0,0],[1,1]]]}',
  '{"type":"GeometryCollection","geometries":[]}',
  '{"type":"Feature","geometry":null}',
  '[[[[[[[[',
  '{"a":'.repeat(200),
  'NaN',
  'Infinity',
  '-0',
  '1e309',
  '9007199254740993',
  '-1',
  '0x10',
  '1,2,3,4',
  '-180,-90,180,90',
  ',,,,',
  '*',
  '%',
  '%00',
  '%c0%ae',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what template engines would fill
  '${7*7}{{7*7}}<%= 7*7 %>',
  '$(id)`id`',
  '() { :; }; id',
  'javascript:alert(1)',
  'http://169.254.169.254/latest/meta-data/',
  'a'.repeat(5000),
  '(a+)+$'.repeat(50),
  ' ',
  '',
  'null',
  'true',
  't:point',
  'application/geo+json',
  'gzip;q=nan, *;q=-1',
] as const;

/** One of the seeds, or several of them, cut, doubled and put into one another. */
function toHostile(random: (below: number) => number): string {
  const pick = () => SEEDS[random(SEEDS.length)] as string;
  let value = pick();
  for (let turns = random(3); turns > 0; turns -= 1) {
    const at = random(value.length + 1);
    const other = pick();
    value = [value + other, value.slice(at), value.slice(0, at) + other + value.slice(at), value + value][
      random(4)
    ] as string;
  }
  return value.slice(0, 8000);
}

interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'header' | 'path';
  readonly $ref?: string;
}

const document = loadDocument(
  { name: 'wfs-geoportail', title: 'WFS' },
  { limitMax: 5000, geomMaxVertices: 50_000, bodyLimit: 10 * 2 ** 20 },
  // biome-ignore lint/suspicious/noExplicitAny: documents are looked into freely
) as any;
// biome-ignore lint/suspicious/noExplicitAny: documents are looked into freely
const resolve = (item: any): Parameter => {
  const steps: string[] = item.$ref?.split('/').slice(1) ?? [];
  return steps.length === 0 ? item : steps.reduce((at, name) => at[name], document);
};
const SEARCH = '/api/wfs-geoportail/search';
const parametersOf = (path: string): Parameter[] => document.paths[path].get.parameters.map(resolve);
const queryNames = (path: string) =>
  parametersOf(path)
    .filter(({ in: place }) => place === 'query')
    .map(({ name }) => name);
/** Headers the document names, and those that any client sends. */
const headerNames = [
  ...parametersOf(SEARCH)
    .filter(({ in: place }) => place === 'header')
    .map(({ name }) => name),
  ...['Accept', 'Accept-Encoding', 'Accept-Language', 'Apikey', 'Authorization', 'Content-Type', 'Cookie'],
  ...['If-None-Match', 'Origin', 'Referer', 'User-Agent', 'X-Forwarded-For', 'X-Forwarded-Host'],
  ...['X-Forwarded-Proto', 'X-Request-Id', 'Forwarded', 'Range', 'Expect', 'X-HTTP-Method-Override'],
];

interface Asked {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

interface Told {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function send({ method, path, headers = {}, body }: Asked): Promise<Told> {
  const { port } = service;
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => void parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0 } = response;
        resolve({ status, headers: response.headers, text: Buffer.concat(parts).toString('latin1') });
      });
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

const encode = (text: string) => encodeURIComponent(Buffer.from(text).toString());
/** What a header can hold at all: Node refuses to send the rest, and the service to read it. */
const toHeaderValue = (text: string) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 2000);

/** What no answer may be, whatever was asked. */
function judge(asked: Asked, { status, headers, text }: Told): void {
  const where = JSON.stringify(asked).slice(0, 2000);
  expect([where, status]).toEqual([where, expect.any(Number)]);
  if (status >= 500) throw new Error(`${status} to ${where}: ${text.slice(0, 500)}`);
  const type = String(headers['content-type'] ?? 'none');
  const isData = /^(none|text\/csv|application\/(flatgeobuf|([\w.-]+\+)?(json|json-seq))\b)/.test(type);
  if (!isData) throw new Error(`${type} to ${where}`);
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers).not.toHaveProperty('x-injected');
  expect(headers).not.toHaveProperty('set-cookie');
  if (/<script|<img|<x\/>/i.test(text))
    throw new Error(`markup comes back to ${where}: ${text.slice(0, 500)}`);
}

const values = (() => {
  const random = createRandom(SEED);
  return Array.from({ length: COUNT }, () => toHostile(random));
})();
/** Another value for each name, so that every name meets every value. */
const valueFor = (k: number, place: number) => values[(k + place * 37) % COUNT] as string;

const ways: readonly [string, (k: number) => Asked[]][] = [
  [
    'all parameters at once, by GET',
    (k) => {
      const pairs = queryNames(SEARCH).map((name, place) => `${encode(name)}=${encode(valueFor(k, place))}`);
      return [{ method: 'GET', path: `${SEARCH}?${pairs.join('&')}` }];
    },
  ],
  [
    'one parameter among good ones, by GET',
    (k) => {
      const names = [...queryNames(SEARCH), 'n', 's', 'property:s', valueFor(k, 5).slice(0, 100)];
      const name = names[k % names.length] as string;
      const good = name === 'source' ? '' : 'source=t:point&_limit=1&';
      return [{ method: 'GET', path: `${SEARCH}?${good}${encode(name)}=${encode(valueFor(k, 1))}` }];
    },
  ],
  [
    'bytes that are not encoded, by GET',
    (k) => [
      { method: 'GET', path: `${SEARCH}?source=t:point&${valueFor(k, 2).replace(/[^\x21-\x7e]/g, '')}` },
    ],
  ],
  [
    'all members of a JSON body, as text and as what they are',
    (k) => {
      const members = queryNames(SEARCH).map((name, place) => [name, valueFor(k, place)]);
      const headers = { 'content-type': 'application/json' };
      const name = members[k % members.length]?.[0] as string;
      const good = name === 'source' ? '' : '"source":"t:point",';
      const raw = `{${good}${JSON.stringify(name)}:${valueFor(k, 3)}}`;
      const body = k % 2 === 0 ? JSON.stringify(Object.fromEntries(members)) : raw;
      return [{ method: 'POST', path: SEARCH, headers, body }];
    },
  ],
  [
    'a form body',
    (k) => {
      const pairs = queryNames(SEARCH).map((name, place) => `${encode(name)}=${encode(valueFor(k, place))}`);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return [{ method: 'POST', path: SEARCH, headers, body: pairs.join('&') }];
    },
  ],
  [
    'every header, in both methods',
    (k) => {
      const headers = Object.fromEntries(
        headerNames.map((name, place) => [name, toHeaderValue(valueFor(k, place))]),
      );
      const path = `${SEARCH}?source=t:point&_limit=1`;
      const name = headerNames[k % headerNames.length] as string;
      const alone = { [name]: headers[name] ?? '' };
      const method = k % 2 === 0 ? 'GET' : 'POST';
      return [
        { method, path, headers },
        { method, path, headers: alone },
      ];
    },
  ],
  [
    'the catalogue, and paths',
    (k) => {
      const segment = encode(valueFor(k, 4));
      const list = '/api/wfs-geoportail/sources';
      const pairs = queryNames(list).map((name, place) => `${encode(name)}=${encode(valueFor(k, place))}`);
      const paths = [`${list}?${pairs.join('&')}`, `${list}/${segment}`, `/api/${segment}/search`];
      return [{ method: 'GET', path: paths[k % paths.length] as string }];
    },
  ],
];

test.each(ways)(
  'a thousand hostile values in %s: no fault of the service, nothing comes back as markup',
  async (_, toAsked) => {
    await mapConcurrently(
      Array.from({ length: COUNT }, (_, k) => k),
      16,
      async (k) => {
        for (const asked of toAsked(k)) judge(asked, await send(asked));
      },
    );
    expect(
      service
        .log()
        .split('\n')
        .filter((line) => /"level":(50|60)/.test(line)),
    ).toEqual([]);
    expect({}).not.toHaveProperty('polluted');
  },
  120_000,
);
