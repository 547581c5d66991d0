import { type SearchQuery, type SearchRequest, toParameters } from '../client/index.js';
import { byId, create } from './dom.js';
import { type TextId, toText } from './texts.js';

/** A request, and the query it was made from. */
export interface Asked {
  readonly request: SearchRequest;
  readonly query: SearchQuery;
  /** The caller brings a key: the code has a place for it, and never the key itself. */
  readonly hasKey: boolean;
}

interface Written {
  readonly code: string;
  readonly about: TextId;
}

interface Language {
  readonly name: string;
  readonly write: (asked: Asked) => Written;
}

const pathOf = ({ url }: SearchRequest) => url.split('?')[0] ?? url;
const toShell = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const toPretty = (value: unknown) => JSON.stringify(value, null, 2);

function writeCurl({ request, query, hasKey }: Asked): string {
  const key = hasKey ? [`-H 'apikey: YOUR_KEY'`] : [];
  if (request.method === 'GET') {
    const pairs = toParameters(query).map(
      ([name, value]) => `--data-urlencode ${toShell(`${name}=${value}`)}`,
    );
    return [`curl -sG ${toShell(pathOf(request))}`, ...key, ...pairs].join(' \\\n  ');
  }
  const body = `-d ${toShell(JSON.stringify(request.body))}`;
  return [`curl -s ${toShell(request.url)}`, ...key, `-H 'Content-Type: application/json'`, body].join(
    ' \\\n  ',
  );
}

function writeFetch({ request, hasKey }: Asked): string {
  const headers = { ...(hasKey ? { apikey: 'YOUR_KEY' } : {}) };
  const post = { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' } };
  const options =
    request.method === 'POST'
      ? `, {\n  method: 'POST',\n  headers: ${JSON.stringify(post.headers)},\n  body: JSON.stringify(${JSON.stringify(request.body)}),\n}`
      : hasKey
        ? `, { headers: ${JSON.stringify(headers)} }`
        : '';
  return `const response = await fetch(${JSON.stringify(request.url)}${options});
if (!response.ok) throw new Error((await response.json()).detail);
const { features } = await response.json();
console.log(features.length);`;
}

/** JSON as Python writes it; no string holds one of these words outside of quotes. */
const toPython = (value: unknown) =>
  toPretty(value).replace(/"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/g, (token) =>
    token.startsWith('"') ? token : ({ true: 'True', false: 'False', null: 'None' }[token] ?? token),
  );

function writePython({ request, hasKey, query }: Asked): string {
  const headers = hasKey ? ', headers={"apikey": "YOUR_KEY"}' : '';
  const call =
    request.method === 'GET'
      ? `requests.get(${JSON.stringify(request.url)}${headers})`
      : `requests.post(${JSON.stringify(request.url)}${headers}, json=${toPython(request.body)})`;
  const overlap = query._overlap
    ? '\nfor feature in features:\n    feature["properties"].update(feature.get("overlap") or {})'
    : '';
  return `import geopandas
import requests

response = ${call}
response.raise_for_status()
features = response.json()["features"]${overlap}
frame = geopandas.GeoDataFrame.from_features(features, crs="EPSG:4326")
print(frame)`;
}

function writeR({ request, hasKey }: Asked): string {
  if (request.method === 'GET' && !hasKey) {
    return `library(sf)\n\nfeatures <- st_read(${JSON.stringify(request.url)})\nprint(features)`;
  }
  const steps = [
    `request(${JSON.stringify(request.url)})`,
    ...(hasKey ? ['req_headers(apikey = "YOUR_KEY")'] : []),
    ...(request.body
      ? [`req_body_raw(${JSON.stringify(JSON.stringify(request.body))}, "application/json")`]
      : []),
    'req_perform()',
    'resp_body_string()',
  ];
  return `library(httr2)\nlibrary(sf)\n\nanswer <- ${steps.join(' |>\n  ')}\nfeatures <- st_read(answer)\nprint(features)`;
}

const languages: readonly Language[] = [
  {
    name: 'URL',
    write: ({ request }) =>
      request.method === 'GET'
        ? { code: request.url, about: 'codeUrl' }
        : { code: toPretty(request.body), about: 'codeUrlNone' },
  },
  { name: 'curl', write: (asked) => ({ code: writeCurl(asked), about: 'codeCurl' }) },
  { name: 'fetch', write: (asked) => ({ code: writeFetch(asked), about: 'codeFetch' }) },
  { name: 'Python', write: (asked) => ({ code: writePython(asked), about: 'codePython' }) },
  { name: 'R', write: (asked) => ({ code: writeR(asked), about: 'codeR' }) },
  {
    name: 'QGIS',
    write: ({ request }) =>
      request.method === 'GET'
        ? { code: request.url, about: 'codeQgis' }
        : { code: '', about: 'codeQgisNone' },
  },
];

/** The request, in the language that is chosen. */
export function createCode(): { show(asked: Asked): void } {
  const [chooser, code, about, copy] = [byId('languages'), byId('code'), byId('code-about'), byId('copy')];
  let [language, asked] = [languages[1], undefined as Asked | undefined];
  const update = () => {
    if (asked === undefined || language === undefined) return;
    const written = language.write(asked);
    code.textContent = written.code;
    code.hidden = written.code === '';
    copy.hidden = written.code === '';
    copy.textContent = toText('copy');
    const key = asked.hasKey && written.code.includes('YOUR_KEY') ? ` ${toText('codeKey')}` : '';
    about.textContent = toText(written.about, { url: pathOf(asked.request) }) + key;
  };
  for (const each of languages) {
    const input = create('input', {
      type: 'radio',
      name: 'language',
      value: each.name,
      checked: each === language,
    });
    input.addEventListener('change', () => {
      language = each;
      update();
    });
    chooser.append(create('label', { class: 'choice' }, input, each.name));
  }
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(code.textContent ?? '');
    copy.textContent = toText('copied');
  });
  return {
    show(given) {
      asked = given;
      update();
    },
  };
}
