import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { encodeAttribute, encodeElement, encodeText, isXmlText } from '../../src/wfs/xml.js';

/** What an independent parser reads back from one element. */
function parse(xml: string): { text: string; attribute: string | undefined; elements: number } {
  const parser = new SaxesParser();
  const read = { text: '', attribute: undefined as string | undefined, elements: 0 };
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    read.elements += 1;
    read.attribute = tag.attributes.a;
  });
  parser.on('text', (text) => {
    read.text += text;
  });
  parser.write(xml).close();
  return read;
}

const xmlText = fc.string({ unit: 'binary', maxLength: 60 }).filter(isXmlText);

describe('any text in any place parses back to itself', () => {
  test('as text and as attribute, whatever it holds', () => {
    fc.assert(
      fc.property(xmlText, (text) => {
        const read = parse(encodeElement('e', encodeText(text), encodeAttribute('a', text)));
        expect(read).toEqual({ text, attribute: text, elements: 1 });
      }),
      { numRuns: 800 },
    );
  });

  test.each([
    ']]>',
    '<![CDATA[x]]>',
    '&amp;',
    '</ogc:Literal><ogc:Or/>',
    'a\r\nb\rc\td',
    `"'`,
    '\u0085\u2028',
    'Œuvre 日本 😀',
    ' deux  espaces ',
  ])('%j', (text) => {
    expect(parse(encodeElement('e', encodeText(text), encodeAttribute('a', text)))).toEqual({
      text,
      attribute: text,
      elements: 1,
    });
  });

  test('what no XML document can hold is known', () => {
    expect(['\u0000', '\u001b', '\ufffe', '\ud800', 'a\udc00'].map(isXmlText)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(isXmlText('\t\n\r é 😀')).toBe(true);
  });
});
