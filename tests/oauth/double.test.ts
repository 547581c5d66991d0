import { afterEach, describe, expect, test } from '@jest/globals';
import { type Opendatasoft, type OpendatasoftOptions, startOpendatasoft } from '../support/opendatasoft.js';

// What the double of Opendatasoft does is what the other tests of this folder stand on.
let domain: Opendatasoft;
afterEach(() => domain.close());

async function start(options: OpendatasoftOptions = {}) {
  domain = await startOpendatasoft(options);
  return domain;
}

async function get(parameters: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${domain.wfsUrl}?service=WFS&version=1.1.0&${parameters}`, { headers });
  return { status: response.status, text: await response.text() };
}

async function post(xml: string, type = 'text/xml') {
  const response = await fetch(domain.wfsUrl, {
    method: 'POST',
    headers: { 'Content-Type': type },
    body: xml,
  });
  return { status: response.status, text: await response.text() };
}

const getFeature = (attributes: string, query: string) =>
  `<wfs:GetFeature xmlns:wfs="http://www.opengis.net/wfs" xmlns:ogc="http://www.opengis.net/ogc" service="WFS" version="1.1.0" ${attributes}>${query}</wfs:GetFeature>`;
const idsOf = ({ text }: { text: string }) => [...text.matchAll(/gml:id="([^"]+)"/g)].map(([, id]) => id);

describe('the documented parameters', () => {
  test('GetFeature by GET and by POST', async () => {
    const { features } = await start({ count: 5 });
    const ids = features.map(({ id }) => id);
    expect(idsOf(await get('request=GetFeature&typename=ods:zone_urba'))).toEqual(ids);
    expect(idsOf(await get('REQUEST=GetFeature&TypeName=zone_urba&maxFeatures=2'))).toEqual(ids.slice(0, 2));
    expect(idsOf(await get(`request=GetFeature&featureId=${ids[3]},${ids[1]}`))).toEqual([ids[1], ids[3]]);
    const query = '<wfs:Query typeName="ods:zone_urba"><wfs:PropertyName>gid</wfs:PropertyName></wfs:Query>';
    const some = await post(getFeature('maxFeatures="3"', query));
    expect(idsOf(some)).toEqual(ids.slice(0, 3));
    expect(some.text).toContain('<ods:gid>1</ods:gid></ods:zone_urba>');
    const hits = await post(getFeature('resultType="hits"', query));
    expect([idsOf(hits), /numberOfFeatures="(\d+)"/.exec(hits.text)?.[1]]).toEqual([[], '5']);
  });

  test('absent fields are left out, dates have a space', async () => {
    const { features, attributes } = await start();
    const at = attributes.findIndex(({ name }) => name === 'datvalid');
    const without = features.findIndex(({ values }) => values[at] === null);
    const { text } = await get('request=GetFeature&typename=ods:zone_urba');
    const members = text.split('<ods:zone_urba ').slice(1);
    expect(without).toBeGreaterThanOrEqual(0);
    expect(members[without]).not.toContain('datvalid');
    expect(members[0]).toMatch(/<ods:datvalid>\d{4}-\d\d-\d\d 00:00:00\+00:00<\/ods:datvalid>/);
  });

  test('sections and versions of the capabilities', async () => {
    await start();
    const { text } = await get('request=GetCapabilities&sections=ServiceProvider&AcceptVersions=1.1.0');
    expect(text).toContain('ServiceProvider');
    expect(text).not.toContain('FeatureTypeList');
    expect((await get('request=GetCapabilities&AcceptVersions=2.0.0')).status).toBe(400);
  });
});

const undocumented = [
  'BBOX=1,48,2,49',
  'Filter=%3CFilter/%3E',
  'startIndex=1',
  'sortBy=gid',
  'srsName=EPSG:4326',
  'outputFormat=json',
];

describe('any other parameter', () => {
  test.each(undocumented)('%s is refused, with a report that names it', async (parameter) => {
    await start();
    const { status, text } = await get(`request=GetFeature&typename=ods:zone_urba&${parameter}`);
    expect(status).toBe(400);
    expect(text).toContain(`locator="${parameter.split('=')[0]?.toLowerCase()}"`);
  });

  test.each([
    ['startIndex', 'startIndex="1"', '<wfs:Query typeName="zone_urba"/>'],
    ['srsName', '', '<wfs:Query typeName="zone_urba" srsName="EPSG:4326"/>'],
    ['Filter', '', '<wfs:Query typeName="zone_urba"><ogc:Filter/></wfs:Query>'],
    ['SortBy', '', '<wfs:Query typeName="zone_urba"><ogc:SortBy/></wfs:Query>'],
  ])('%s in a POST too', async (name, attributes, query) => {
    await start();
    const { status, text } = await post(getFeature(attributes, query));
    expect([status, text]).toEqual([400, expect.stringContaining(`locator="${name.toLowerCase()}"`)]);
  });

  test.each(undocumented)('%s is passed over in silence where the test wants it so', async (parameter) => {
    await start({ undocumented: 'ignored', count: 4 });
    const answer = await get(`request=GetFeature&typename=ods:zone_urba&${parameter}`);
    expect([answer.status, idsOf(answer)]).toEqual([200, domain.features.map(({ id }) => id)]);
  });

  test('only text/xml is read', async () => {
    await start();
    expect((await post(getFeature('', '<wfs:Query typeName="zone_urba"/>'), 'application/xml')).status).toBe(
      400,
    );
  });
});

test('a private domain opens to a key or a token, in each of its places', async () => {
  await start({ apikeys: ['K'] });
  const { access_token: token } = domain.oauth.grant();
  const ask = async (parameter: string, headers?: Record<string, string>) =>
    (await get(`request=GetCapabilities${parameter}`, headers)).status;
  expect(await ask('')).toBe(401);
  expect(await ask('&apikey=K')).toBe(200);
  expect(await ask('&apikey=wrong')).toBe(401);
  expect(await ask('', { Authorization: 'Apikey K' })).toBe(200);
  expect(await ask('', { Authorization: `Bearer ${token}` })).toBe(200);
  expect(await ask(`&access_token=${token}`)).toBe(200);
  domain.oauth.revoke();
  expect(await ask(`&access_token=${token}`)).toBe(401);
});
