import { WGS84_URN } from '../crs/index.js';
import { type Position, toPositions } from '../geometry/index.js';
import type { FeatureType } from '../gml/index.js';
import { follow } from '../signal.js';
import type { Abilities } from './abilities.js';
import type { Asker, Dialogue } from './dialogue.js';
import type { Filter } from './filter.js';
import type { SortProperty } from './get-feature.js';
import { within } from './within.js';

/** A feature that was asked for to learn from it. */
export interface SampleFeature {
  readonly id: string | undefined;
  /** As written, in whatever order. */
  readonly positions: readonly Position[];
  readonly srsName: string | undefined;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Which layer is looked at, and who asks. */
export interface SampleContext {
  readonly typeName: string;
  readonly type: FeatureType;
  readonly abilities: Abilities;
  /** False: asked for in the layer's own CRS. */
  readonly isInWgs84: boolean;
  readonly dialogue: Dialogue;
  readonly asker: Asker;
}

export interface Wanted {
  /** Enough to go on with, when the next ones are slow to come. */
  readonly isUsable: (features: readonly SampleFeature[]) => boolean;
  /** As many as can help. */
  readonly isPlenty: (features: readonly SampleFeature[]) => boolean;
  readonly filter?: Filter | undefined;
  readonly sortBy?: readonly SortProperty[];
  /** Features to ask for, at most. */
  readonly size?: number;
}

export const SAMPLE_SIZE = 10;
const PATIENCE_MS = 300;

/** A few features as they are written: until there are plenty, or, once usable, until the next are slow to come. */
export async function readSample(
  { typeName, type, isInWgs84, dialogue, asker }: SampleContext,
  { isUsable, isPlenty, filter, sortBy, size = SAMPLE_SIZE }: Wanted,
): Promise<SampleFeature[]> {
  const features: SampleFeature[] = [];
  let lastSrsName: string | undefined;
  const leaving = follow(asker.signal);
  const stream = dialogue.getFeature(
    {
      typeName,
      namespace: type.namespace,
      srsName: isInWgs84 ? WGS84_URN : undefined,
      maxFeatures: size,
      filter,
      ...(sortBy && { sortBy }),
    },
    {
      featureType: type,
      crs: (srsName) => {
        lastSrsName = srsName ?? lastSrsName;
        return { swap: false };
      },
    },
    { ...asker, signal: leaving },
  );
  while (!isPlenty(features)) {
    const next = stream.next();
    const step = await (features.length > 0 && isUsable(features) ? within(next, PATIENCE_MS) : next);
    if (step === undefined || step.done) break;
    for (const { id, geometry, properties } of toRawFeatures(step.value.bytes)) {
      const positions = geometry === null ? [] : toPositions(geometry);
      features.push({ id, positions, srsName: lastSrsName, properties });
    }
  }
  leaving.abort();
  stream.return().catch(() => {}); // a step still under way ends with the request
  return features;
}

function toRawFeatures(bytes: Uint8Array): RawFeature[] {
  return JSON.parse(
    `[${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()}]`,
  ) as RawFeature[];
}

interface RawFeature {
  readonly id?: string;
  readonly geometry: Parameters<typeof toPositions>[0] | null;
  readonly properties: Record<string, unknown>;
}
