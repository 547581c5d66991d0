// How much of what callers ask reaches the upstream, by how skewed their questions are and how much is kept: a simulation,
// whose plot is docs/capacity.svg.
//   npx tsx bench/capacity.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Questions that differ: places, layers, filters. */
const QUESTIONS = 100_000;
const TTL_S = 300;
const QUOTA = 30;
const RATES = [3, 10, 30, 100, 300, 1000];
/** Zipf's exponent: the k-th most frequent question is asked 1 / k^s as often as the first. */
const SKEWS = [0.6, 0.8, 1, 1.2];
/** Answers that are kept: some 20 kB each in 64 MB, and in 1 GB. */
const KEPT = [3200, 50_000];
/** The cache has to fill first. */
const WARM_S = TTL_S;
const MEASURED_S = TTL_S;

/** mulberry32: the same every time. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function createQuestions(skew: number, random: () => number): () => number {
  const sums = new Float64Array(QUESTIONS);
  let sum = 0;
  for (let k = 0; k < QUESTIONS; k += 1) {
    sum += (k + 1) ** -skew;
    sums[k] = sum;
  }
  return () => {
    const wanted = random() * sum;
    let [low, high] = [0, QUESTIONS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Requests a second to the upstream, the answers used last being kept for `TTL_S`. */
function simulate(rate: number, skew: number, kept: number): number {
  const random = createRandom(1);
  const ask = createQuestions(skew, random);
  const entries = new Map<number, number>();
  let misses = 0;
  for (let time = 0; time < WARM_S + MEASURED_S; time += -Math.log(1 - random()) / rate) {
    const question = ask();
    const askedAt = entries.get(question);
    entries.delete(question);
    if (askedAt !== undefined && time - askedAt < TTL_S) {
      entries.set(question, askedAt);
      continue;
    }
    entries.set(question, time);
    if (entries.size > kept) entries.delete(entries.keys().next().value as number);
    if (time >= WARM_S) misses += 1;
  }
  return misses / MEASURED_S;
}

interface Line {
  readonly skew: number;
  readonly kept: number;
  readonly upstream: readonly number[];
}

const lines: Line[] = KEPT.flatMap((kept) =>
  SKEWS.map((skew) => ({ skew, kept, upstream: RATES.map((rate) => simulate(rate, skew, kept)) })),
);

/** The rate at which the line reaches the quota, on the logarithmic scales of the plot. */
function toReach({ upstream }: Line): number {
  for (let i = 1; i < RATES.length; i += 1) {
    const [low, high] = [upstream[i - 1] as number, upstream[i] as number];
    if (high < QUOTA) continue;
    const [from, to] = [RATES[i - 1] as number, RATES[i] as number];
    return from * (to / from) ** (Math.log(QUOTA / low) / Math.log(high / low));
  }
  return Number.POSITIVE_INFINITY;
}

const WIDTH = 720;
const HEIGHT = 420;
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 150, 36, 52];
const COLORS = ['#b5302a', '#b86e00', '#2b7a4b', '#22577a'];
const toX = (rate: number) => LEFT + (Math.log(rate / 3) / Math.log(1000 / 3)) * (WIDTH - LEFT - RIGHT);
const toY = (rate: number) => HEIGHT - BOTTOM - (Math.log(rate) / Math.log(1000)) * (HEIGHT - TOP - BOTTOM);
const text = (x: number, y: number, content: string, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${content}</text>`;

function writePlot(): string {
  const ticks = [1, 3, 10, 30, 100, 300, 1000];
  const grid = ticks.map(
    (tick) => `<path d="M${LEFT} ${toY(tick).toFixed(1)}H${WIDTH - RIGHT}" stroke="#ddd"/>
${text(LEFT - 8, toY(tick) + 4, String(tick), 'text-anchor="end"')}`,
  );
  const below = RATES.map((rate) =>
    text(toX(rate), HEIGHT - BOTTOM + 18, String(rate), 'text-anchor="middle"'),
  );
  const curves = lines.map(({ skew, kept, upstream }) => {
    const points = RATES.map(
      (rate, i) => `${toX(rate).toFixed(1)},${toY(Math.max(1, upstream[i] as number)).toFixed(1)}`,
    );
    const dash = kept === KEPT[0] ? ' stroke-dasharray="5 4"' : '';
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${COLORS[SKEWS.indexOf(skew)]}" stroke-width="2"${dash}/>`;
  });
  const names = lines
    .filter(({ kept }) => kept === KEPT[1])
    .map(({ skew, upstream }) =>
      text(
        WIDTH - RIGHT + 8,
        toY(upstream.at(-1) as number) + 4,
        `s = ${skew}`,
        `fill="${COLORS[SKEWS.indexOf(skew)]}"`,
      ),
    );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#333">
<title>Requests to the upstream by requests of callers</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${grid.join('\n')}
<path d="M${LEFT} ${toY(QUOTA).toFixed(1)}H${WIDTH - RIGHT}" stroke="#333" stroke-width="1.5"/>
${text(LEFT + 6, toY(QUOTA) - 6, `quota: ${QUOTA} a second`)}
${curves.join('\n')}
${names.join('\n')}
${below.join('\n')}
${text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, 'requests of callers a second', 'text-anchor="middle"')}
${text(LEFT, TOP - 16, 'requests to the upstream a second; solid: 50,000 answers kept for 300 s, dashed: 3,200')}
</svg>
`;
}

writeFileSync(join(import.meta.dirname, '../docs/capacity.svg'), writePlot());
const percent = (line: Line, i: number) =>
  `${(100 * (1 - (line.upstream[i] as number) / (RATES[i] as number))).toFixed(0)} %`;
process.stdout.write(
  `| s | kept | ${RATES.map((rate) => `${rate}/s`).join(' | ')} | reaches ${QUOTA}/s at |\n|${'---|'.repeat(RATES.length + 3)}\n${lines
    .map((line) => {
      const cells = RATES.map((_, i) => `${(line.upstream[i] as number).toFixed(1)} (${percent(line, i)})`);
      const reach = toReach(line);
      const where = reach === Number.POSITIVE_INFINITY ? '–' : `${Number(reach.toPrecision(2))}/s`;
      return `| ${line.skew} | ${line.kept.toLocaleString('en')} | ${cells.join(' | ')} | ${where} |`;
    })
    .join('\n')}\n`,
);
