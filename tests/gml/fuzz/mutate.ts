import type { Random } from './random.js';

type Change = (xml: string, random: Random) => string;

/** The document with a few things done to it, of which some leave it what it was, as bytes in some encoding. */
export function mutate(xml: string, random: Random): Uint8Array {
  const changes = random.pick([0, 1, 1, 1, 2, 3]);
  let changed = xml;
  for (let i = 0; i < changes; i++) changed = random.pick(CHANGES)(changed, random);
  const bytes = encode(changed, random);
  return random.chance(0.08) ? spoil(bytes, random) : bytes;
}

const insert = (text: string, at: number, what: string, removed = 0): string =>
  text.slice(0, at) + what + text.slice(at + removed);

// Characters

const PIECES = [
  ...[
    '<',
    '>',
    '&',
    '"',
    "'",
    '/',
    '=',
    '?',
    '!',
    ' ',
    '\n',
    '\t',
    '\r',
    '\r\n',
    '-',
    '.',
    ',',
    '0',
    '1',
    ':',
    ']',
    '[',
    ';',
    '#',
    'é',
  ],
  ...[
    ']]>',
    '<!--',
    '-->',
    '<![CDATA[',
    '&amp;',
    '&#65;',
    '&#x0;',
    '&eacute;',
    '<?',
    '?>',
    '</',
    '/>',
    'xmlns',
    'NaN',
    '1e5',
    '\u0001',
  ],
  ...['\u{1F600}', '\ufffe', '\ufffd', '\u2028', '\u0085', '\u00a0'],
];
const insertPiece: Change = (xml, random) => insert(xml, random.below(xml.length + 1), random.pick(PIECES));
const removePiece: Change = (xml, random) =>
  insert(xml, random.below(xml.length), '', 1 + random.below(random.pick([1, 3, 40])));
const replaceByte: Change = (xml, random) => insert(xml, random.below(xml.length), random.pick(PIECES), 1);
const cutShort: Change = (xml, random) => (random.chance(0.3) ? xml.slice(0, random.below(xml.length)) : xml);
const copyPiece: Change = (xml, random) => {
  const from = random.below(xml.length);
  return insert(xml, random.below(xml.length), xml.slice(from, from + random.below(200)));
};

// Markup

const PARTS = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<[^>]*>|[^<]+/g;
const partsOf = (xml: string): string[] => xml.match(PARTS) ?? [];
const isTag = (part: string): boolean => /^<[^!?/][^>]*>$/.test(part);
const isText = (part: string): boolean => !part.startsWith('<');

/** One part, of those that fit, changed. */
function onOne(fits: (part: string) => boolean, change: (part: string, random: Random) => string): Change {
  return (xml, random) => {
    const parts = partsOf(xml);
    const places = parts.flatMap((part, i) => (fits(part) ? [i] : []));
    if (places.length === 0) return xml;
    const at = random.pick(places);
    parts[at] = change(parts[at] as string, random);
    return parts.join('');
  };
}
const any = (): boolean => true;

const removePart = onOne(any, () => '');
const doublePart = onOne(any, (part) => part + part);
const swapParts: Change = (xml, random) => {
  const parts = partsOf(xml);
  const [a, b] = [random.below(parts.length), random.below(parts.length)];
  [parts[a], parts[b]] = [parts[b] as string, parts[a] as string];
  return parts.join('');
};
/** A whole element out, in twice, or somewhere else. */
const moveElement: Change = (xml, random) => {
  const parts = partsOf(xml);
  const from = random.below(parts.length);
  if (!isTag(parts[from] ?? '')) return xml;
  let depth = 0;
  let to = from;
  do {
    const part = parts[to] as string;
    if (isTag(part) && !part.endsWith('/>')) depth++;
    else if (part.startsWith('</')) depth--;
    to++;
  } while (depth > 0 && to < parts.length);
  const element = parts.slice(from, to);
  const rest = random.chance(0.7) ? [...parts.slice(0, from), ...parts.slice(to)] : parts;
  if (random.chance(0.3)) return rest.join('');
  rest.splice(random.below(rest.length), 0, ...element);
  return rest.join('');
};
const insertMarkup = onOne(any, (part, random) => {
  const what = random.pick([
    ...[
      '<!-- c -->',
      '<!---->',
      '<?pi data?>',
      '<?pi?>',
      '<![CDATA[]]>',
      '<![CDATA[x]]>',
      '<x/>',
      '<gml:name>n</gml:name>',
    ],
    ...[
      'text',
      ' ',
      '<gml:pos>1 2</gml:pos>',
      '<app:geom xlink:href="#g1"/>',
      '<gml:Point><gml:pos>1 2</gml:pos></gml:Point>',
    ],
    ...['<gml:boundedBy><gml:Envelope srsName="urn:x" srsDimension="3"/></gml:boundedBy>', '<!DOCTYPE a>'],
    ...[
      '<!DOCTYPE a [<!ENTITY e "x">]>',
      '<ExceptionReport/>',
      '<?xml version="1.0"?>',
      '</gml:pos>',
      '<gml:FeatureCollection/>',
    ],
  ]);
  return random.chance(0.5) ? what + part : part + what;
});
const commentInText = onOne(
  (part) => isText(part) && part.trim() !== '',
  (part, random) =>
    insert(
      part,
      random.below(part.length + 1),
      random.pick(['<!-- x -->', '<?pi?>', '<![CDATA[]]>', '<!---->']),
    ),
);
const textAsCdata = onOne(isText, (part) => (part.includes('&') ? part : `<![CDATA[${part}]]>`));
const textAsReferences = onOne(isText, (part) =>
  part.includes('&') ? part : [...part].map((one) => `&#${one.codePointAt(0)};`).join(''),
);
const otherText = onOne(isText, (_, random) =>
  random.pick([
    '',
    ' ',
    '\n',
    '0',
    'a&lt;b',
    '1 2',
    '1 2 3',
    '1,2',
    'NaN',
    ' 12 ',
    'x y',
    '48.5 2.5 48.6 2.6 48.5 2.5',
    '2020-01-01Z',
  ]),
);

