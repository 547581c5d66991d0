import type { Feature } from '../client/index.js';
import { byId, create } from './dom.js';
import { collator, toMeasureText, toPercentText, toText } from './texts.js';

/** As the style sheet has it. */
const rowHeight = 34;
/** Rows beyond the edges, so that scrolling shows no gaps. */
const margin = 8;

interface Column {
  readonly key: string;
  readonly title: string;
  readonly value: (feature: Feature) => unknown;
  readonly cell: (feature: Feature) => Node | string;
  readonly class?: string;
}

export interface Table {
  /** Shows these features; columns follow from the attributes and from whether overlaps were asked for. */
  update(features: readonly Feature[], columns: readonly string[], hasOverlap: boolean): void;
  clear(): void;
  /** Marks a feature and brings it into view. */
  select(index: number): void;
  focus(): void;
}

const toCell = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** `1,234.5 m²`, or metres for lines. */
export function toMeasure({ overlap }: Feature): string {
  if (!overlap) return '';
  const { area, length } = overlap;
  return length === undefined ? `${toMeasureText(area ?? 0)} m²` : `${toMeasureText(length)} m`;
}

/** A share as a bar, and in words beside it. */
export function toBar(share: number | undefined): Node | string {
  if (share === undefined) return '';
  const fill = create('span', { class: 'fill' });
  fill.style.width = `${Math.max(share * 100, share > 0 ? 1 : 0)}%`;
  const bar = create('span', { class: 'bar', 'aria-hidden': 'true' }, fill);
  return create('span', { class: 'share' }, bar, create('span', {}, toPercentText(share)));
}

const overlapColumns: readonly Column[] = [
  {
    key: 'shareOfFeature',
    title: toText('ofFeature'),
    value: ({ overlap }) => overlap?.shareOfFeature,
    cell: ({ overlap }) => toBar(overlap?.shareOfFeature),
    class: 'bars',
  },
  {
    key: 'overlap',
    title: toText('shared'),
    value: ({ overlap }) => overlap?.area ?? overlap?.length,
    cell: toMeasure,
    class: 'number',
  },
  {
    key: 'shareOfGeom',
    title: toText('ofGeom'),
    value: ({ overlap }) => overlap?.shareOfGeom,
    cell: ({ overlap }) => toBar(overlap?.shareOfGeom),
    class: 'bars',
  },
];

function toColumns(names: readonly string[], hasOverlap: boolean): readonly Column[] {
  const id: Column = {
    key: 'id',
    title: 'id',
    value: (feature) => feature.id,
    cell: ({ id = '' }) => id,
    class: 'id',
  };
  const attributes = names.map((name): Column => {
    const value = ({ properties }: Feature) => properties[name];
    return { key: `property:${name}`, title: name, value, cell: (feature) => toCell(value(feature)) };
  });
  return [id, ...(hasOverlap ? overlapColumns : []), ...attributes];
}

/** Nothing comes last, whichever way is sorted. */
function compare(a: unknown, b: unknown, way: number): number {
  const [hasA, hasB] = [a !== null && a !== undefined, b !== null && b !== undefined];
  if (!hasA || !hasB) return Number(hasB) - Number(hasA);
  if (typeof a === 'number' && typeof b === 'number') return (a - b) * way;
  return collator.compare(toCell(a), toCell(b)) * way;
}

interface Sort {
  readonly key: string;
  readonly way: 1 | -1;
}

