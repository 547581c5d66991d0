const en = {
  addCorner: 'Add the centre of the map',
  addFilter: 'Add a filter',
  allShown: '{count} features',
  apiDoc: 'API documentation',
  asCode: 'The request as code',
  attribute: 'Attribute',
  brokenOff: 'The answer broke off: what is shown is not all of it.',
  cancel: 'Cancel',
  cancelled: 'Cancelled after {count} features.',
  chosen: '{type}, {vertices} positions',
  close: 'Close',
  codeCurl: 'For a shell.',
  codeFetch: 'For a browser, or Node 20.',
  codeKey: 'Put your key in the place of YOUR_KEY.',
  codePython: 'With requests and geopandas.',
  codeQgis: 'Layer ▸ Add Layer ▸ Add Vector Layer ▸ Protocol: HTTP(S), Type: GeoJSON; the URI is:',
  codeQgisNone: 'The geometry is too large for a URL: download the GeoJSON, and drop it into QGIS.',
  codeR: 'With sf (and httr2 where the geometry is large).',
  codeUrl: 'The whole request in a URL.',
  codeUrlNone: 'The geometry is too large for a URL; this is the body of a POST to {url}.',
  copied: 'Copied',
  copy: 'Copy',
  done: '{count} features.',
  drawCorners:
    'Click the corners, or move the map with the arrow keys and press Enter to take its centre. {corners}',
  drawn: '{count} so far; Enter twice on one place finishes, Backspace takes one back.',
  drawing: 'Drawing',
  drawPoint: 'Click a place, or move the map with the arrow keys and press Enter to take its centre.',
  drawRectangle: 'Click two opposite corners, or move the map with the arrow keys and press Enter at each.',
  empty: 'Nothing has been searched for yet.',
  feature: 'Feature',
  fileTooLarge: 'The file is larger than {megabytes} MB.',
  filters: 'Only features whose…',
  finish: 'Finish',
  hello: 'Choose a layer, draw or paste a geometry, and see which features meet it, and how much of each.',
  ifEmpty: 'is empty',
  is: 'is',
  key: 'Your key for the upstream, if it wants one',
  keyAbout: 'It is kept on this page alone: it is never part of an address.',
  layer: 'Layer',
  layerHint: 'Words: parcels, communes…',
  limit: 'Features a page',
  line: 'Line',
  map: 'Map',
  mapView: 'Map view',
  measure: 'Measure what each feature shares with the geometry',
  module: 'Module',
  more: 'Load {count} more',
  network: 'The service cannot be reached.',
  noFeatures: 'No feature matches.',
  notGeometry: 'This is neither GeoJSON nor coordinates (longitude latitude).',
  noSources: 'No layer has these words.',
  ofFeature: 'Share of feature',
  ofGeom: 'Share of geometry',
  openFile: 'Open a file',
  operator: 'How it compares',
  options: 'Options and key',
  pasteLabel: 'GeoJSON; or longitude latitude; or west, south, east, north',
  pasteTitle: 'Paste or open a geometry',
  place: 'Geometry',
  point: 'Point',
  polygon: 'Polygon',
  question: 'Which parcels does my project overlap, and by how much?',
  rectangle: 'Rectangle',
  remove: 'Remove',
  removeFilter: 'Remove the filter {name}',
  results: 'Features',
  retryAfter: 'Try again in {seconds} s.',
  search: 'Search',
  searching: 'Searching…',
  shared: 'Shared',
  skip: 'To the features',
  someShown: '{count} of {matched} features',
  sourceMissing: 'Choose a layer first.',
  streaming: '{count} features so far…',
  table: 'Table',
  tooLargeToShare: 'The geometry is too large for the address of this page, and is not part of it.',
  tryExample: 'Try it with an example',
  undo: 'Undo',
  unknownShown: '{count} features, and there are more',
  use: 'Use it',
  value: 'Value',
  zoomTo: 'Show on the map',
};

export type TextId = keyof typeof en;

