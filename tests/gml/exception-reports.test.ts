import { describe, expect, test } from '@jest/globals';
import { GmlExceptionReport, readExceptionReport } from '../../src/gml/index.js';
import { collection, convert } from './convert.js';

const OWS = `<?xml version="1.0" encoding="UTF-8"?>
<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows" version="1.0.0">
  <ows:Exception exceptionCode="InvalidParameterValue" locator="typeName">
    <ows:ExceptionText>no &lt;layer&gt; é &#39;x&#39;</ows:ExceptionText><ows:ExceptionText><![CDATA[a & b]]></ows:ExceptionText>
  </ows:Exception>
  <ows:Exception exceptionCode="NoApplicableCode"/>
</ows:ExceptionReport>`;
const OGC =
  '<ServiceExceptionReport version="1.2.0" xmlns="http://www.opengis.net/ogc"><ServiceException code="RequestNotWellFormed">\n  TypeName missing\n </ServiceException></ServiceExceptionReport>';
const OLD =
  '<ExceptionReport><Exception exceptionCode="MissingParameter">key missing</Exception></ExceptionReport>';
const OWS_EXCEPTIONS = [
  { code: 'InvalidParameterValue', locator: 'typeName', text: "no <layer> é 'x'\na & b" },
  { code: 'NoApplicableCode', text: '' },
];
const exceptionsOf = (xml: string, cut?: number) => {
  const { error } = convert(xml, {}, cut);
  return error instanceof GmlExceptionReport ? error.exceptions : error;
};

describe('an exception report in place of features', () => {
  test.each([
    ['of OWS', OWS, OWS_EXCEPTIONS],
    ['of OGC', OGC, [{ code: 'RequestNotWellFormed', text: 'TypeName missing' }]],
    ['without a namespace', OLD, [{ code: 'MissingParameter', text: 'key missing' }]],
    ['without an exception', '<ServiceExceptionReport/>', []],
    [
      'with text alone',
      '<ServiceExceptionReport>it failed</ServiceExceptionReport>',
      [{ text: 'it failed' }],
    ],
    [
      'that is cut',
      OGC.slice(0, 190),
      [{ code: 'RequestNotWellFormed', text: 'TypeName missing'.slice(0, 190 - OGC.indexOf('TypeName')) }],
    ],
  ])('%s', (_, xml, exceptions) => {
    expect(exceptionsOf(xml)).toEqual(exceptions);
    expect(exceptionsOf(xml, 1)).toEqual(exceptions);
    expect(readExceptionReport(xml)).toEqual(exceptions);
  });

  test('that quotes what XML does not allow is a report all the same (MapServer 8.0)', () => {
    expect(exceptionsOf(OLD.replace('missing<', 'missing: \b<'))).toEqual([
      { code: 'MissingParameter', text: 'key missing:' },
    ]);
  });

  test('is bounded in size', () => {
    const long = OLD.replace('key missing', 'x'.repeat(1_000_000));
    const many = OLD.replace(/(<Exception .*<\/Exception>)/, '$1'.repeat(1000));
    expect((exceptionsOf(long) as { text: string }[])[0]?.text.length).toBeLessThanOrEqual(8192);
    expect((exceptionsOf(many) as unknown[]).length).toBeLessThanOrEqual(32);
  });

  test('the message holds the texts', () => {
    const { error } = convert(OWS);
    expect(error?.kind).toBe('upstreamUnusable');
    expect(error?.message).toBe(
      "The answer is an exception report: no <layer> é 'x'\na & b; NoApplicableCode",
    );
  });
});

describe('an exception report among features', () => {
  const report = OWS.slice(OWS.indexOf('<ows:ExceptionReport'));
  test.each([
    [
      'in the collection (deegree)',
      collection('<app:a fid="1"/>').replace('</gml:featureMembers>', `</gml:featureMembers>${report}`),
    ],
    ['in a member', collection('<app:a fid="1"/>', report)],
    [
      'in wfs:truncatedResponse (WFS 2.0)',
      collection('<app:a fid="1"/>').replace(
        '</gml:featureMembers>',
        `</gml:featureMembers><wfs:truncatedResponse>${report}</wfs:truncatedResponse>`,
      ),
    ],
    ['as a document of its own inside a feature', collection('<app:a fid="1"/>', `<app:a><app:b>${OWS}`)],
    ['as a document of its own behind', `${collection('<app:a fid="1"/>')}${OWS}`],
  ])('%s: what came before is given, then it is thrown', (_, gml) => {
    expect(exceptionsOf(gml)).toEqual(OWS_EXCEPTIONS);
    expect(convert(gml, {}, 1).features).toHaveLength(1);
    expect(exceptionsOf(gml, 1)).toEqual(OWS_EXCEPTIONS);
    expect(readExceptionReport(gml)).toEqual(OWS_EXCEPTIONS);
  });
});

test.each([
  '',
  'plain',
  '<html>ExceptionReport</html>',
  '{"exceptions":[]}',
  collection('<app:a/>'),
  '<ExceptionReports/>',
])('no report: %j', (xml) => {
  expect(readExceptionReport(xml)).toBeUndefined();
});

test('a string has been decoded already, whatever it declares', () => {
  const xml = `<?xml version="1.0" encoding="ISO-8859-1"?>${OLD.replace('key', 'clé')}`;
  expect(readExceptionReport(xml)).toEqual([{ code: 'MissingParameter', text: 'clé missing' }]);
});
