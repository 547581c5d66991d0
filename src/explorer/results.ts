import type { Client, Feature, PageEnd, SearchQuery, SearchRequest } from '../client/index.js';
import { breathe, byId } from './dom.js';
import type { FeatureMap } from './map.js';
import type { Table } from './table.js';
import { toText } from './texts.js';

/** A page works this long at a stretch at most, then it listens to its reader. */
const stretchMs = 10;
/** Tables are sorted anew as features arrive: so often, and no more. */
const tableMs = 200;
/** A screen reader is told so often. */
const tellMs = 1000;

/** What was found so far, on the map and in the table. */
export interface Results {
  readonly features: Feature[];
  /** The attributes, in the order of the schema. */
  columns: readonly string[];
  hasOverlap: boolean;
  end: PageEnd | undefined;
  /** The service counts on the first page, and on others only where it costs nothing. */
  matched: number | undefined;
}

export const createResults = (): Results => ({
  features: [],
  columns: [],
  hasOverlap: false,
  end: undefined,
  matched: undefined,
});

export function toCountText({ features, end, matched }: Results): string {
  const count = features.length;
  if (end === undefined) return count === 0 ? '' : toText('streaming', { count });
  if (matched !== undefined && matched > count) return toText('someShown', { count, matched });
  return toText(end.next === undefined ? 'allShown' : 'unknownShown', { count });
}

/** Something done at most once in a while, and once more at the end. */
function createThrottle(ms: number, run: () => void): { request(): void; flush(): void } {
  let last = Number.NEGATIVE_INFINITY;
  const flush = () => {
    run();
    last = performance.now();
  };
  return {
    request() {
      if (performance.now() - last >= ms) flush();
    },
    flush,
  };
}

/** Reads one page into the results, while the page stays at its reader's hand. */
export async function readInto(
  results: Results,
  asked: SearchQuery | SearchRequest,
  parts: {
    readonly client: Client;
    readonly signal: AbortSignal;
    readonly map: FeatureMap;
    readonly table: Table;
  },
): Promise<void> {
  const { client, signal, map, table } = parts;
  const { features } = results;
  const tabulate = createThrottle(tableMs, () => {
    if (features.length === 0) return;
    table.update(features, toColumns(results), results.hasOverlap);
    byId('count').textContent = toCountText(results);
  });
  const tell = createThrottle(tellMs, () => {
    byId('status').textContent = toCountText(results);
  });
  const reading = client.batches(asked, { signal });
  let since = performance.now();
  try {
    for (;;) {
      const { done, value } = await reading.next();
      if (done) {
        results.end = value;
        results.matched = value.numberMatched ?? results.matched;
        break;
      }
      map.add(value, features.length);
      features.push(...value);
      tabulate.request();
      tell.request();
      if (performance.now() - since < stretchMs) continue;
      await breathe();
      since = performance.now();
    }
  } finally {
    tabulate.flush();
  }
}

/** Until the schema is known, what the first feature has. */
export function toColumns({ columns, features }: Results): readonly string[] {
  const has = features[0]?.properties ?? {};
  const known = columns.filter((name) => name in has);
  return known.length > 0 ? known : Object.keys(has);
}
