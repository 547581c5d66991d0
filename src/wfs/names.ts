import { distance } from 'fastest-levenshtein';

/**
 * The one name of `names` that is meant by `asked`: exact, else without case where one alone fits.
 */
export function toKnownName(asked: string, names: readonly string[]): string | undefined {
  if (names.includes(asked)) return asked;
  const folded = asked.toLowerCase();
  const fits = names.filter((name) => name.toLowerCase() === folded);
  return fits.length === 1 ? fits[0] : undefined;
}

/**
 * The feature type that is meant by `asked`. Capabilities may spell names with or without prefix, whatever callers are
 * used to: exact, else with the prefix put aside on one side where one alone fits.
 */
export function toKnownTypeName(asked: string, names: readonly string[]): string | undefined {
  if (names.includes(asked)) return asked;
  const hasPrefix = asked.includes(':');
  const local = toLocalName(asked);
  const fits = names.filter((name) => name.includes(':') !== hasPrefix && toLocalName(name) === local);
  return fits.length === 1 ? fits[0] : undefined;
}

export function toLocalName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** The names nearest to `asked`: those that contain it or part of it first, then by edit distance. */
export function toNearestNames(asked: string, names: readonly string[], most = 5): string[] {
  const folded = toFolded(asked);
  const local = toLocalName(folded);
  const scored = names.map((name) => {
    const other = toFolded(name);
    const contains = local.length > 2 && other.includes(local);
    const edits = Math.min(distance(folded, other), distance(local, toLocalName(other)));
    return { name, score: contains ? edits / 1000 : edits / Math.max(local.length, 1) };
  });
  return scored
    .filter(({ score }) => score <= 0.7)
    .sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name);
}

function toFolded(name: string): string {
  return name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}
