import type { Feature } from './schemas.js';

export interface CollectionReader {
  /** The features that are whole by now. */
  push(text: string): Feature[];
  /** The members of the collection but `features`. @throws SyntaxError when the text is not a whole collection */
  end(): Record<string, unknown>;
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [34, 92, 91, 93, 123, 125];
const featuresKey = /"features"\s*:\s*$/;

/**
 * Reads a FeatureCollection (RFC 7946 §3.3) while it arrives. Only the nesting is looked at here; each feature is parsed
 * as soon as its last brace is there, and what stands around the features is parsed at the end.
 */
export function createCollectionReader(): CollectionReader {
  let around = '';
  let text = '';
  let [at, from, depth] = [0, 0, 0];
  let [isInString, isEscaped, isInFeatures] = [false, false, false];

  const open = (code: number) => {
    if (isInFeatures && depth === 2) from = at;
    depth += 1;
    if (depth !== 2 || code !== openBracket || !featuresKey.test(text.slice(from, at))) return;
    isInFeatures = true;
    around += text.slice(from, at + 1);
    from = at + 1;
  };
  const close = (features: Feature[]) => {
    depth -= 1;
    if (!isInFeatures || depth > 2) return;
    if (depth === 2) {
      features.push(JSON.parse(text.slice(from, at + 1)) as Feature);
      from = at + 1;
    } else {
      isInFeatures = false;
      from = at;
    }
  };
  return {
    push(chunk) {
      const features: Feature[] = [];
      text += chunk;
      for (; at < text.length; at += 1) {
        const code = text.charCodeAt(at);
        if (isEscaped) isEscaped = false;
        else if (isInString) {
          if (code === backslash) isEscaped = true;
          else if (code === quote) isInString = false;
        } else if (code === quote) isInString = true;
        else if (code === openBrace || code === openBracket) open(code);
        else if (code === closeBrace || code === closeBracket) close(features);
      }
      text = text.slice(from);
      at -= from;
      from = 0;
      return features;
    },
    end: () => JSON.parse(around + text) as Record<string, unknown>,
  };
}
