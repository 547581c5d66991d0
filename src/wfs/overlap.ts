import { setImmediate as nextTurn } from 'node:timers/promises';
import { toMessage } from '../errors.js';
import { createOverlap, type GeoJsonGeometry, type Overlap, toBboxGeometries } from '../geometry/index.js';
import type { FeatureBatch, PageEnd, SearchQuery } from '../query/index.js';

/** Puts an `overlap` member into features. */
export interface OverlapWriter {
  /** The features of the batch, each with what it shares with the geometries, or `null`. Lets others run meanwhile. */
  writeOverlaps(batch: FeatureBatch): Promise<FeatureBatch>;
  /** Features so far whose overlap would have taken more work than a feature, or all of them together, may take. */
  readonly skipped: number;
}

/** Edges looked at for all features of an answer: some seconds. */
const ANSWER_BUDGET = 10_000_000;
const TURN_MS = 10;

/** @param geometries of which the union counts, in WGS84 lon/lat */
export function createOverlapWriter(geometries: readonly GeoJsonGeometry[]): OverlapWriter {
  const toOverlap = createOverlap(geometries, { total: ANSWER_BUDGET });
  let skipped = 0;

  function toMember(feature: Uint8Array): string {
    const { geometry } = JSON.parse(Buffer.from(feature).toString()) as { geometry: GeoJsonGeometry | null };
    const overlap = geometry === null ? undefined : toOverlap(geometry);
    if (geometry !== null && overlap === undefined) skipped += 1;
    return `,"overlap":${overlap === undefined ? 'null' : JSON.stringify(toRounded(overlap))}}`;
  }

  return {
    async writeOverlaps({ bytes, ends }) {
      const parts: Uint8Array[] = [];
      const newEnds: number[] = [];
      let size = 0;
      let turnEnds = performance.now() + TURN_MS;
      for (const [i, end] of ends.entries()) {
        const start = i === 0 ? 0 : (ends[i - 1] as number) + 1;
        const member = Buffer.from(toMember(bytes.subarray(start, end)));
        // with the comma before it, without its closing brace
        parts.push(bytes.subarray(i === 0 ? 0 : start - 1, end - 1), member);
        size += end - 1 - (i === 0 ? 0 : start - 1) + member.length;
        newEnds.push(size);
        if (performance.now() < turnEnds) continue;
        await nextTurn();
        turnEnds = performance.now() + TURN_MS;
      }
      return { bytes: Buffer.concat(parts), ends: newEnds };
    },
    get skipped() {
      return skipped;
    },
  };
}

/** The page, each of its features with what it shares with the query's geometry, or else its bbox. */
export async function* withOverlaps(
  page: AsyncGenerator<FeatureBatch, PageEnd, void>,
  { geometries, bbox }: SearchQuery,
): AsyncGenerator<FeatureBatch, PageEnd, void> {
  const writer = createOverlapWriter(geometries ?? (bbox === undefined ? [] : toBboxGeometries(bbox)));
  try {
    let step = await page.next();
    for (; !step.done; step = await page.next()) yield await writer.writeOverlaps(step.value);
    if (writer.skipped === 0) return step.value;
    const skipped = toMessage('wfs.overlapSkipped', { count: writer.skipped });
    return { ...step.value, warnings: [...(step.value.warnings ?? []), skipped] };
  } finally {
    await page.return(undefined as unknown as PageEnd);
  }
}

/** Square millimetres and millimetres are beyond what any position says; of a share, six digits that count. */
function toRounded({ shareOfFeature, shareOfGeom, ...measure }: Overlap): object {
  const rounded = Object.entries(measure).map(([name, value]) => [name, Number(value.toFixed(3))]);
  const toDigits = (share: number) => Number(share.toPrecision(6));
  return {
    ...Object.fromEntries(rounded),
    shareOfFeature: toDigits(shareOfFeature),
    shareOfGeom: toDigits(shareOfGeom),
  };
}
