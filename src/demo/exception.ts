import { escapeXml } from './xml-text.js';

/** Exception codes of OWS Common 1.0 (OGC 05-008) table 20, and those GeoServer adds. */
export type ExceptionCode =
  | 'OperationNotSupported'
  | 'MissingParameterValue'
  | 'InvalidParameterValue'
  | 'VersionNegotiationFailed'
  | 'NoApplicableCode';

/** What the server says no with; it leaves as an ows:ExceptionReport (WFS 1.1.0 §7.7). */
export class OwsException extends Error {
  constructor(
    readonly code: ExceptionCode,
    text: string,
    readonly locator?: string,
  ) {
    super(text);
    this.name = 'OwsException';
  }
}

export function encodeExceptionReport({ code, locator, message }: OwsException): string {
  const locatorAttribute = locator === undefined ? '' : ` locator="${escapeXml(locator)}"`;
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ' +
    'version="1.0.0" xsi:schemaLocation="http://www.opengis.net/ows http://schemas.opengis.net/ows/1.0.0/owsExceptionReport.xsd">\n' +
    `<ows:Exception exceptionCode="${code}"${locatorAttribute}>\n` +
    `<ows:ExceptionText>${escapeXml(message)}</ows:ExceptionText>\n` +
    '</ows:Exception>\n</ows:ExceptionReport>\n'
  );
}
