import { collection, feature, type Options } from './convert.js';

/** Documents that hold what recorded answers seldom do, for the tests that cut and rewrite them. */
export const documents: { name: string; gml: string; options?: Options }[] = [
  {
    name: 'text of every kind',
    gml: feature(
      '<app:a>é&amp;東&#x1F600;</app:a><app:b><![CDATA[ <x> ]]&]]]]><![CDATA[>]]></app:b><app:c>a]b]]c\r\nd\re</app:c>' +
        '<!-- between --><?pi data?><app:d x=">" y=\'"/>\'>q"\\</app:d><app:e\n/><app:f></app:f ><app:g xsi:nil="true"/>',
    ),
  },
  {
    name: 'coordinates of every notation',
    gml: collection(
      '<app:a><app:g><gml:LineString><gml:posList>1 2\n+3.0 .4 5e1 -06</gml:posList></gml:LineString></app:g></app:a>',
      '<app:a><app:g><gml:LineString><gml:coordinates>1,2 3.5 , -4\t5,6,7</gml:coordinates></gml:LineString></app:g></app:a>',
      '<app:a><app:g><gml:LineString><gml:coordinates decimal="," cs=" " ts=";">1,5 2;3 4,25</gml:coordinates></gml:LineString></app:g></app:a>',
      '<app:a><app:g><gml:LineString><gml:coordinates>1 2,3 4</gml:coordinates></gml:LineString></app:g></app:a>',
      '<app:a><app:g><gml:LineString><gml:pos>1 2</gml:pos><gml:pos>3<!-- x -->0 4 5</gml:pos></gml:LineString></app:g></app:a>',
      '<app:a><app:g><gml:Point><gml:coord><gml:X>1.50</gml:X><gml:Y>2</gml:Y></gml:coord></gml:Point></app:g></app:a>',
      '<app:a><app:g><gml:LineString srsDimension="3"><gml:posList>1 2 3 4&#32;5 6</gml:posList></gml:LineString></app:g></app:a>',
    ),
    options: { crs: () => ({ swap: true }) },
  },
  {
    name: 'rings to be turned and closed',
    gml: feature(
      '<app:g><gml:Polygon><gml:interior><gml:LinearRing><gml:posList>1 1 2 1 2 2 1 2</gml:posList></gml:LinearRing></gml:interior>' +
        '<gml:exterior><gml:LinearRing><gml:posList>0 0 0 9.50 9.25 9.0 9 0 0 0</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></app:g>' +
        '<app:h><gml:Polygon><gml:exterior><gml:Ring><gml:curveMember><gml:Curve><gml:segments><gml:Arc><gml:posList>1 0 0 1 -1 0</gml:posList></gml:Arc>' +
        '<gml:LineStringSegment><gml:posList>-1 0 0 -1 1 0</gml:posList></gml:LineStringSegment></gml:segments></gml:Curve></gml:curveMember></gml:Ring></gml:exterior></gml:Polygon></app:h>',
    ),
  },
  {
    name: 'faults, references and nested elements',
    gml: collection(
      '<app:a><app:g><gml:Point gml:id="p"><gml:pos>NaN 1</gml:pos></gml:Point></app:g></app:a>',
      '<app:a><app:g><gml:Point gml:id="q"><gml:pos>2 1</gml:pos></gml:Point></app:g><app:n><app:o><app:p>1</app:p><app:p/></app:o> t </app:n></app:a>',
      '<app:a><app:g xlink:href="#q"/><app:k xlink:href="#z"/></app:a>',
    ),
  },
  {
    name: 'declarations on every element',
    gml:
      '<FeatureCollection xmlns="http://www.opengis.net/wfs"><featureMember xmlns="http://www.opengis.net/gml">' +
      '<t:a xmlns:t="t" xmlns:g="http://www.opengis.net/gml" g:id="1"><t:geom><Point xmlns="http://www.opengis.net/gml"><pos xmlns="http://www.opengis.net/gml">1 2</pos></Point></t:geom>' +
      '<b xmlns="t">x</b><u:c xmlns:u="t">y</u:c></t:a></featureMember></FeatureCollection>',
  },
  { name: 'an end tag that does not match', gml: `${feature('<app:a>1</app:b>')}` },
  { name: 'a character XML does not allow', gml: feature('<app:a>x\u0001y</app:a>') },
  { name: 'an unbound prefix', gml: feature('<app:a>1</app:a><nope:b/>') },
  { name: 'an attribute twice', gml: feature('<app:a x="1" x="2">1</app:a>') },
  { name: 'a document that ends inside a tag', gml: feature('').slice(0, -40) },
  {
    name: 'a report among the features',
    gml: collection(
      '<app:a fid="1"/>',
      '</gml:featureMembers><ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception exceptionCode="NoApplicableCode"><ows:ExceptionText>out of é</ows:ExceptionText></ows:Exception></ows:ExceptionReport><gml:featureMembers>',
    ),
  },
];
