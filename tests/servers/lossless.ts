const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const mark = '\u{F0000}';

/** JSON.parse that keeps every integer: those a double cannot hold become bigint. */
export function parseLossless(json: string): unknown {
  const marked = json.replace(token, (text) => {
    const isLost = /^-?\d+$/.test(text) && !Number.isSafeInteger(Number(text));
    return isLost ? `"${mark}${text}"` : text;
  });
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}
