// XML 1.0 §2.2: what no document can hold, not even escaped.
const NOT_XML =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;', // `]]>` must not stand in text (XML 1.0 §2.4)
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;', // as references: a parser would turn these into spaces in attributes, and \r into \n anywhere
  '\n': '&#10;',
  '\r': '&#13;',
};

/** The one place where text becomes XML: any string that `isXmlText` parses back to itself, in text and in attributes. */
export function encodeText(text: string): string {
  return TO_ESCAPE.test(text) ? text.replace(ALL_TO_ESCAPE, toEscape) : text;
}

const TO_ESCAPE = /[&<>"'\t\n\r]/;
const ALL_TO_ESCAPE = new RegExp(TO_ESCAPE, 'g');
const toEscape = (character: string) => ESCAPES[character] as string;

export function isXmlText(text: string): boolean {
  return !NOT_XML.test(text);
}

/** An attribute as it stands in a tag, with the space before it; nothing where the value is undefined. */
export function encodeAttribute(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : ` ${name}="${encodeText(String(value))}"`;
}

/** An element; `content` is XML already. @param attributes made by `encodeAttribute` */
export function encodeElement(name: string, content: string, attributes = ''): string {
  return `<${name}${attributes}>${content}</${name}>`;
}
