import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../src/errors.js';
import { GmlError, type GmlLimits } from '../../src/gml/index.js';
import { convert, feature } from './convert.js';

const HEAD = '<c:FeatureCollection xmlns:c="http://www.opengis.net/wfs">\n';

/** Message id, line, column and path of the first fault. */
function faultOf(gml: string | Uint8Array, limits: Partial<GmlLimits> = {}, cut = Infinity): unknown[] {
  const { error } = convert(gml, { limits }, cut);
  return [error?.text.id, error?.line, error?.column, error?.path];
}

describe('what is not well-formed is an error with line, column and path', () => {
  test.each([
    ['gml.endTagMismatch', 2, 14, 'c:FeatureCollection/c:member/a', '<c:member><a></b></c:member>'],
    ['gml.endTagMismatch', 2, 1, 'c:FeatureCollection', '</c:FeatureCollectionX>'],
    ['gml.badName', 2, 2, 'c:FeatureCollection', '<1a/>'],
    ['gml.badName', 2, 2, 'c:FeatureCollection', '<a:b:c/>'],
    ['gml.badName', 2, 4, 'c:FeatureCollection', '<a 1="x"/>'],
    ['gml.badAttribute', 2, 9, 'c:FeatureCollection', '<a x="1"y="2"/>'],
    ['gml.badAttribute', 2, 4, 'c:FeatureCollection', '<a x=1/>'],
    ['gml.badAttribute', 2, 4, 'c:FeatureCollection', '<a x/>'],
    ['gml.badAttribute', 2, 7, 'c:FeatureCollection', '<a x="<"/>'],
    ['gml.badAttribute', 2, 4, 'c:FeatureCollection', '<a/ >'],
    ['gml.duplicateAttribute', 2, 10, 'c:FeatureCollection', '<a x="1" x="2"/>'],
    ['gml.duplicateAttribute', 2, 36, 'c:FeatureCollection', '<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>'],
    ['gml.unboundPrefix', 2, 1, 'c:FeatureCollection', '<p:a/>'],
    ['gml.unboundPrefix', 2, 4, 'c:FeatureCollection', '<a p:x="1"/>'],
    ['gml.badNamespace', 2, 4, 'c:FeatureCollection', '<a xmlns:p=""/>'],
    ['gml.badNamespace', 2, 4, 'c:FeatureCollection', '<a xmlns:xml="u"/>'],
    ['gml.badNamespace', 2, 4, 'c:FeatureCollection', '<a xmlns:xmlns="u"/>'],
    ['gml.unknownEntity', 2, 4, 'c:FeatureCollection/a', '<a>&eacute;</a>'],
    ['gml.unknownEntity', 2, 7, 'c:FeatureCollection', '<a x="&nbsp;"/>'],
    ['gml.badReference', 2, 4, 'c:FeatureCollection/a', '<a>& </a>'],
    ['gml.badReference', 2, 4, 'c:FeatureCollection/a', '<a>&#0;</a>'],
    ['gml.badReference', 2, 4, 'c:FeatureCollection/a', '<a>&#xD800;</a>'],
    ['gml.badReference', 2, 4, 'c:FeatureCollection/a', '<a>&#x110000;</a>'],
    ['gml.badReference', 2, 4, 'c:FeatureCollection/a', '<a>&amp</a>'],
    ['gml.badComment', 2, 7, 'c:FeatureCollection', '<!-- a--b -->'],
    ['gml.badComment', 2, 6, 'c:FeatureCollection', '<!-- --->'],
    ['gml.badMarkup', 2, 1, 'c:FeatureCollection', '<!ELEMENT a>'],
    ['gml.badMarkup', 2, 1, 'c:FeatureCollection', '<!DOCTYPE a>'],
    ['gml.badInstruction', 2, 1, 'c:FeatureCollection', '<?1?>'],
    ['gml.declarationMisplaced', 2, 1, 'c:FeatureCollection', '<?xml version="1.0"?><a/>'],
    ['gml.cdataEndInText', 2, 5, 'c:FeatureCollection/a', '<a>x]]></a>'],
    ['gml.truncated', 2, 4, 'c:FeatureCollection/a', '<a>'],
    ['gml.truncated', 2, 3, 'c:FeatureCollection', '<a'],
    ['gml.truncated', 2, 9, 'c:FeatureCollection', '<!-- abc'],
    ['gml.truncated', 2, 14, 'c:FeatureCollection/a', '<a><![CDATA[]'],
    ['gml.truncated', 2, 1, 'c:FeatureCollection', ''],
  ])('%s at line %i, column %i in %s: %s', (id, line, column, path, gml) => {
    expect(faultOf(HEAD + gml)).toEqual([id, line, column, path]);
    expect(faultOf(HEAD + gml, {}, 1)).toEqual([id, line, column, path]);
  });

  test.each([
    ['gml.contentAfterRoot', 1, 10, '<member/>x'],
    ['gml.contentAfterRoot', 1, 10, '<member/><member/>'],
    ['gml.contentBeforeRoot', 1, 1, '{"type":"FeatureCollection"}'],
    ['gml.contentBeforeRoot', 1, 3, '  plain text'],
    ['gml.endTagUnexpected', 1, 1, '</a>'],
    ['gml.truncated', 1, 1, ''],
    ['gml.truncated', 1, 4, '   '],
    ['gml.badMarkup', 1, 1, '<![CDATA[x]]>'],
    ['gml.badInstruction', 1, 1, '<?xml version="1.0" nonsense?><member/>'],
    // What JavaScript takes for white space and XML does not (XML 1.0 §2.3).
    ['gml.badInstruction', 1, 1, '<?xml version="1.0"\u2028encoding="UTF-8"?><member/>'],
    ['gml.badInstruction', 1, 1, '<?xml version="1.0" encoding\u00a0="UTF-8"?><member/>'],
    ['gml.badMarkup', 1, 1, '<!DOCTYPE\u2028a><member/>'],
    ['gml.badMarkup', 1, 1, '<!DOCTYPE a\u00a0SYSTEM "b"><member/>'],
    ['gml.badMarkup', 1, 1, '<!DOCTYPE 1a><member/>'],
    ['gml.declarationMisplaced', 1, 2, ' <?xml version="1.0"?><member/>'],
    ['gml.notFeatureCollection', 1, 23, '<!-- an error page --><html><body/></html>'],
    ['gml.notFeatureCollection', 1, 1, '<WFS_Capabilities/>'],
  ])('outside the root: %s at line %i, column %i: %s', (id, line, column, gml) => {
    expect(faultOf(gml).slice(0, 3)).toEqual([id, line, column]);
    expect(faultOf(gml, {}, 1).slice(0, 3)).toEqual([id, line, column]);
  });

  test('columns count characters, lines end at LF', () => {
    expect(faultOf(`${HEAD}<!-- é東😀 -->\r\n<é>東</b>`)).toEqual([
      'gml.endTagMismatch',
      3,
      5,
      'c:FeatureCollection/é',
    ]);
  });

  test('the place is right far into a document, in one line or many', () => {
    const many = feature(`<app:a>${'é\n'.repeat(200_000)}</app:b>`);
    const one = feature(`<app:a>${'é'.repeat(200_000)}</app:b>`);
    const start = feature('').indexOf('</app:thing>') + 1;
    expect(convert(many, {}, 1000).error).toMatchObject({ line: 200_001, column: 1 });
    expect(convert(one, {}, 1000).error).toMatchObject({
      line: 1,
      column: start + '<app:a>'.length + 200_000,
    });
  });

  test('the message says where, the kind is that of an unusable upstream, and the converter is dead', () => {
    const { error } = convert(`${HEAD}<a></b>`);
    expect(error).toBeInstanceOf(GmlError);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error?.kind).toBe('upstreamUnusable');
    expect(error?.message).toBe(
      '</a> was expected and </b> found, at line 2, column 4 (in c:FeatureCollection/a).',
    );
  });
});

