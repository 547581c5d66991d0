const syntax = /[\\^$.*+?()[\]{}|/]/;
const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

const toPercent = (bytes: Uint8Array) =>
  [...bytes].map((byte) => `%(?:25)*${byte.toString(16).padStart(2, '0')}`).join('');

/**
 * One character in every writing a server may echo it in: as it is, percent-encoded once or more (URLs encode `~` and
 * `!` in forms, and leave them in paths), as an XML reference, escaped as in JSON, a space as `+`.
 */
function toPattern(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const literal = syntax.test(character) ? `\\${character}` : character;
  const forms = [toPercent(Buffer.from(character, 'utf8')), `&#0*${code};`, `&#x0*${code.toString(16)};`];
  if (code > 0x7f && code <= 0xff) forms.push(toPercent(Uint8Array.of(code)));
  if (Object.hasOwn(references, character)) forms.push(references[character] as string);
  if (character === '"' || character === '\\') forms.push(`\\\\${literal}`);
  if (character === ' ') forms.push('\\+');
  return `(?:${forms.join('|')}|${literal})`; // last: `%` begins `%25`, and the rest of it must not stay
}

/** Replaces secrets in a text, in whatever writing and case they stand there, by `***`. */
export function createMask(secrets: readonly string[]): (text: string) => string {
  const present = [...new Set(secrets)].filter((secret) => secret !== '').sort((a, b) => b.length - a.length);
  if (present.length === 0) return (text) => text;
  const pattern = present.map((secret) => [...secret].map(toPattern).join('')).join('|');
  const secret = new RegExp(pattern, 'giu');
  return (text) => text.replace(secret, '***');
}