/** The features as a grid of which only the rows in view exist. */
export function createTable(parts: {
  readonly onSelect: (index: number) => void;
  /** By a key: the focus goes along. */
  readonly onOpen: (index: number, isByKey: boolean) => void;
}): Table {
  const scroller = byId('scroller');
  const table = scroller.querySelector('table') as HTMLTableElement;
  const [head, body] = [table.tHead as HTMLTableSectionElement, table.tBodies[0] as HTMLTableSectionElement];
  let features: readonly Feature[] = [];
  let columns: readonly Column[] = [];
  let names = '';
  let sort: Sort | undefined;
  /** Positions in `features`, as they are shown. */
  let order: number[] = [];
  let selected = -1;
  let rows = new Map<number, HTMLTableRowElement>();

  const sortOrder = () => {
    order = features.map((_, i) => i);
    const column = columns.find(({ key }) => key === sort?.key);
    if (column === undefined || sort === undefined) return;
    const values = features.map(column.value);
    const { way } = sort;
    order.sort((a, b) => compare(values[a], values[b], way) || a - b);
  };
  const toRow = (place: number) => {
    const index = order[place] ?? 0;
    const feature = features[index] as Feature;
    const cells = columns.map(({ cell, class: kind }) => {
      const content = cell(feature);
      const words = typeof content === 'string' ? content : (content.textContent ?? '');
      return create('td', { class: kind, title: words.length > 16 && words }, content);
    });
    const row = create(
      'tr',
      { 'aria-rowindex': place + 2, tabindex: -1, 'aria-selected': 'false' },
      ...cells,
    );
    row.dataset.place = String(place);
    if (index === selected) row.setAttribute('aria-selected', 'true');
    if (index === selected || (selected === -1 && place === 0)) row.tabIndex = 0;
    return row;
  };
  const filler = (height: number) => {
    const row = create('tr', { class: 'filler', 'aria-hidden': 'true' });
    row.style.height = `${height}px`;
    return row;
  };
  /** Keeps rows that stay in view, so that the one with the focus keeps it. */
  const render = (isStale = false) => {
    const height = scroller.clientHeight - rowHeight;
    const first = Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - margin);
    const last = Math.min(order.length, Math.ceil((scroller.scrollTop + height) / rowHeight) + margin);
    const focused = Number((document.activeElement as HTMLElement | null)?.dataset.place ?? -1);
    const next = new Map<number, HTMLTableRowElement>();
    for (let place = first; place < last; place += 1) {
      next.set(place, (isStale ? undefined : rows.get(place)) ?? toRow(place));
    }
    rows = next;
    body.replaceChildren(
      filler(first * rowHeight),
      ...next.values(),
      filler((order.length - last) * rowHeight),
    );
    if (focused >= 0) (next.get(focused) ?? scroller).focus({ preventScroll: true });
  };
  const renderHead = () => {
    const cells = columns.map(({ key, title, class: kind }) => {
      const way = sort?.key === key ? (sort.way === 1 ? 'ascending' : 'descending') : undefined;
      const button = create(
        'button',
        { type: 'button', class: 'sort' },
        title,
        create('span', { 'aria-hidden': 'true' }),
      );
      button.addEventListener('click', () => {
        sort = { key, way: sort?.key === key && sort.way === 1 ? -1 : 1 };
        sortOrder();
        renderHead();
        render(true);
        head.querySelectorAll('button')[columns.findIndex((column) => column.key === key)]?.focus();
      });
      return create('th', { scope: 'col', class: kind, 'aria-sort': way }, button);
    });
    head.replaceChildren(create('tr', {}, ...cells));
  };
  const goTo = (place: number, isFocused: boolean) => {
    const top = place * rowHeight;
    const [from, to] = [scroller.scrollTop, scroller.scrollTop + scroller.clientHeight - 2 * rowHeight];
    if (top < from) scroller.scrollTop = top;
    else if (top > to) scroller.scrollTop = top - scroller.clientHeight + 2 * rowHeight;
    selected = order[place] ?? -1;
    render(true);
    if (isFocused) rows.get(place)?.focus({ preventScroll: true });
  };
  const placeOf = (target: EventTarget | null) =>
    Number((target as Element | null)?.closest<HTMLElement>('tr[data-place]')?.dataset.place ?? -1);

  scroller.addEventListener('scroll', () => render(), { passive: true });
  new ResizeObserver(() => render()).observe(scroller);
  body.addEventListener('click', (event) => {
    const place = placeOf(event.target);
    if (place === -1) return;
    goTo(place, true);
    parts.onOpen(selected, false);
  });
  body.addEventListener('keydown', (event) => {
    const place = placeOf(event.target);
    const page = Math.max(1, Math.floor(scroller.clientHeight / rowHeight) - 2);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    const target = { Home: 0, End: order.length - 1 }[event.key] ?? place + (steps[event.key] ?? 0);
    if (event.key === 'Enter' || event.key === ' ') {
      goTo(place, true);
      parts.onOpen(selected, true);
    } else if (target !== place) {
      goTo(Math.min(Math.max(target, 0), order.length - 1), true);
      parts.onSelect(selected);
    } else return;
    event.preventDefault();
  });
  return {
    update(given, attributes, hasOverlap) {
      features = given;
      const wanted = JSON.stringify([attributes, hasOverlap]);
      if (wanted !== names) {
        names = wanted;
        columns = toColumns(attributes, hasOverlap);
        if (!columns.some(({ key }) => key === sort?.key)) {
          sort = hasOverlap ? { key: 'overlap', way: -1 } : undefined;
        }
        renderHead();
      }
      table.setAttribute('aria-rowcount', String(features.length + 1));
      table.setAttribute('aria-colcount', String(columns.length));
      scroller.hidden = false;
      sortOrder();
      render(true);
    },
    clear() {
      [features, order, selected, names] = [[], [], -1, ''];
      scroller.scrollTop = 0;
      scroller.hidden = true;
      rows.clear();
      body.replaceChildren();
    },
    select(index) {
      const place = order.indexOf(index);
      if (place !== -1) goTo(place, false);
    },
    focus() {
      (rows.get(order.indexOf(selected)) ?? rows.values().next().value)?.focus();
    },
  };
}
