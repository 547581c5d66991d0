/**
 * What answers for one feature type have shown so far. It only ever saves requests: without it every question is asked.
 */
export interface Experience {
  /** A page held so many features. */
  delivered(numberOfFeatures: number): void;
  /** Whether a page that ends at this number may have been cut by a cap of the upstream: no larger one was seen. */
  mayBeCap(numberOfFeatures: number): boolean;
  isTrustedCount(count: number): boolean;
  countIsTrue(count: number): void;
  countIsCapped(count: number): void;
  readonly canSort: boolean;
  sortRefused(): void;
  /** False once pages were refused for having no order of their own: they are sorted by whatever there is. */
  readonly hasNaturalOrder: boolean;
  naturalOrderRefused(): void;
  /** False once a feature was met whose id is not made of the attribute that was learnt. */
  readonly idHolds: boolean;
  idRefuted(): void;
  /** In which words an attribute can be asked for, where servers differ; undefined: not seen yet. */
  wordsFor(attribute: string): Words | undefined;
  answeredTo(words: Words, attributes: readonly string[]): void;
  /** The first features of the last answer from the start, where it was to this question, and of late. */
  headOf(question: unknown): readonly string[] | undefined;
  /** An answer from the start began with these features. */
  began(question: unknown, head: readonly string[]): void;
  readonly canPage: boolean;
  /** startIndex, for this feature type at least. */
  startIndexRefused(): void;
  /** For other processes; plain JSON. */
  seen(): SeenExperience;
  /** What another process has seen of the same feature type. */
  adopt(seen: SeenExperience): void;
  /** Plain JSON, for people. */
  describe(): Record<string, unknown>;
}

export interface SeenExperience {
  readonly largestPage: number;
  readonly largestTrueCount: number;
  readonly countCap?: number | undefined;
  readonly canSort: boolean;
  readonly hasNaturalOrder: boolean;
  readonly canPage: boolean;
  readonly idHolds: boolean;
  readonly words: readonly (readonly [string, Words])[];
}

/** What a question begins with may change. */
const RECENT_MS = 60_000;

/** Those of an attribute test, or its others. */
export type Words = 'usual' | 'other';

export function createExperience(): Experience {
  let largestPage = 0;
  let largestTrueCount = 0;
  let countCap: number | undefined;
  let canSort = true;
  let hasNaturalOrder = true;
  let canPage = true;
  let idHolds = true;
  let beginning: { question: unknown; head: readonly string[]; at: number } | undefined;
  const wordsByAttribute = new Map<string, Words>();
  return {
    delivered(numberOfFeatures) {
      largestPage = Math.max(largestPage, numberOfFeatures);
    },
    mayBeCap: (numberOfFeatures) => numberOfFeatures >= largestPage,
    isTrustedCount: (count) => count <= largestTrueCount && count !== countCap,
    countIsTrue(count) {
      largestTrueCount = Math.max(largestTrueCount, count);
    },
    countIsCapped(count) {
      countCap = count;
      largestTrueCount = Math.min(largestTrueCount, count - 1);
    },
    get canSort() {
      return canSort;
    },
    sortRefused() {
      canSort = false;
    },
    get hasNaturalOrder() {
      return hasNaturalOrder;
    },
    naturalOrderRefused() {
      hasNaturalOrder = false;
    },
    get idHolds() {
      return idHolds;
    },
    idRefuted() {
      idHolds = false;
    },
    wordsFor: (attribute) => wordsByAttribute.get(attribute),
    answeredTo(words, attributes) {
      for (const attribute of attributes) wordsByAttribute.set(attribute, words);
    },
    headOf(question) {
      if (beginning === undefined || performance.now() - beginning.at > RECENT_MS) return undefined;
      const isSame = JSON.stringify(beginning.question) === JSON.stringify(question);
      return isSame ? beginning.head : undefined;
    },
    began(question, head) {
      beginning = { question, head, at: performance.now() };
    },
    get canPage() {
      return canPage;
    },
    startIndexRefused() {
      canPage = false;
    },
    seen: () => ({
      largestPage,
      largestTrueCount,
      countCap,
      canSort,
      hasNaturalOrder,
      canPage,
      idHolds,
      words: [...wordsByAttribute],
    }),
    adopt(seen) {
      largestPage = Math.max(largestPage, seen.largestPage);
      countCap ??= seen.countCap;
      largestTrueCount = Math.max(largestTrueCount, seen.largestTrueCount);
      canSort &&= seen.canSort;
      hasNaturalOrder &&= seen.hasNaturalOrder;
      canPage &&= seen.canPage;
      idHolds &&= seen.idHolds;
      for (const [attribute, words] of seen.words) wordsByAttribute.set(attribute, words);
    },
    describe: () => ({
      canSort,
      canPage,
      idHolds,
      largestPage,
      ...(largestTrueCount > 0 && { largestTrueCount }),
      ...(countCap !== undefined && { countCap }),
    }),
  };
}
