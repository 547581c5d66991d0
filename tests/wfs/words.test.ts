import { afterEach, describe, expect, test } from '@jest/globals';
import { type ServiceOver, startOver } from '../support/over.js';
import { startUpstream, toCollection, toMember, type Upstream } from '../support/upstream.js';

let upstream: Upstream;
let service: ServiceOver;
let asked: string[] = [];

/** An upstream whose answer to a filter hangs on the words of it. */
async function start(answer: (literals: string) => string): Promise<void> {
  asked = [];
  upstream = await startUpstream(({ body, isHits }, response) => {
    const literals = [...body.matchAll(/<ogc:Literal>(.*?)<\/ogc:Literal>/g)].map(([, one]) => one).join();
    if (!isHits) asked.push(literals);
    response.end(answer(literals));
  });
  service = await startOver(upstream.url);
}

afterEach(async () => {
  await service.close();
  await upstream.close();
});

async function search(parameters: string): Promise<{ status: number; n: unknown[] }> {
  const response = await fetch(`${service.url}/api/wfs-geoportail/search?source=t:point&${parameters}`);
  const { features = [] } = (await response.json()) as { features?: { properties: { n: unknown } }[] };
  return { status: response.status, n: features.map(({ properties }) => properties.n) };
}

describe('a boolean that the schema calls an integer', () => {
  // MapServer 8.0 over GeoPackage
  test('is asked for as 1 where true finds nothing, and from then on', async () => {
    await start((literals) => (literals === '1' ? toCollection(toMember(1)) : toCollection()));
    expect(await search('n=true')).toEqual({ status: 200, n: [1] });
    expect(asked).toEqual(['true', '1']);
    expect(await search('n=true&_limit=7')).toEqual({ status: 200, n: [1] });
    expect(asked).toEqual(['true', '1', '1']);
  });

  test('what the other words find is compared here', async () => {
    await start((literals) => (literals === '1' ? toCollection(toMember(2), toMember(1)) : toCollection()));
    expect((await search('n=true')).n).toEqual([1]);
  });

  // MapServer 8.0 over PostGIS: "operator does not exist: boolean = integer"
  test('is nowhere where true finds nothing and 1 is refused; that is asked once', async () => {
    const refusal =
      '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception/></ows:ExceptionReport>';
    await start((literals) => (literals === '1' ? refusal : toCollection()));
    expect(await search('n=true')).toEqual({ status: 200, n: [] });
    expect(await search('n=true&_limit=7')).toEqual({ status: 200, n: [] });
    // twice: it could have been the sort that was refused
    expect(asked).toEqual(['true', '1', '1', 'true']);
  });

  test('is not asked for again in other words where something was found', async () => {
    await start((literals) => toCollection(...(literals === 'true' ? [toMember(1)] : [])));
    expect((await search('n=true')).n).toEqual([1]);
    expect((await search('n=false')).n).toEqual([]);
    expect(asked).toEqual(['true', 'false']);
  });

  test('beside other values it is asked for in both words at once', async () => {
    await start((literals) =>
      literals.includes('5,') ? toCollection(toMember(5), toMember(1)) : toCollection(),
    );
    expect((await search('n=5&n=true')).n).toEqual([5, 1]);
    expect([...new Set(asked)]).toEqual(['5,true,1']);
  });
});
