import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A GetFeature that the upstream is asked, as far as its double looks. */
export interface Asked {
  readonly body: string;
  readonly request: IncomingMessage;
  /** The learning of the layer: its first features, and the probe of the axis order. */
  readonly isLearning: boolean;
  readonly isHits: boolean;
  readonly maxFeatures: number;
  readonly startIndex: number;
}

export interface Upstream {
  readonly url: string;
  close(): Promise<void>;
}

export const COLLECTION_START =
  '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:t="http://t"><gml:featureMembers>';
export const COLLECTION_END = '</gml:featureMembers></wfs:FeatureCollection>';

/** A point feature of the layer `t:point`, at lon 1 + k/1000, lat 48; `text` is XML already. */
export function toMember(k: number, text = ''): string {
  return `<t:point gml:id="point.${k}"><t:g><gml:Point srsName="urn:x-ogc:def:crs:EPSG:4326"><gml:pos>48 ${1 + (k % 1000) / 1000}</gml:pos></gml:Point></t:g><t:n>${k}</t:n><t:s>${text}</t:s></t:point>`;
}

export function toCollection(...members: readonly string[]): string {
  return `${COLLECTION_START}${members.join('')}${COLLECTION_END}`;
}

const CAPABILITIES = `<wfs:WFS_Capabilities version="1.1.0" xmlns:wfs="http://www.opengis.net/wfs" xmlns:ows="http://www.opengis.net/ows">
<wfs:FeatureTypeList><wfs:FeatureType><wfs:Name>t:point</wfs:Name><wfs:DefaultSRS>urn:x-ogc:def:crs:EPSG:4326</wfs:DefaultSRS>
<ows:WGS84BoundingBox><ows:LowerCorner>1 47</ows:LowerCorner><ows:UpperCorner>2 49</ows:UpperCorner></ows:WGS84BoundingBox>
</wfs:FeatureType></wfs:FeatureTypeList></wfs:WFS_Capabilities>`;

const SCHEMA = `<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:gml="http://www.opengis.net/gml" xmlns:t="http://t" targetNamespace="http://t">
<xsd:complexType name="pointType"><xsd:complexContent><xsd:extension base="gml:AbstractFeatureType"><xsd:sequence>
<xsd:element name="g" type="gml:PointPropertyType" minOccurs="0"/><xsd:element name="n" type="xsd:int" minOccurs="0"/>
<xsd:element name="s" type="xsd:string" minOccurs="0"/></xsd:sequence></xsd:extension></xsd:complexContent></xsd:complexType>
<xsd:element name="point" type="t:pointType" substitutionGroup="gml:_Feature"/></xsd:schema>`;

/**
 * A WFS of one layer, `t:point`, that answers capabilities, schema and the questions of learning by itself, and leaves
 * every other GetFeature to `answer`: to be slow, wrong or cut off in whatever way a test wants.
 */
export async function startUpstream(
  answer: (asked: Asked, response: ServerResponse) => unknown,
  options: {
    /** Sees every request first; true: it has been answered. */
    before?(request: IncomingMessage, response: ServerResponse, body: string): Promise<boolean>;
  } = {},
): Promise<Upstream> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    if (await options.before?.(request, response, body)) return;
    response.setHeader('Content-Type', 'text/xml; subtype=gml/3.1.1');
    const url = String(request.url);
    if (/request=GetCapabilities/i.test(url)) return response.end(CAPABILITIES);
    if (/request=DescribeFeatureType/i.test(url)) return response.end(SCHEMA);
    const asked = toAsked(body, request);
    if (!asked.isLearning) return answer(asked, response);
    const isProbe = body.includes('<ogc:Filter>');
    return response.end(isProbe ? toCollection(toMember(0)) : toCollection(toMember(0), toMember(1)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/wfs`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function toAsked(body: string, request: IncomingMessage): Asked {
  const number = (name: string) => Number(new RegExp(`${name}="(\\d+)"`).exec(body)?.[1] ?? 0);
  return {
    body,
    request,
    isLearning: [10, 40].includes(number('maxFeatures')),
    isHits: body.includes('resultType="hits"'),
    maxFeatures: number('maxFeatures'),
    startIndex: number('startIndex'),
  };
}
