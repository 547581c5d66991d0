import type { Geom, Position } from '../client/index.js';
import { byId } from './dom.js';
import { toRectangle } from './geometry.js';
import { toText } from './texts.js';

export type Kind = 'point' | 'line' | 'polygon' | 'rectangle';

const isNeeded: Readonly<Record<Kind, number>> = { point: 1, line: 2, polygon: 3, rectangle: 2 };

/** To about 1 cm: more digits would say more than a hand can. */
const round = (degrees: number) => Math.round(degrees * 1e7) / 1e7;
const toPosition = ({ lat, lng }: L.LatLng): Position => [round(lng), round(lat)];

function toGeometry(kind: Kind, corners: readonly L.LatLng[]): Geom {
  const positions = corners.map((corner) => toPosition(corner));
  const bounds = L.latLngBounds([...corners]);
  const [west, south] = toPosition(bounds.getSouthWest());
  const [east, north] = toPosition(bounds.getNorthEast());
  switch (kind) {
    case 'point':
      return { type: 'Point', coordinates: positions[0] as Position };
    case 'line':
      return { type: 'LineString', coordinates: positions };
    case 'polygon':
      return { type: 'Polygon', coordinates: [[...positions, positions[0] as Position]] };
    case 'rectangle':
      return toRectangle([west, south, east, north]);
  }
}

/** What is in the map, as a rectangle. */
export function toView(map: L.Map): Geom {
  const bounds = map.getBounds();
  return toGeometry('rectangle', [bounds.getSouthWest(), bounds.getNorthEast()]);
}

interface Drawing {
  start(kind: Kind): void;
  /** Ends it without a geometry. */
  cancel(): void;
}

/** Drawing by pointer, and by keyboard: the arrows move the map under a crosshair, Enter takes the place. */
export function createDrawing(map: L.Map, onDrawn: (geom: Geom) => void): Drawing {
  const [panel, hint] = [byId('drawing'), byId('draw-hint')];
  const [add, undo, finish, cancel] = ['draw-add', 'draw-undo', 'draw-finish', 'draw-cancel'].map((id) =>
    byId<HTMLButtonElement>(id),
  ) as [HTMLButtonElement, HTMLButtonElement, HTMLButtonElement, HTMLButtonElement];
  const container = map.getContainer();
  const sketch = L.layerGroup();
  let kind: Kind | undefined;
  let corners: L.LatLng[] = [];

  const show = (pointer?: L.LatLng) => {
    if (kind === undefined) return;
    const color = getComputedStyle(document.documentElement).getPropertyValue('--asked').trim();
    const shown = pointer === undefined ? corners : [...corners, pointer];
    const style = { color, weight: 2, interactive: false, fillOpacity: 0.08 };
    sketch.clearLayers();
    for (const corner of corners)
      sketch.addLayer(L.circleMarker(corner, { ...style, radius: 4, fillOpacity: 1 }));
    if (shown.length < 2) return;
    if (kind === 'rectangle') sketch.addLayer(L.rectangle(L.latLngBounds(shown), style));
    else sketch.addLayer(kind === 'line' ? L.polyline(shown, style) : L.polygon(shown, style));
  };
  const explain = () => {
    if (kind === undefined) return;
    const drawn = corners.length === 0 ? '' : toText('drawn', { count: corners.length });
    const ids = {
      point: 'drawPoint',
      rectangle: 'drawRectangle',
      line: 'drawCorners',
      polygon: 'drawCorners',
    } as const;
    hint.textContent = toText(ids[kind], { corners: drawn });
    finish.hidden = kind === 'point' || kind === 'rectangle';
    undo.disabled = corners.length === 0;
    finish.disabled = corners.length < isNeeded[kind];
  };
  const stop = () => {
    kind = undefined;
    corners = [];
    sketch.clearLayers().remove();
    panel.hidden = true;
    container.parentElement?.classList.remove('is-drawing');
    // The double click that ends a polygon must not zoom.
    setTimeout(() => map.doubleClickZoom.enable(), 300);
  };
  const end = () => {
    if (kind === undefined || corners.length < isNeeded[kind]) return;
    const geom = toGeometry(kind, corners);
    stop();
    onDrawn(geom);
  };
  const take = (corner: L.LatLng) => {
    if (kind === undefined) return;
    const last = corners.at(-1);
    const isSame =
      last !== undefined &&
      map.latLngToContainerPoint(last).distanceTo(map.latLngToContainerPoint(corner)) < 3;
    if (isSame) return end();
    corners.push(corner);
    show();
    explain();
    if ((kind === 'point' || kind === 'rectangle') && corners.length === isNeeded[kind]) end();
  };
  const takeBack = () => {
    corners.pop();
    show();
    explain();
  };
  map.on('click', ({ latlng }) => take(latlng.wrap()));
  map.on('mousemove', ({ latlng }) => {
    if (corners.length > 0) show(latlng);
  });
  map.on('dblclick', end);
  container.addEventListener('keydown', (event) => {
    if (kind === undefined || event.target !== container) return;
    const actions: Record<string, () => void> = {
      Enter: () => take(map.getCenter().wrap()),
      Backspace: takeBack,
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  container.parentElement?.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && kind !== undefined) stop();
  });
  add.addEventListener('click', () => take(map.getCenter().wrap()));
  undo.addEventListener('click', takeBack);
  finish.addEventListener('click', end);
  cancel.addEventListener('click', stop);
  return {
    start(given) {
      if (kind !== undefined) stop();
      kind = given;
      sketch.addTo(map);
      map.doubleClickZoom.disable();
      panel.hidden = false;
      container.parentElement?.classList.add('is-drawing');
      explain();
      container.focus();
    },
    cancel: stop,
  };
}