describe('DOCTYPE', () => {
  test('without declarations is skipped', () => {
    const gml = `<?xml version="1.0"?><!DOCTYPE c:FeatureCollection SYSTEM "x.dtd">${HEAD}<a fid="1"/></c:FeatureCollection>`;
    expect(convert(gml).features).toHaveLength(1);
  });

  test.each([
    '<!DOCTYPE a [<!ENTITY xxe SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE a [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>',
    '<!DOCTYPE a SYSTEM "http://example.org/a.dtd" [<!ATTLIST a fid CDATA "1">]>',
  ])('with declarations is refused: %s', (doctype) => {
    expect(faultOf(`<?xml version="1.0"?>\n${doctype}${HEAD}</c:FeatureCollection>`).slice(0, 3)).toEqual([
      'gml.doctypeRefused',
      2,
      1,
    ]);
  });
});

describe('bytes', () => {
  const around = (...bytes: number[]): Uint8Array =>
    Buffer.concat([
      Buffer.from(`${HEAD}<a>é`),
      Buffer.from(bytes),
      Buffer.from('</a></c:FeatureCollection>'),
    ]);

  test.each([
    ['a continuation alone', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong three', [0xe0, 0x80, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a character cut short', [0xc3, 0x3c]],
    ['ISO-8859-1 without saying so', [0xe9, 0x74]],
  ])('that are no UTF-8 are an error at their place: %s', (_, bytes) => {
    for (const cut of [Number.POSITIVE_INFINITY, 1]) {
      const { error } = convert(around(...bytes), {}, cut);
      expect([error?.text.id, error?.line, error?.column]).toEqual(['gml.encodingFault', 2, 5]);
    }
  });

  test.each([[[0]], [[1]], [[0x0b]], [[0x1f]], [[0xef, 0xbf, 0xbe]], [[0xef, 0xbf, 0xbf]]])(
    'a character XML does not allow: %j',
    (bytes) => {
      expect(faultOf(around(...bytes)).slice(0, 3)).toEqual(['gml.illegalCharacter', 2, 5]);
    },
  );

  test('faults are found in what is skipped, too', () => {
    const gml = Buffer.concat([
      Buffer.from(`${HEAD}<!-- `),
      Buffer.from([0xff]),
      Buffer.from(' --></c:FeatureCollection>'),
    ]);
    expect(faultOf(gml).slice(0, 3)).toEqual(['gml.encodingFault', 2, 6]);
  });

  test('of two faults the first counts, however the bytes are cut', () => {
    const gml = Buffer.concat([
      Buffer.from(`${HEAD}<a x=1 `),
      Buffer.from([0xff]),
      Buffer.from('></c:FeatureCollection>'),
    ]);
    for (const cut of [Number.POSITIVE_INFINITY, 7, 1])
      expect(convert(gml, {}, cut).error?.text.id).toBe('gml.badAttribute');
  });

  test('a document that ends inside a character', () => {
    expect(faultOf(Buffer.concat([Buffer.from(`${HEAD}`), Buffer.from([0xc3])]))[0]).toBe(
      'gml.encodingFault',
    );
  });
});

