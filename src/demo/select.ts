import { setImmediate } from 'node:timers/promises';
import { compare, toComparableValue } from './compare.js';
import type { LayerFeature } from './layers/index.js';
import type { Query, SortKey } from './request.js';

// How long features are tried before other requests get their turn: a filter may cost as much as it likes for each.
const SLICE_MS = 10;

/**
 * The features that match, in the order asked for or that of the layer; with no order, at most `enough` of them.
 * @throws the signal's reason once it aborts
 */
export async function select(
  query: Query,
  enough: number,
  signal: AbortSignal,
): Promise<readonly LayerFeature[]> {
  const { layer, predicate, sortBy } = query;
  if (predicate === undefined && sortBy.length === 0) return layer.features;
  const box = predicate?.within;
  const candidates =
    box === undefined
      ? layer.features
      : layer.search(box).flatMap((position) => layer.features[position] ?? []);
  const found: LayerFeature[] = [];
  let begun = performance.now();
  for (const feature of candidates) {
    if (performance.now() - begun > SLICE_MS) {
      await setImmediate();
      signal.throwIfAborted();
      begun = performance.now();
    }
    if (predicate === undefined || predicate.isMatch(feature)) found.push(feature);
    if (sortBy.length === 0 && found.length >= enough) break;
  }
  return sortBy.length === 0 ? found : found.sort(createOrder(query, sortBy));
}

/** As PostgreSQL orders: nulls last, or first when descending; texts by code unit; equals stay in the layer's order. */
function createOrder({ layer }: Query, sortBy: readonly SortKey[]) {
  return (a: LayerFeature, b: LayerFeature): number => {
    for (const { position, descending } of sortBy) {
      const type = layer.attributes[position]?.type ?? 'string';
      const [left, right] = [
        toComparableValue(a.values[position] ?? null, type),
        toComparableValue(b.values[position] ?? null, type),
      ];
      const order = compare(left, right) ?? Number(left === undefined) - Number(right === undefined);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  };
}
