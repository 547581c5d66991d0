import { type AnswersParts, createAnswers, type KeptPage } from '../../src/answers/index.js';
import { createMemoryCache } from '../../src/cache/index.js';
import type { Answer, Caller, FeatureBatch, PageEnd, SearchQuery } from '../../src/query/index.js';
import { fakeSource } from '../http/service.js';

type Step = FeatureBatch | PageEnd | Error;

/** One question that has reached the upstream: the test says what comes of it, and when. */
export interface AskedUpstream {
  readonly query: SearchQuery;
  readonly caller: Caller;
  /** Steps that readers have asked for. */
  readonly asked: () => number;
  readonly isEnded: () => boolean;
  give(step: Step): void;
}

const isBatch = (step: Step): step is FeatureBatch => 'bytes' in step;

function createUpstreamAnswer(query: SearchQuery, caller: Caller) {
  const steps: Step[] = [];
  let wake: (() => void)[] = [];
  let asked = 0;
  let isEnded = false;
  const take = async (): Promise<Step> => {
    for (;;) {
      caller.signal.throwIfAborted();
      const step = steps.shift();
      if (step !== undefined) return step;
      await new Promise<void>((resolve) => {
        wake.push(resolve);
        caller.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  };
  async function* generate(): Answer['features'] {
    try {
      for (;;) {
        asked += 1;
        const step = await take();
        if (step instanceof Error) throw step;
        if (!isBatch(step)) return step;
        yield step;
      }
    } finally {
      isEnded = true;
    }
  }
  const give = (step: Step) => {
    steps.push(step);
    for (const resolve of wake.splice(0)) resolve();
    wake = [];
  };
  return {
    asked: { query, caller, asked: () => asked, isEnded: () => isEnded, give },
    take,
    generate,
    steps,
  };
}

/** An upstream that the test plays, behind shared answers. */
export function createShared(
  parts: Partial<AnswersParts> = {},
  { maxBytes = 1e6, maxEntryBytes = 5e5 } = {},
) {
  const memory = createMemoryCache<KeptPage>({ maxBytes, maxEntryBytes });
  const upstream: AskedUpstream[] = [];
  const events: string[] = [];
  const source = fakeSource({
    // as the contract says: resolves with the first features, and throws what comes before them
    async search(query, caller) {
      const { asked, take, generate, steps } = createUpstreamAnswer(query, caller);
      upstream.push(asked);
      const first = await take();
      if (first instanceof Error) throw first;
      steps.unshift(first);
      return {
        isPrivate: parts.takesKeys === true && Object.keys(caller.credentials).length > 0,
        features: generate(),
      };
    },
  });
  const answers = createAnswers(source, {
    name: 'm',
    takesKeys: false,
    cache: memory,
    room: memory,
    freshS: 60,
    maxEntryBytes,
    onEvent: (event) => void events.push(event),
    ...parts,
  });
  return { answers, upstream, events, memory };
}

export const base: SearchQuery = { source: 's', attributes: [], limit: 10, startIndex: 0, count: 'auto' };

export function toCaller(credentials: Caller['credentials'] = {}): Caller & { leave(): void } {
  const controller = new AbortController();
  return { credentials, signal: controller.signal, leave: () => controller.abort(new Error('left')) };
}

/** A batch of one feature of so many bytes. */
export function toFeature(bytes: number, letter = 'x'): FeatureBatch {
  return { bytes: Buffer.from(`"${letter.repeat(bytes - 2)}"`), ends: [bytes] };
}

/** Everything of an answer: its features as text, and its end. */
export async function readAll({ features }: Answer): Promise<{ text: string; end: PageEnd }> {
  const texts: string[] = [];
  for (;;) {
    const step = await features.next();
    if (step.done) return { text: texts.join(','), end: step.value };
    texts.push(Buffer.from(step.value.bytes).toString());
  }
}