describe('bounds have names', () => {
  test.each([
    ['depth', feature('<app:a><app:b><app:c><app:d/></app:c></app:b></app:a>'), { depth: 5 }],
    ['tagBytes', feature(`<app:a x="${'y'.repeat(2000)}"/>`), { tagBytes: 1000 }],
    ['attributes', feature('<app:a a="" b="" c="" d=""/>'), { attributes: 3 }],
    ['featureBytes', feature(`<app:a>${'y'.repeat(2000)}</app:a>`), { featureBytes: 1000 }],
    ['featureBytes', feature(`<app:a>${'<app:b>1</app:b>'.repeat(100)}</app:a>`), { featureBytes: 1000 }],
    [
      'featureBytes',
      feature(
        `<app:a><gml:LineString><gml:posList>${'1 2 '.repeat(2000)}</gml:posList></gml:LineString></app:a>`,
      ),
      { featureBytes: 1000 },
    ],
    [
      'featureBytes',
      feature(
        `<app:a><gml:Point><gml:coord><gml:X>1${' '.repeat(2000)}</gml:X><gml:Y>2</gml:Y></gml:coord></gml:Point></app:a>`,
      ),
      { featureBytes: 1000 },
    ],
  ] as const)('%s', (limit, gml, limits) => {
    for (const cut of [Number.POSITIVE_INFINITY, 100, 1]) {
      const { error } = convert(gml, { limits }, cut);
      expect(error?.text).toMatchObject({
        id: 'gml.limit',
        values: { limit, bound: (limits as Record<string, number>)[limit] },
      });
    }
    expect(convert(gml).error).toBeUndefined();
  });

  test('many different names and declarations are forgotten in time, and the output is the same', () => {
    const features = Array.from(
      { length: 12_000 },
      (_, i) => `<n${i}:t xmlns:n${i}="u${i}" fid="${i}"><n${i}:p${i}>${i}</n${i}:p${i}></n${i}:t>`,
    );
    const { text, error } = convert(
      `${HEAD}<c:member>${features.join('')}</c:member></c:FeatureCollection>`,
      {},
      65536,
    );
    expect(error).toBeUndefined();
    const expected = features.map(
      (_, i) => `{"type":"Feature","id":"${i}","geometry":null,"properties":{"p${i}":"${i}"}}`,
    );
    expect(text).toBe(expected.join(','));
  });
});
