import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { ConfigError, loadConfig, variables } from '../src/config.js';

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map((fault) => fault.variable);
    throw error;
  }
  return [];
}

describe('the environment', () => {
  test('an empty one gives the documented defaults, frozen', () => {
    const config = loadConfig({});
    expect(config).toEqual({
      host: '0.0.0.0',
      port: 8091,
      trustProxy: false,
      wfsUrl: 'https://data.geopf.fr/wfs/ows',
      wfsApikeyIn: [],
      wfsAxisOrder: 'auto',
      wfsResponseTimeoutMs: 15000,
      wfsIdleTimeoutMs: 10000,
      requestDeadlineMs: 60000,
      countTimeoutMs: 2000,
      wfsMaxResponseBytes: 536870912,
      wfsRateLimit: 25,
      wfsMaxConcurrency: 16,
      limitMax: 5000,
      bodyLimit: 10 * 1024 * 1024,
      geomMaxVertices: 50000,
      localScanMaxFeatures: 100000,
      clientRateLimit: 0,
      cacheTtlS: 300,
      cacheMaxBytes: 67108864,
      cacheMaxEntryBytes: 8388608,
      workers: 1,
      isTraced: false,
      logLevel: 'info',
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('a blank variable is an absent one', () => {
    const blank = Object.fromEntries(Object.keys(variables).map((name) => [name, ' ']));
    expect(loadConfig(blank)).toEqual(loadConfig({}));
  });

  test('every bad variable is named at once', () => {
    const env = {
      HOST: 'a b',
      PORT: '80910',
      PUBLIC_URL: 'example.org',
      TRUST_PROXY: '10.0.0.0/33',
      WFS_URL: 'ftp://example.org/wfs',
      WFS_APIKEY_IN: 'cookie:k',
      WFS_APIKEY: 'two words',
      WFS_REFERER: 'line\nbreak',
      WFS_OAUTH_FILE: 'tokens.json',
      WFS_OAUTH_CLIENT_ID: 'a\tb',
      WFS_OAUTH_CLIENT_SECRET: 'é',
      WFS_OAUTH_AUTHENTICATION: 'digest',
      WFS_OAUTH_AUTHORIZE_URL: 'http://example.org/authorize',
      WFS_OAUTH_TOKEN_URL: 'http://127.0.0.1.example.org/token',
      WFS_OAUTH_REDIRECT_URI: '/callback',
      WFS_OAUTH_SCOPE: 'a  b',
      HTTP_PROXY: 'socks5://proxy:1080',
      HTTPS_PROXY: 'proxy',
      WFS_AXIS_ORDER: 'lon',
      WFS_RESPONSE_TIMEOUT_MS: '0',
      WFS_IDLE_TIMEOUT_MS: '1e3',
      REQUEST_DEADLINE_MS: '-1',
      COUNT_TIMEOUT_MS: 'NaN',
      WFS_MAX_RESPONSE_BYTES: '12mb',
      WFS_RATE_LIMIT: '0',
      WFS_MAX_CONCURRENCY: 'many',
      LIMIT_MAX: '0',
      BODY_LIMIT: '10 megabytes',
      GEOM_MAX_VERTICES: '1.5',
      LOCAL_SCAN_MAX_FEATURES: 'all',
      CLIENT_RATE_LIMIT: '-1',
      CACHE_TTL_S: '5m',
      CACHE_MAX_BYTES: '64mb',
      CACHE_MAX_ENTRY_BYTES: '-1',
      WORKERS: '0',
      REDIS_URL: 'redis',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4317',
      EXPLORER_TILES: 'https://tiles.example.org/{z}/{x}.png',
      EXPLORER_TILES_ATTRIBUTION: 'two\nlines',
      LOG_LEVEL: 'loud',
    };
    expect(faultsOf(env)).toEqual(Object.keys(env));
  });

  test.each([
    ['redis://redis:6379/0', 1],
    ['rediss://user:secret@a:6379, rediss://user:secret@b:6379', 2],
    ['http://redis', undefined],
    ['redis://a,b:6379', undefined],
  ])('REDIS_URL=%s is so many nodes: %s', (REDIS_URL, nodes) => {
    expect(faultsOf({ REDIS_URL })).toEqual(nodes === undefined ? ['REDIS_URL'] : []);
    if (nodes !== undefined) expect(loadConfig({ REDIS_URL }).redisUrls).toHaveLength(nodes);
  });

  test.each([
    ['auto', availableParallelism()],
    ['4', 4],
    ['65', undefined],
    ['some', undefined],
  ])('WORKERS=%s is %s', (WORKERS, workers) => {
    expect(faultsOf({ WORKERS })).toEqual(workers === undefined ? ['WORKERS'] : []);
    if (workers !== undefined) expect(loadConfig({ WORKERS }).workers).toBe(workers);
  });

  test('no value is printed, since any may hold a key', () => {
    const secret = 's3cret-k3y';
    const env = Object.fromEntries(Object.keys(variables).map((name) => [name, `ftp://${secret}\n@`]));
    expect(() => loadConfig(env)).toThrow(ConfigError);
    expect(() => loadConfig(env)).not.toThrow(secret);
  });

  test.each([
    ['https://tiles.example.org/{z}/{x}/{y}{r}.png', true],
    ['https://{s}.example.org/wmts?TILEMATRIX={z}&TILEROW={y}&TILECOL={x}', true],
    ['https://{host}.example.org/{z}/{x}/{y}', false],
    ["https://example.org/{z}/{x}/{y} 'unsafe-inline'", false],
    ['https://example.org;script-src/{z}/{x}/{y}', false],
    ['//example.org/{z}/{x}/{y}', false],
  ])('EXPLORER_TILES=%s is tiles: %s', (EXPLORER_TILES, isTiles) => {
    expect(faultsOf({ EXPLORER_TILES })).toEqual(isTiles ? [] : ['EXPLORER_TILES']);
    if (!isTiles) return;
    const env = { EXPLORER_TILES, EXPLORER_TILES_ATTRIBUTION: '© Someone' };
    expect(loadConfig(env).explorerTiles).toEqual({ url: EXPLORER_TILES, attribution: '© Someone' });
  });

  test.each([
    ['none', []],
    ['query:apikey', [{ in: 'query', name: 'apikey' }]],
    ['header:X-API-Key, authorization', [{ in: 'header', name: 'x-api-key' }, { in: 'authorization' }]],
    ['bearer,query:access_token', [{ in: 'bearer' }, { in: 'query', name: 'access_token' }]],
  ])('WFS_APIKEY_IN=%s', (given, places) => {
    expect(loadConfig({ WFS_APIKEY_IN: given }).wfsApikeyIn).toEqual(places);
  });

  test.each(['none,bearer', 'query:', 'header:a b', 'bearer,bearer', 'bearer,', 'path'])(
    'WFS_APIKEY_IN=%s is refused',
    (given) => {
      expect(faultsOf({ WFS_APIKEY_IN: given })).toEqual(['WFS_APIKEY_IN']);
    },
  );

  test.each([
    'https://{apikey}.example.org/wfs',
    'https://user:{apikey}@example.org/wfs',
    'https:\\\\{apikey}/wfs',
  ])('WFS_URL=%s is refused: a key would choose the host that is asked', (given) => {
    expect(faultsOf({ WFS_URL: given })).toEqual(['WFS_URL']);
  });

  test('{apikey} in WFS_URL means the path, and contradicts a list without it', () => {
    const WFS_URL = 'https://wxs.ign.fr/{apikey}/geoportail/wfs';
    expect(loadConfig({ WFS_URL }).wfsApikeyIn).toEqual([{ in: 'path' }]);
    expect(loadConfig({ WFS_URL, WFS_APIKEY_IN: 'path' }).wfsApikeyIn).toEqual([{ in: 'path' }]);
    expect(faultsOf({ WFS_URL, WFS_APIKEY_IN: 'none' })).toEqual(['WFS_APIKEY_IN']);
    expect(faultsOf({ WFS_URL, WFS_APIKEY_IN: 'header:apikey' })).toEqual(['WFS_APIKEY_IN']);
  });

  test.each([
    ['true', true],
    ['false', false],
    ['1', 1],
    ['loopback, 10.0.0.0/8', ['loopback', '10.0.0.0/8']],
    ['::1', ['::1']],
  ])('TRUST_PROXY=%s', (given, read) => {
    expect(loadConfig({ TRUST_PROXY: given }).trustProxy).toEqual(read);
  });

  test.each([
    ['512', 512],
    ['512b', 512],
    ['100kb', 102400],
    ['1.5 MB', 1572864],
    ['1gb', 1073741824],
  ])('BODY_LIMIT=%s', (given, bytes) => {
    expect(loadConfig({ BODY_LIMIT: given }).bodyLimit).toBe(bytes);
  });

  test('proxies are read in either case, PUBLIC_URL loses its last slash', () => {
    expect(loadConfig({ https_proxy: 'http://proxy:3128', no_proxy: 'localhost' })).toMatchObject({
      httpsProxy: 'http://proxy:3128',
      noProxy: 'localhost',
    });
    expect(loadConfig({ PUBLIC_URL: 'https://example.org/carto/' }).publicUrl).toBe(
      'https://example.org/carto',
    );
  });
});

describe('the service\u2019s own account', () => {
  const least = {
    WFS_URL: 'https://data.example.org/api/wfs',
    WFS_OAUTH_FILE: '/var/lib/carto-wfs/tokens.json',
    WFS_OAUTH_CLIENT_ID: 'client-1',
    WFS_OAUTH_REDIRECT_URI: 'https://example.org/callback',
  };

  test('needs little at Opendatasoft: the endpoints are on the domain of the WFS', () => {
    const { oauth } = loadConfig(least);
    expect(oauth).toEqual({
      file: '/var/lib/carto-wfs/tokens.json',
      clientId: 'client-1',
      authentication: 'none',
      authorizeUrl: 'https://data.example.org/oauth2/authorize/',
      tokenUrl: 'https://data.example.org/oauth2/token/',
      redirectUri: 'https://example.org/callback',
    });
    expect(Object.isFrozen(oauth)).toBe(true);
  });

  test('can be anywhere else', () => {
    const WFS_OAUTH_TOKEN_URL = 'http://[::1]:8080/token?realm=a';
    const more = {
      ...least,
      WFS_URL: 'http://localhost:8080/wfs',
      WFS_OAUTH_CLIENT_SECRET: 's3cret of the client',
      WFS_OAUTH_AUTHENTICATION: 'body',
      WFS_OAUTH_AUTHORIZE_URL: 'https://login.example.org/authorize',
      WFS_OAUTH_TOKEN_URL,
      WFS_OAUTH_REDIRECT_URI: 'urn:ietf:wg:oauth:2.0:oob',
      WFS_OAUTH_SCOPE: 'all read:wfs',
    };
    expect(loadConfig(more).oauth).toMatchObject({
      clientSecret: 's3cret of the client',
      authentication: 'body',
      authorizeUrl: 'https://login.example.org/authorize',
      tokenUrl: WFS_OAUTH_TOKEN_URL,
      redirectUri: 'urn:ietf:wg:oauth:2.0:oob',
      scope: 'all read:wfs',
    });
  });

  test('a secret is sent by HTTP Basic where nothing else is said', () => {
    const { oauth } = loadConfig({ ...least, WFS_OAUTH_CLIENT_SECRET: 's' });
    expect(oauth?.authentication).toBe('basic');
  });

  test.each<[string, Record<string, string>, string[]]>([
    [
      'by halves',
      { WFS_OAUTH_FILE: '', WFS_OAUTH_CLIENT_ID: '', WFS_OAUTH_REDIRECT_URI: '', WFS_OAUTH_SCOPE: 'all' },
      ['WFS_OAUTH_FILE', 'WFS_OAUTH_CLIENT_ID', 'WFS_OAUTH_REDIRECT_URI'],
    ],
    ['without its secret', { WFS_OAUTH_AUTHENTICATION: 'basic' }, ['WFS_OAUTH_CLIENT_SECRET']],
    [
      'public, with a secret',
      { WFS_OAUTH_AUTHENTICATION: 'none', WFS_OAUTH_CLIENT_SECRET: 's' },
      ['WFS_OAUTH_CLIENT_SECRET'],
    ],
    ['beside a key', { WFS_APIKEY: 'K' }, ['WFS_APIKEY']],
    ['for a URL that holds a key', { WFS_URL: 'https://e.org/{apikey}/wfs' }, ['WFS_URL']],
    ['without TLS', { WFS_URL: 'http://data.example.org/api/wfs' }, ['WFS_URL']],
    [
      'with an endpoint that holds a password',
      { WFS_OAUTH_TOKEN_URL: 'https://user:password@e.org/' },
      ['WFS_OAUTH_TOKEN_URL'],
    ],
    ['with a fragment', { WFS_OAUTH_REDIRECT_URI: 'https://e.org/#a' }, ['WFS_OAUTH_REDIRECT_URI']],
    [
      'with several faults',
      { WFS_URL: 'http://e.org/', WFS_OAUTH_CLIENT_ID: '', WFS_OAUTH_SCOPE: '"' },
      ['WFS_OAUTH_SCOPE', 'WFS_OAUTH_CLIENT_ID', 'WFS_URL'],
    ],
  ])('is refused %s', (_, env, variables) => {
    expect(faultsOf({ ...least, ...env })).toEqual(variables);
  });
});

describe('.env.example', () => {
  const lines = readFileSync('.env.example', 'utf8').split('\n');
  const example = lines.flatMap((line, i) => {
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, value, comment: lines[i - 1] ?? '' }];
  });

  test('lists exactly the variables the service reads, in order, with their defaults', () => {
    const expected = Object.entries(variables).map(([name, entry]) => ({
      name,
      value: 'default' in entry ? entry.default : '',
    }));
    expect(example.map(({ name, value }) => ({ name, value }))).toEqual(expected);
  });

  test('says in a line above each what it means', () => {
    for (const { comment } of example) expect(comment).toMatch(/^# \S.{8,}\.$/);
  });
});
