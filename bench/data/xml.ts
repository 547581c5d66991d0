export function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (character) =>
    character === '&' ? '&amp;' : character === '<' ? '&lt;' : '&gt;',
  );
}

export const NAMESPACES = {
  wfs: 'http://www.opengis.net/wfs',
  gml: 'http://www.opengis.net/gml',
  ogc: 'http://www.opengis.net/ogc',
  ows: 'http://www.opengis.net/ows',
  xlink: 'http://www.w3.org/1999/xlink',
  xs: 'http://www.w3.org/2001/XMLSchema',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
} as const;
