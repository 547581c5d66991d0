import { type Language, languages } from '../errors.js';
import { readWeighted } from './negotiate.js';

/**
 * The language the caller reads best of those there are (RFC 9110 §12.5.4, RFC 4647 §3.4): a range means its primary
 * language, whatever country follows. English where nothing else is asked for.
 */
export function toLanguage(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined) return 'en';
  const ranges = readWeighted(acceptLanguage);
  const toWeight = (language: Language) => {
    const own = ranges.filter(({ range }) => range.split('-', 1)[0] === language);
    const matching = own.length > 0 ? own : ranges.filter(({ range }) => range === '*');
    return Math.max(0, ...matching.map(({ q }) => q));
  };
  const best = Math.max(...languages.map(toWeight));
  if (best === 0) return 'en';
  const equals = languages.filter((language) => toWeight(language) === best);
  // the first that was written, as those mean it who write no weights
  const written = ranges.map(({ range }) => equals.find((language) => range.split('-', 1)[0] === language));
  return written.find((language) => language !== undefined) ?? equals[0] ?? 'en';
}
