import { type Message, toMessage } from '../errors.js';
import { countVertices } from '../geometry/index.js';
import type { Explanation, SearchQuery } from '../query/index.js';
import type { Abilities } from './abilities.js';
import { WGS84 } from './coordinates.js';
import { encodeGetFeature, encodeGetFeatureKvp, type GetFeature } from './get-feature.js';
import { isExact, toWays } from './page.js';
import { type Asking, toFilter } from './plan.js';
import { isHeadSkipped, type PageRequest, toWindowRequest } from './read.js';

/** How a page would be asked for, without asking for it. The layer is learnt all the same. */
export async function explain(request: PageRequest, url: string): Promise<Explanation> {
  const { plan, query, learnt, abilities } = request;
  const [asking] = await toWays(request);
  const isCutHere = !isExact(request, asking) || isHeadSkipped(request);
  const window = {
    filter:
      plan.featureIds === undefined
        ? toFilter(plan, asking)
        : ({ operator: 'FeatureId', featureIds: plan.featureIds } as const),
    propertyNames: plan.propertyNames,
    maxFeatures: isCutHere ? query.startIndex + query.limit + 1 : query.limit + 1,
    startIndex: isCutHere ? 0 : query.startIndex,
  };
  return {
    request: toSent(toWindowRequest(request, window), abilities, url),
    upstream: { ...abilities.describe(), ...learnt },
    steps: toSteps(request, asking),
  };
}

function toSent(getFeature: GetFeature, abilities: Abilities, url: string): Explanation['request'] {
  if (abilities.method === 'POST') {
    return {
      method: 'POST',
      url,
      contentType: 'text/xml; charset=UTF-8',
      body: encodeGetFeature(getFeature),
    };
  }
  const target = new URL(url);
  for (const [name, value] of Object.entries(encodeGetFeatureKvp(getFeature)))
    target.searchParams.set(name, value);
  return { method: 'GET', url: target.href };
}

function toSteps(request: PageRequest, asking: Asking): Message[] {
  const { plan, query, learnt, maxScanFeatures } = request;
  return [
    ...toSpatialSteps(plan.unions.length > 0, asking, maxScanFeatures),
    ...toDensifiedSteps(
      plan.unions.flat().reduce((sum, one) => sum + countVertices(one), 0),
      query,
    ),
    ...toAttributeSteps(request, asking),
    ...(learnt.code === WGS84 ? [] : [toMessage('explain.reprojected', { code: learnt.code })]),
    ...(learnt.axisOrderOut === 'latLon' ? [toMessage('explain.swapped')] : []),
    ...(
      toWindowRequest(request, { filter: undefined, propertyNames: undefined, maxFeatures: 1, startIndex: 0 })
        .sortBy ?? []
    ).map(({ propertyName }) => toMessage('explain.sorted', { name: propertyName })),
    ...(query.overlap ? [toMessage('explain.overlapped')] : []),
    ...(isHeadSkipped(request) ? [toMessage('explain.headSkipped', { count: query.startIndex })] : []),
  ];
}

function toSpatialSteps(hasGeometry: boolean, asking: Asking, most: number): Message[] {
  if (!hasGeometry) return [];
  if (asking.spatialFilter === 'BBOX') return [toMessage('explain.boxed', { count: most })];
  if (asking.spatialFilter === 'none') return [toMessage('explain.read', { count: most })];
  return [toMessage(asking.filterForms.length === 1 ? 'explain.intersected' : 'explain.bothOrders')];
}

function toDensifiedSteps(asked: number, { geometries = [] }: SearchQuery): Message[] {
  const given = countVertices(geometries);
  return geometries.length > 0 && asked > given ? [toMessage('explain.densified', { given, asked })] : [];
}

function toAttributeSteps({ plan }: PageRequest, { attributeFilters }: Asking): Message[] {
  const compared = plan.tests.filter(({ isExact }) => !attributeFilters || !isExact).map(({ name }) => name);
  return compared.length === 0 ? [] : [toMessage('explain.compared', { names: compared.join(', ') })];
}
