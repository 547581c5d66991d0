// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so a file refers to a variable
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { loadSettings, type Settings } from '../../src/config/modules.js';
import { ConfigError } from '../../src/config.js';

type Env = Record<string, string>;

const load = (text: string, env: Env = {}): Settings =>
  loadSettings({ WFS_MODULES_FILE: '/etc/carto/modules.yml', ...env }, (path) => {
    expect(path).toBe('/etc/carto/modules.yml');
    return text;
  });

/** Every line of the message a start with such a file ends with. */
function faultsOf(text: string, env: Env = {}): string[] {
  try {
    load(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(1);
    throw error;
  }
  return [];
}

const one = (settings: string) => `modules:\n  - name: a\n    url: https://a.example/wfs\n${settings}`;

describe('without a file', () => {
  test('wfs-geoportail stands alone, over the upstream of the environment', () => {
    const env = {
      WFS_URL: 'https://a.example/wfs',
      WFS_APIKEY_IN: 'bearer',
      WFS_APIKEY: 'k',
      LIMIT_MAX: '7',
    };
    const { modules, unused } = loadSettings(env, () => {
      throw new Error('nothing is read');
    });
    expect(modules).toMatchObject([
      {
        name: 'wfs-geoportail',
        title: 'API Carto WFS-Géoportail',
        wfsUrl: 'https://a.example/wfs',
        wfsApikeyIn: [{ in: 'bearer' }],
        wfsApikey: 'k',
        limitMax: 7,
      },
    ]);
    expect(unused).toEqual([]);
  });
});

describe('a module', () => {
  test('needs a name and a URL; its limits are the environment’s, its key and axis order are not', () => {
    const env = {
      WFS_APIKEY_IN: 'header:k',
      WFS_APIKEY: 'of-another',
      WFS_REFERER: 'https://r.example',
      WFS_AXIS_ORDER: 'lonlat',
      LIMIT_MAX: '9',
      REQUEST_DEADLINE_MS: '1234',
    };
    const { modules, unused } = load(one(''), env);
    expect(modules).toEqual([
      {
        name: 'a',
        title: 'a',
        wfsUrl: 'https://a.example/wfs',
        wfsApikeyIn: [],
        wfsAxisOrder: 'auto',
        limitMax: 9,
        bodyLimit: 10_485_760,
        geomMaxVertices: 50_000,
        localScanMaxFeatures: 100_000,
        wfsMaxResponseBytes: 536_870_912,
        wfsResponseTimeoutMs: 15_000,
        wfsIdleTimeoutMs: 10_000,
        requestDeadlineMs: 1234,
        countTimeoutMs: 2000,
        wfsRateLimit: 25,
        wfsMaxConcurrency: 16,
      },
    ]);
    expect(Object.isFrozen(modules[0])).toBe(true);
    expect(unused).toEqual(['WFS_APIKEY_IN', 'WFS_APIKEY', 'WFS_REFERER', 'WFS_AXIS_ORDER']);
  });

  test('may say everything, also as JSON', () => {
    const module = {
      name: 'a-b_9',
      title: 'Un titre',
      description: 'Deux\nlignes',
      url: 'https://a.example/{apikey}/wfs',
      apikeyIn: ['path', 'query:Key'],
      apikey: '${KEY_OF_A}',
      referer: 'https://r.example',
      axisOrder: 'latlon',
      limits: {
        limitMax: 1,
        bodyLimit: '2kb',
        geomMaxVertices: 3,
        localScanMaxFeatures: 0,
        maxResponseBytes: 5,
        responseTimeoutMs: 6,
        idleTimeoutMs: 7,
        requestDeadlineMs: 8,
        countTimeoutMs: 9,
        rateLimit: 10,
        maxConcurrency: 11,
      },
      example: { source: 'a:b', position: [-61.5, 16.25], attributes: { n: ['1', '2'] } },
    };
    const { modules, unused } = load(JSON.stringify({ modules: [module] }), { KEY_OF_A: ' k3y ' });
    expect(modules).toEqual([
      {
        name: 'a-b_9',
        title: 'Un titre',
        description: 'Deux\nlignes',
        wfsUrl: 'https://a.example/{apikey}/wfs',
        wfsApikeyIn: [{ in: 'path' }, { in: 'query', name: 'Key' }],
        wfsApikey: 'k3y',
        wfsReferer: 'https://r.example',
        wfsAxisOrder: 'latlon',
        limitMax: 1,
        bodyLimit: 2048,
        geomMaxVertices: 3,
        localScanMaxFeatures: 0,
        wfsMaxResponseBytes: 5,
        wfsResponseTimeoutMs: 6,
        wfsIdleTimeoutMs: 7,
        requestDeadlineMs: 8,
        countTimeoutMs: 9,
        wfsRateLimit: 10,
        wfsMaxConcurrency: 11,
        example: module.example,
      },
    ]);
    expect(unused).toEqual([]);
  });

  test('has texts that stay as they are written: a key is no number, and No no boolean', () => {
    const { modules } = load(one('    apikeyIn: bearer\n    apikey: 01e5\n    title: No\n'));
    expect(modules[0]).toMatchObject({ wfsApikey: '01e5', title: 'No' });
  });

  test('may leave settings blank, which is to leave them out', () => {
    expect(
      load(one('    title:\n    referer: ""\n    axisOrder: null\n    limits:\n      limitMax:\n')).modules,
    ).toEqual(load(one('')).modules);
  });

  test('takes what the environment holds under the names it refers to', () => {
    const env = { WFS_URL: 'https://b.example', WFS_APIKEY: 'k' };
    const { modules, unused } = load(
      'modules:\n  - name: b\n    url: ${WFS_URL}/wfs?map=${MAP}\n    apikeyIn: bearer\n    apikey: ${WFS_APIKEY}\n',
      { ...env, MAP: 'x' },
    );
    expect(modules[0]).toMatchObject({ wfsUrl: 'https://b.example/wfs?map=x', wfsApikey: 'k' });
    expect(unused).toEqual([]);
  });

  test.each([
    ['https://a.example/{apikey}/wfs', undefined, [{ in: 'path' }]],
    ['https://a.example/wfs', 'none', []],
    ['https://a.example/wfs', 'header:X-Key, bearer', [{ in: 'header', name: 'x-key' }, { in: 'bearer' }]],
  ])('at %s with apikeyIn %s', (url, apikeyIn, places) => {
    const rule = apikeyIn === undefined ? '' : `\n    apikeyIn: "${apikeyIn}"`;
    expect(load(`modules:\n  - name: a\n    url: ${url}${rule}\n`).modules[0]?.wfsApikeyIn).toEqual(places);
  });
});

describe('an account of the module’s own', () => {
  const account = {
    file: '/var/lib/carto/a.json',
    clientId: '${ID}',
    clientSecret: '${SECRET}',
    redirectUri: 'https://r.example/back',
  };
  const withOAuth = (oauth: object, more: object = {}) =>
    JSON.stringify({ modules: [{ name: 'a', url: 'https://a.example/wfs', oauth, ...more }] });
  const env = { ID: 'client-1', SECRET: 's 3' };

  test('is at the host of the WFS where nothing else is said, its secret from the environment', () => {
    const { modules, unused } = load(withOAuth(account), env);
    expect(modules[0]?.oauth).toEqual({
      ...account,
      clientId: 'client-1',
      clientSecret: 's 3',
      authentication: 'basic',
      authorizeUrl: 'https://a.example/oauth2/authorize/',
      tokenUrl: 'https://a.example/oauth2/token/',
    });
    expect(unused).toEqual([]);
  });

  test('is read as the README writes it', () => {
    const [, block = ''] = /```yaml\n( {4}apikeyIn: .*?)```/s.exec(readFileSync('README.md', 'utf8')) ?? [];
    const { modules } = load(one(block), { REGIONS_CLIENT_ID: 'c', REGIONS_CLIENT_SECRET: 's' });
    expect(modules[0]).toMatchObject({
      wfsApikeyIn: [{ in: 'authorization' }, { in: 'bearer' }],
      oauth: { clientId: 'c', clientSecret: 's', authentication: 'basic', scope: 'all' },
    });
  });

  test('may be anywhere else', () => {
    const more = {
      authentication: 'body',
      authorizeUrl: 'https://o.example/authorize',
      tokenUrl: 'https://o.example/token',
      scope: 'all read',
    };
    expect(load(withOAuth({ ...account, ...more }), env).modules[0]?.oauth).toMatchObject(more);
  });

  test('of the environment is none of a module, and no fault either: its variables are there to be referred to', () => {
    const variables = {
      WFS_OAUTH_CLIENT_ID: 'client-1',
      WFS_OAUTH_CLIENT_SECRET: 's',
      WFS_OAUTH_SCOPE: 'all',
    };
    const { modules, unused } = load(
      withOAuth({
        ...account,
        clientId: '${WFS_OAUTH_CLIENT_ID}',
        clientSecret: '${WFS_OAUTH_CLIENT_SECRET}',
      }),
      variables,
    );
    expect(modules[0]?.oauth).toMatchObject({ clientId: 'client-1', clientSecret: 's' });
    expect(unused).toEqual(['WFS_OAUTH_SCOPE']);
    const { config, modules: others } = load(one(''), variables);
    expect([config.oauth, others[0]?.oauth]).toEqual([undefined, undefined]);
  });

  test.each<[object, object, string[]]>([
    [{}, {}, ['oauth.file: is required', 'oauth.clientId: is required', 'oauth.redirectUri: is required']],
    [{ ...account, file: 'a.json' }, {}, ['oauth.file: must be an absolute path']],
    [{ ...account, nope: 1 }, {}, ['oauth.nope: is no setting; those are file, clientId, clientSecret, ']],
    [{ ...account, authentication: 'none' }, {}, ['clientSecret: is not used with authentication=none']],
    [
      { ...account, clientSecret: null, authentication: 'basic' },
      {},
      ['oauth.clientSecret: is required with authentication'],
    ],
    [account, { apikey: 'k', apikeyIn: 'bearer' }, ['[0].apikey: is not used with oauth']],
    [account, { url: 'https://a.example/{apikey}/wfs' }, ['[0].url: must hold no {apikey} with oauth']],
    [account, { url: 'http://a.example/wfs' }, ['[0].url: must be https with oauth']],
    [{ ...account, tokenUrl: 'http://o.example/' }, {}, ['oauth.tokenUrl: must be an https URL']],
  ])('%j with %j is told', (oauth, more, expected) => {
    const faults = faultsOf(withOAuth(oauth, more), env).join('\n');
    for (const fault of expected) expect(faults).toContain(fault);
  });
});

describe('a file that cannot be used', () => {
  test('is told every fault of it, and of the environment, each with its place', () => {
    const text = `modules:
  - name: Doc
    url: ftp://a.example/
    limits: {limitMax: 0, nope: 3}
  - name: doc
    url: https://a.example/\${MISSING}
    example: {source: a, position: [200, 1e1]}
  - name: b
    url: https://a.example/{apikey}/wfs
    apikeyIn: none
  - &b
    name: b
    url: https://a.example/wfs
    apikey: k
  - titel: x
    axisOrder:
      lonlat: true
`;
    expect(faultsOf(text, { LIMIT_MAX: 'many' })).toEqual([
      '  LIMIT_MAX: must be an integer from 1 to 2147483647',
      '  modules.yml:2:5 modules[0].name: must be small letters, digits, - and _, at most 63',
      '  modules.yml:3:5 modules[0].url: must be an http or https URL without fragment',
      '  modules.yml:4:14 modules[0].limits.limitMax: must be an integer from 1 to 2147483647',
      '  modules.yml:4:27 modules[0].limits.nope: is no setting; those are limitMax, bodyLimit, geomMaxVertices, ' +
        'localScanMaxFeatures, maxResponseBytes, responseTimeoutMs, idleTimeoutMs, requestDeadlineMs, countTimeoutMs, ' +
        'rateLimit, maxConcurrency',
      '  modules.yml:5:5 modules[1].name: must not be doc, where the documentation is',
      '  modules.yml:6:5 modules[1].url: refers to MISSING, which is not set',
      '  modules.yml:7:37 modules[1].example.position[0]: must be a number from -180 to 180',
      '  modules.yml:7:42 modules[1].example.position[1]: must be a number from -90 to 90',
      '  modules.yml:10:5 modules[2].apikeyIn: must name path, since url holds {apikey}',
      '  modules.yml:12:5 modules[3].name: is the name of modules[2] already',
      '  modules.yml:14:5 modules[3].apikey: is never sent: apikeyIn names no place for it',
      '  modules.yml:15:5 modules[4].name: is required',
      '  modules.yml:15:5 modules[4].url: is required',
      '  modules.yml:15:5 modules[4].titel: is no setting; those are name, title, description, url, apikeyIn, ' +
        'apikey, oauth, referer, axisOrder, limits, example',
      '  modules.yml:16:5 modules[4].axisOrder: must be a text',
    ]);
  });

  test.each([
    ['', '1:1: must be a mapping with modules'],
    ['modules: []', '1:1 modules: must hold one module at least'],
    ['modules: {a: {}}', '1:1 modules: must be a list'],
    ['modules: [a]', '1:11 modules[0]: must be a mapping'],
    ['modul: []', '1:1 modules: is required'],
    ['modules: [*a]', '1:1: holds an alias that leads nowhere, or too many of them'],
    [
      one('    apikey: ${KEY\n'),
      '4:5 modules[0].apikey: holds "$" and "{" without the name of a variable and "}"',
    ],
    [one('    url: https://b.example\n'), '4:5: is not YAML (DUPLICATE_KEY)'],
  ])('%j', (text, fault) => {
    expect(faultsOf(text)).toContain(`  modules.yml:${fault}`);
  });

  test('that is not there is told by its variable', () => {
    const missing = () =>
      loadSettings({ WFS_MODULES_FILE: '/nowhere/s3cret' }, () => {
        throw Object.assign(new Error('ENOENT: /nowhere/s3cret'), { code: 'ENOENT' });
      });
    expect(missing).toThrow('WFS_MODULES_FILE: cannot be read (ENOENT)');
    expect(missing).not.toThrow('s3cret');
  });

  test.each([
    one('    apikey: s3cret s3cret\n    apikeyIn: s3cret\n    axisOrder: s3cret\n    title: {a: s3cret}\n'),
    one('    limits: {limitMax: s3cret, bodyLimit: s3cret}\n    referer: "a s3cret"\n'),
    one('    apikey: ${KEY}\n    apikeyIn: bearer\n').replace('https://a', 'ftp://${KEY}@a'),
    'modules: [{name: "s3cret "s3cret"}]',
    'modules:\n\t- s3cret: |s3cret\n  s3cret',
    '"s3cret',
    '%s3cret\n---\n@s3cret',
    'apikey=s3cret',
  ])('no value is printed, since any may hold a key: %j', (text) => {
    const attempt = () => load(text, { KEY: 's3cret key' });
    expect(attempt).toThrow(ConfigError);
    expect(attempt).not.toThrow('s3cret');
  });
});
