import type { Geom } from '../client/index.js';
import { byId } from './dom.js';
import { createDrawing, type Kind, toView } from './draw.js';
import { countPositions, readGeometry } from './geometry.js';
import type { FeatureMap } from './map.js';
import { isShareable } from './state.js';
import { toText } from './texts.js';

const maxFileMegabytes = 10;

interface Place {
  /** Shows a geometry that was set elsewhere. */
  show(geom: Geom | undefined): void;
}

function toAbout(geom: Geom | undefined): string {
  if (geom === undefined) return '';
  const vertices = countPositions(geom);
  return vertices > 1 ? toText('chosen', { type: geom.type, vertices }) : geom.type;
}

/** The geometry that is asked with: drawn, pasted, opened, dropped, or what the map shows. */
export function createPlace(map: FeatureMap, onChange: (geom: Geom | undefined) => void): Place {
  const [fault, about] = [byId('geom-fault'), byId('geom-about')];
  const show = (geom: Geom | undefined) => {
    map.showGeom(geom);
    fault.textContent = isShareable(geom) ? '' : toText('tooLargeToShare');
    about.hidden = geom === undefined;
    (about.firstElementChild as HTMLElement).textContent = toAbout(geom);
  };
  const drawing = createDrawing(map.leaflet, (geom) => {
    set(geom);
    byId('search').focus();
  });
  const set = (geom: Geom | undefined) => {
    drawing.cancel();
    onChange(geom);
    show(geom);
  };
  const useText = (text: string) => {
    const geom = readGeometry(text);
    if (geom === undefined) fault.textContent = toText('notGeometry');
    else set(geom);
  };
  const useFile = async (file: File | undefined) => {
    if (file === undefined) return;
    const isTooLarge = file.size > maxFileMegabytes * 2 ** 20;
    if (isTooLarge) fault.textContent = toText('fileTooLarge', { megabytes: maxFileMegabytes });
    else useText(await file.text());
  };

  for (const button of document.querySelectorAll<HTMLElement>('[data-draw]')) {
    button.addEventListener('click', () => drawing.start(button.dataset.draw as Kind));
  }
  byId('view').addEventListener('click', () => set(toView(map.leaflet)));
  byId('geom-clear').addEventListener('click', () => {
    set(undefined);
    document.querySelector<HTMLElement>('[data-draw]')?.focus();
  });
  byId('geom-use').addEventListener('click', () => useText(byId<HTMLTextAreaElement>('geom-text').value));
  const opener = byId<HTMLInputElement>('geom-file');
  opener.addEventListener('change', () => void useFile(opener.files?.[0]));
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    void useFile(event.dataTransfer?.files[0]);
  });
  return { show };
}