const fr: Record<TextId, string> = {
  addCorner: 'Ajouter le centre de la carte',
  addFilter: 'Ajouter un filtre',
  allShown: '{count} objets',
  apiDoc: 'Documentation de l’API',
  asCode: 'La requête en code',
  attribute: 'Attribut',
  brokenOff: 'La réponse s’est interrompue : ce qui est affiché est incomplet.',
  cancel: 'Annuler',
  cancelled: 'Annulé après {count} objets.',
  chosen: '{type}, {vertices} positions',
  close: 'Fermer',
  codeCurl: 'Pour un terminal.',
  codeFetch: 'Pour un navigateur, ou Node 20.',
  codeKey: 'Mettez votre clé à la place de YOUR_KEY.',
  codePython: 'Avec requests et geopandas.',
  codeQgis:
    'Couche ▸ Ajouter une couche ▸ Ajouter une couche vecteur ▸ Protocole : HTTP(S), type : GeoJSON ; l’URI est :',
  codeQgisNone: 'La géométrie est trop grande pour une URL : téléchargez le GeoJSON et déposez-le dans QGIS.',
  codeR: 'Avec sf (et httr2 quand la géométrie est grande).',
  codeUrl: 'Toute la requête dans une URL.',
  codeUrlNone: 'La géométrie est trop grande pour une URL ; voici le corps d’un POST vers {url}.',
  copied: 'Copié',
  copy: 'Copier',
  done: '{count} objets.',
  drawCorners:
    'Cliquez les sommets, ou déplacez la carte avec les flèches et appuyez sur Entrée pour prendre son centre. {corners}',
  drawn: '{count} pour l’instant ; deux fois Entrée au même endroit termine, Retour arrière en retire un.',
  drawing: 'Dessin',
  drawPoint:
    'Cliquez un lieu, ou déplacez la carte avec les flèches et appuyez sur Entrée pour prendre son centre.',
  drawRectangle:
    'Cliquez deux coins opposés, ou déplacez la carte avec les flèches et appuyez sur Entrée à chacun.',
  empty: 'Aucune recherche pour l’instant.',
  feature: 'Objet',
  fileTooLarge: 'Le fichier dépasse {megabytes} Mo.',
  filters: 'Seulement les objets dont…',
  finish: 'Terminer',
  hello:
    'Choisissez une couche, dessinez ou collez une géométrie : vous verrez quels objets elle touche, et pour quelle part.',
  ifEmpty: 'est vide',
  is: 'est',
  key: 'Votre clé pour le serveur amont, s’il en veut une',
  keyAbout: 'Elle reste sur cette page : elle ne fait partie d’aucune adresse.',
  layer: 'Couche',
  layerHint: 'Des mots : parcelles, communes…',
  limit: 'Objets par page',
  line: 'Ligne',
  map: 'Carte',
  mapView: 'Vue de la carte',
  measure: 'Mesurer ce que chaque objet partage avec la géométrie',
  module: 'Module',
  more: 'Charger {count} de plus',
  network: 'Le service est injoignable.',
  noFeatures: 'Aucun objet ne correspond.',
  notGeometry: 'Ce n’est ni du GeoJSON ni des coordonnées (longitude latitude).',
  noSources: 'Aucune couche n’a ces mots.',
  ofFeature: 'Part de l’objet',
  ofGeom: 'Part de la géométrie',
  openFile: 'Ouvrir un fichier',
  operator: 'Comparaison',
  options: 'Options et clé',
  pasteLabel: 'GeoJSON ; ou longitude latitude ; ou ouest, sud, est, nord',
  pasteTitle: 'Coller ou ouvrir une géométrie',
  place: 'Géométrie',
  point: 'Point',
  polygon: 'Polygone',
  question: 'Quelles parcelles mon projet recouvre-t-il, et pour quelle part ?',
  rectangle: 'Rectangle',
  remove: 'Retirer',
  removeFilter: 'Retirer le filtre {name}',
  results: 'Objets',
  retryAfter: 'Réessayez dans {seconds} s.',
  search: 'Chercher',
  searching: 'Recherche…',
  shared: 'Commun',
  skip: 'Aller aux objets',
  someShown: '{count} objets sur {matched}',
  sourceMissing: 'Choisissez d’abord une couche.',
  streaming: '{count} objets pour l’instant…',
  table: 'Tableau',
  tooLargeToShare: 'La géométrie est trop grande pour l’adresse de cette page, et n’en fait pas partie.',
  tryExample: 'Essayer avec un exemple',
  undo: 'Défaire',
  unknownShown: '{count} objets, et il y en a d’autres',
  use: 'L’utiliser',
  value: 'Valeur',
  zoomTo: 'Montrer sur la carte',
};

/** The first of the reader's languages that there is. */
export const language =
  navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => /^(en|fr)$/.test(tag)) ?? 'en';
const table: Record<TextId, string> = language === 'fr' ? fr : en;

const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const measures = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat(language, { style: 'percent', maximumSignificantDigits: 3 });
export const collator = new Intl.Collator(language, { numeric: true });

export const toText = (id: TextId, values: Readonly<Record<string, string | number>> = {}): string =>
  table[id].replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? '';
    return typeof value === 'number' ? numbers.format(value) : value;
  });

/** Metres or square metres: as many digits in each row. */
export const toMeasureText = (value: number): string => measures.format(value);
export const toPercentText = (share: number): string => percents.format(share);

/** Puts the page's own words in: what bears `data-text` as its text, `data-label` as its accessible name, `data-hint` as its placeholder. */
export function translatePage(): void {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll<HTMLElement>('[data-text]')) {
    node.textContent = toText(node.dataset.text as TextId);
  }
  for (const node of document.querySelectorAll<HTMLElement>('[data-label]')) {
    node.setAttribute('aria-label', toText(node.dataset.label as TextId));
  }
  for (const node of document.querySelectorAll<HTMLInputElement>('[data-hint]')) {
    node.placeholder = toText(node.dataset.hint as TextId);
  }
}
