import type { Feature, Geom } from '../client/index.js';
import { byId } from './dom.js';
import { addGraticule } from './graticule.js';

export interface Tiles {
  /** With `{z}`, `{x}`, `{y}`. */
  readonly url: string;
  readonly attribution: string;
}

export interface FeatureMap {
  readonly leaflet: L.Map;
  showGeom(geom: Geom | undefined): void;
  /** Shows features behind those already there; `index` is that of the first. */
  add(features: readonly Feature[], index: number): void;
  clear(): void;
  highlight(index: number): void;
  zoomTo(index: number): void;
  zoomToAll(): void;
}

type GeoJsonInput = Parameters<typeof L.geoJSON>[0];

const france: L.LatLngBoundsExpression = [
  [41.3, -5.2],
  [51.2, 9.7],
];

const toColor = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The service's words, not markup. */
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

const toStyle = (): L.CircleMarkerOptions => ({
  color: toColor('--feature'),
  weight: 1,
  opacity: 0.9,
  fillColor: toColor('--feature'),
  fillOpacity: 0.18,
  radius: 4,
});
const toHighlighted = (): L.PathOptions => ({ color: toColor('--highlight'), weight: 3, fillOpacity: 0.45 });

export function createFeatureMap(tiles: Tiles | undefined, onPick: (index: number) => void): FeatureMap {
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const map = L.map(byId('map'), {
    preferCanvas: true,
    worldCopyJump: true,
    maxZoom: 20,
    minZoom: 2,
    zoomAnimation: !isCalm,
    fadeAnimation: !isCalm,
  });
  map.attributionControl.setPrefix(false);
  map.fitBounds(france);
  L.control.scale({ imperial: false }).addTo(map);
  if (tiles === undefined) addGraticule(map);
  else L.tileLayer(tiles.url, { attribution: escapeHtml(tiles.attribution), maxZoom: 20 }).addTo(map);

  map.createPane('asked').style.zIndex = '450';
  const asked = L.layerGroup().addTo(map);
  const askedRenderer = L.svg({ pane: 'asked', padding: 0.5 });
  const found = L.featureGroup().addTo(map);
  const indexes = new WeakMap<L.Layer, number>();
  let layers: (L.Layer | undefined)[] = [];
  let highlighted = -1;

  found.on('click', (event) => {
    const layer = (event as L.LeafletMouseEvent).propagatedFrom as L.Layer;
    const index = indexes.get(layer);
    if (index !== undefined) onPick(index);
  });
  const mark = (layer: L.Layer, index: number) => {
    if (layer instanceof L.LayerGroup) layer.eachLayer((part) => mark(part, index));
    else indexes.set(layer, index);
  };
  const restyle = (index: number, style: L.PathOptions) => {
    const layer = layers[index];
    if (layer instanceof L.Path || layer instanceof L.FeatureGroup) layer.setStyle(style);
    return layer;
  };
  const toLayer = (feature: Feature, style: L.CircleMarkerOptions): L.Layer | undefined => {
    if (feature.geometry === null) return undefined;
    return L.geoJSON(feature as GeoJsonInput, {
      style: () => style,
      pointToLayer: (_, position) => L.circleMarker(position, style),
    });
  };
  const boundsOf = (layer: L.Layer | undefined) =>
    layer instanceof L.FeatureGroup && layer.getBounds().isValid() ? layer.getBounds() : undefined;

  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    found.setStyle(toStyle());
    asked.eachLayer((layer) => (layer as L.FeatureGroup).setStyle(toAskedStyle()));
  });
  const toAskedStyle = (): L.PathOptions => ({
    color: toColor('--asked'),
    weight: 2.5,
    dashArray: '6 4',
    fillOpacity: 0.06,
    fillColor: toColor('--asked'),
  });
  const showBounds = (bounds: L.LatLngBounds | undefined, maxZoom = 18) => {
    if (bounds?.isValid()) map.fitBounds(bounds, { padding: [30, 30], maxZoom });
  };
  return {
    leaflet: map,
    showGeom(geom) {
      asked.clearLayers();
      if (geom === undefined) return;
      const style = { ...toAskedStyle(), renderer: askedRenderer, interactive: false };
      try {
        const layer = L.geoJSON(
          geom as GeoJsonInput,
          {
            style: () => style,
            pointToLayer: (_, position) => L.circleMarker(position, { ...style, radius: 6, dashArray: '' }),
            interactive: false,
          } as L.GeoJSONOptions,
        ).addTo(asked);
        showBounds(boundsOf(layer));
      } catch {
        // The service tells what is wrong with it, and where.
      }
    },
    add(features, index) {
      const style = toStyle();
      for (const [i, feature] of features.entries()) {
        const layer = toLayer(feature, style);
        layers[index + i] = layer;
        if (layer === undefined) continue;
        mark(layer, index + i);
        found.addLayer(layer);
      }
    },
    clear() {
      found.clearLayers();
      layers = [];
      highlighted = -1;
    },
    highlight(index) {
      restyle(highlighted, toStyle());
      highlighted = index;
      const layer = restyle(index, toHighlighted());
      if (layer instanceof L.FeatureGroup) layer.bringToFront();
    },
    zoomTo: (index) => showBounds(boundsOf(layers[index])),
    zoomToAll: () => showBounds(boundsOf(found)),
  };
}