// Attributes

const ATTRIBUTE = /\s+([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')/g;
const attribute = onOne(isTag, (tag, random) =>
  tag.replace(
    /\s*\/?>$/,
    (end) =>
      ` ${random.pick(['x="1"', "x='&lt;'", 'gml:id="g1"', 'fid="7"', 'srsName="urn:x"', 'srsDimension="3"', 'srsDimension="1"', 'xsi:nil="true"', 'xlink:href="#g2"', 'uom="m"', 'orientation="-"', 'decimal=","', 'cs=" "', 'xmlns="urn:y"', 'xmlns:gml="http://www.opengis.net/gml/3.2"', 'numberMatched="3"', 'x="a\tb\n&#10;"', 'nope:x="1"'])}${end}`,
  ),
);
const lessAttribute = onOne(isTag, (tag, random) =>
  tag.replace(ATTRIBUTE, (one) => (random.chance(0.4) ? '' : one)),
);
const turnAttributes = onOne(isTag, (tag) => {
  const attributes = tag.match(ATTRIBUTE) ?? [];
  return tag.replace(ATTRIBUTE, '').replace(/\s*\/?>$/, (end) => [...attributes].reverse().join('') + end);
});
const otherQuotes = onOne(isTag, (tag) => tag.replace(/="([^"'<]*)"/g, "='$1'"));
const spaceInTag = onOne(
  (part) => part.startsWith('<'),
  (tag, random) => tag.replace(/\s|(?=\/?>$)/, random.pick([' ', '\n', '\t ', '\r\n'])),
);
const otherName = onOne(isTag, (tag, random) =>
  tag.replace(
    /^<[^\s/>]+/,
    `<${random.pick(['gml:Point', 'gml:posList', 'gml:LinearRing', 'gml:Polygon', 'app:geom', 'x', 'gml:member', 'é', '_:a', 'a:b:c', '1a'])}`,
  ),
);

// The whole document

const otherPrefix: Change = (xml, random) => {
  const [from, to] = random.pick([
    ['gml', 'g'],
    ['gml', 'wfs2'],
    ['app', 'a.b-c'],
    ['wfs', 'été'],
    ['gml', 'Gml_'],
  ] as const);
  return xml
    .replaceAll(`<${from}:`, `<${to}:`)
    .replaceAll(`</${from}:`, `</${to}:`)
    .replaceAll(`xmlns:${from}=`, `xmlns:${to}=`)
    .replaceAll(` ${from}:`, ` ${to}:`);
};
const lineEnds: Change = (xml, random) => xml.replaceAll('\n', random.pick(['\r\n', '\r', '\n\n']));
const indented: Change = (xml, random) =>
  xml.replaceAll('><', `>${random.pick(['\n', ' \t', '<!-- c -->', '\r\n  '])}<`);
const declared: Change = (xml, random) =>
  random.pick([
    '<?xml version="1.0"?>',
    '<?xml version="1.1" encoding="UTF-8" standalone="yes"?>\n',
    '\ufeff',
    ' ',
    '<!DOCTYPE a SYSTEM "b">',
    '<!-- c -->',
  ]) + xml.replace(/^<\?xml[^>]*\?>/, '');
const oddNumber: Change = (xml, random) => {
  const numbers = [...xml.matchAll(/(?<=[\s>,])-?\d+(?:\.\d+)?(?=[\s<,])/g)];
  if (numbers.length === 0) return xml;
  const { index, 0: text } = random.pick(numbers);
  const other = random.pick([
    'NaN',
    'INF',
    '-INF',
    '1e400',
    '1E5',
    '+1',
    '.5',
    '5.',
    '007',
    '-0',
    '1e-7',
    '--1',
    '1,5',
    '0x10',
    '',
    '1.0000000000000000000001',
    '123456789012345678901234567890',
    `${text}000000000000000`,
    `${text} ${text}`,
    '1.2.3',
    'e5',
    '9'.repeat(400),
    `${'9'.repeat(200)}.${'1'.repeat(400)}`,
    `-0.${'0'.repeat(330)}${text.replace(/\D/g, '')}`,
  ]);
  return insert(xml, index, other, text.length);
};

const CHANGES: readonly Change[] = [
  ...[insertPiece, removePiece, replaceByte, cutShort, copyPiece],
  ...[
    removePart,
    doublePart,
    swapParts,
    moveElement,
    moveElement,
    insertMarkup,
    insertMarkup,
    commentInText,
    textAsCdata,
    textAsReferences,
    otherText,
  ],
  ...[attribute, attribute, lessAttribute, turnAttributes, otherQuotes, spaceInTag, otherName],
  ...[otherPrefix, lineEnds, indented, declared, oddNumber, oddNumber],
];

// Bytes

function encode(xml: string, random: Random): Uint8Array {
  const body = xml.replace(/^\ufeff?(?:<\?xml[^>]*\?>)?/, '');
  if (random.chance(0.03))
    return Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${body}`, 'utf16le');
  if (random.chance(0.03)) return Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${body}`, 'latin1');
  return Buffer.from(xml);
}

function spoil(bytes: Uint8Array, random: Random): Uint8Array {
  const spoilt = Buffer.from(bytes);
  for (let i = 0; i <= random.below(2); i++) spoilt[random.below(spoilt.length)] = random.below(256);
  return spoilt;
}
