import type { Feature } from '../client/index.js';
import { byId, create } from './dom.js';
import { toBar, toMeasure } from './table.js';
import { toText } from './texts.js';

interface Shown {
  /** The focus goes to the details, and back when they are closed. */
  readonly takesFocus: boolean;
  readonly onZoom: () => void;
  readonly onClose: () => void;
}

interface Details {
  show(feature: Feature, parts: Shown): void;
  close(): void;
}

const toRow = (name: string, value: Node | string) => [create('dt', {}, name), create('dd', {}, value)];

function toValue(value: unknown): string {
  if (value === null || value === undefined) return '—';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function toOverlap(feature: Feature): HTMLElement[] {
  const { overlap } = feature;
  if (!overlap) return [];
  return [
    ...toRow(toText('shared'), toMeasure(feature)),
    ...toRow(toText('ofFeature'), toBar(overlap.shareOfFeature)),
    ...toRow(toText('ofGeom'), toBar(overlap.shareOfGeom)),
  ];
}

/** All that is known of one feature, over the map. */
export function createDetails(): Details {
  const panel = byId('details');
  let onClose = () => {};
  const close = () => {
    if (panel.hidden) return;
    const hadFocus = panel.contains(document.activeElement);
    panel.hidden = true;
    if (hadFocus) onClose();
  };
  panel.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
  return {
    show(feature, parts) {
      onClose = parts.onClose;
      const closing = create('button', { type: 'button', class: 'icon', 'aria-label': toText('close') }, '×');
      const zooming = create('button', { type: 'button' }, toText('zoomTo'));
      closing.addEventListener('click', close);
      zooming.addEventListener('click', parts.onZoom);
      const rows = Object.entries(feature.properties).flatMap(([name, value]) => toRow(name, toValue(value)));
      panel.replaceChildren(
        create(
          'div',
          { class: 'details-head' },
          create('h3', { id: 'details-title' }, feature.id ?? toText('feature')),
          closing,
        ),
        zooming,
        create('dl', {}, ...toOverlap(feature), ...rows),
      );
      panel.hidden = false;
      panel.scrollTop = 0;
      panel.scrollIntoView({ block: 'nearest' });
      if (parts.takesFocus) panel.focus({ preventScroll: true });
    },
    close,
  };
}
