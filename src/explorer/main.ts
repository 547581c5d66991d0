// The page at `/`: what is asked for, on the left; where it is and what was found, on the right.
import { type Client, createClient, type Geom, type SourceSchema } from '../client/index.js';
import { type Asked, createCode } from './code.js';
import { createDetails } from './details.js';
import { byId, create } from './dom.js';
import { saveCsv, saveGeojson } from './download.js';
import { createFilters } from './filters.js';
import { createFeatureMap, type Tiles } from './map.js';
import { createPlace } from './place.js';
import { hideProblem, showProblem } from './problem.js';
import { createResults, readInto, toColumns, toCountText } from './results.js';
import { createSourcePicker } from './sources.js';
import { readFragment, type State, toFragment, toQuery } from './state.js';
import { createTable } from './table.js';
import { createTabs } from './tabs.js';
import { toText, translatePage } from './texts.js';

interface ModuleSettings {
  readonly name: string;
  readonly title: string;
  readonly limitMax: number;
  readonly example?: { readonly source: string; readonly geom?: Geom };
}

interface Settings {
  readonly modules: readonly ModuleSettings[];
  readonly tiles?: Tiles;
}

const serviceUrl = new URL('.', document.baseURI).href;

function start({ modules, tiles }: Settings): void {
  const first = modules[0] as ModuleSettings;
  const initial: State = {
    module: first.name,
    source: '',
    geom: undefined,
    filters: [],
    overlap: true,
    limit: Math.min(1000, first.limitMax),
  };
  let state = initial;
  let schema: SourceSchema | undefined;
  let results = createResults();
  let running: AbortController | undefined;
  let asking = new AbortController();
  const [keyField, limitField] = [byId<HTMLInputElement>('key'), byId<HTMLInputElement>('limit')];

  const settingsOf = (name: string) => modules.find((module) => module.name === name) ?? first;
  const client = (): Client =>
    createClient({ url: serviceUrl, module: state.module, apikey: keyField.value.trim() || undefined });
  const toAsked = (): Asked => {
    const query = toQuery(state);
    return { query, request: client().toRequest(query), hasKey: keyField.value !== '' };
  };

  const map = createFeatureMap(tiles, (index) => {
    if (!byId('drawing').hidden) return;
    table.select(index);
    open(index, 'map');
  });
  const code = createCode();
  const details = createDetails();
  const table = createTable({
    onSelect: (index) => map.highlight(index),
    onOpen: (index, isByKey) => open(index, isByKey ? 'key' : 'pointer'),
  });
  const place = createPlace(map, (geom) => change({ geom }));
  const picker = createSourcePicker({ client, onPick: setSource, onFault: showProblem });
  const filters = createFilters({
    features: () => results.features,
    onChange: (given) => change({ filters: given }),
  });
  createTabs(byId('tab-table'), byId('tab-code'));

  function open(index: number, from: 'map' | 'key' | 'pointer'): void {
    const feature = results.features[index];
    if (feature === undefined) return;
    map.highlight(index);
    details.show(feature, {
      onZoom: () => map.zoomTo(index),
      takesFocus: from === 'key',
      onClose: () => (from === 'map' ? map.leaflet.getContainer().focus() : table.focus()),
    });
  }

  function change(changes: Partial<State>): void {
    state = { ...state, ...changes };
    history.replaceState(null, '', `#${toFragment(state)}`);
    byId('hello').hidden = state.source !== '' || settingsOf(state.module).example === undefined;
    if (state.source !== '') code.show(toAsked());
  }

  function setSource(source: string): void {
    if (source === state.source) return;
    change({ source, filters: [] });
    filters.set([]);
    schema = undefined;
    filters.setSchema(undefined);
    void describe();
  }

  async function describe(): Promise<void> {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    // What is shown stays until there is better: a button must not move away under the pointer.
    if (state.source === '') return showSchema(undefined);
    try {
      const described = await client().schema(state.source, { signal });
      showSchema(described);
      const { bbox } = described;
      results.columns = Object.keys(described.properties);
      if (state.geom === undefined && results.features.length === 0 && bbox) {
        map.leaflet.fitBounds([
          [bbox[1], bbox[0]],
          [bbox[3], bbox[2]],
        ]);
      }
    } catch (error) {
      if (signal.aborted) return;
      showSchema(undefined);
      showProblem(error);
    }
  }

  function showSchema(given: SourceSchema | undefined): void {
    schema = given;
    byId('source-about').textContent = [given?.title, given?.description].filter(Boolean).join(' — ');
    filters.setSchema(given);
  }

  function setBusy(isBusy: boolean): void {
    byId('cancel').hidden = !isBusy;
    byId('query').toggleAttribute('aria-busy', isBusy);
    byId<HTMLButtonElement>('search').classList.toggle('is-busy', isBusy);
  }

  function showEnd(): void {
    const { features, end, hasOverlap } = results;
    const isEmpty = features.length === 0;
    byId('count').textContent = toCountText(results);
    byId('empty').hidden = !isEmpty;
    byId('empty').textContent = toText(end === undefined ? 'empty' : 'noFeatures');
    for (const id of ['download-geojson', 'download-csv']) byId<HTMLButtonElement>(id).disabled = isEmpty;
    const more = byId('more');
    more.hidden = end?.next === undefined;
    const left = (results.matched ?? Number.POSITIVE_INFINITY) - features.length;
    more.textContent = toText('more', { count: Math.min(state.limit, left) });
    byId('warnings').replaceChildren(
      ...(end?.warnings ?? []).map(({ message }) => create('li', {}, message)),
    );
    if (hasOverlap && !isEmpty) table.update(features, toColumns(results), hasOverlap);
  }

  /** A search anew, or the page after what is there. */
  async function search(isMore = false): Promise<void> {
    running?.abort();
    hideProblem();
    const next = isMore ? results.end?.next : undefined;
    if (!isMore) clear();
    if (state.source === '') {
      showProblemText(toText('sourceMissing'));
      byId('source').focus();
      return;
    }
    const run = new AbortController();
    running = run;
    setBusy(true);
    byId('status').textContent = toText('searching');
    byId('empty').hidden = true;
    const into = results;
    into.end = undefined;
    try {
      await readInto(into, next ?? toQuery(state), { client: client(), signal: run.signal, map, table });
      if (!isMore && state.geom === undefined) map.zoomToAll();
      byId('status').textContent = toText('done', { count: into.features.length });
    } catch (error) {
      if (running !== run) return;
      byId('status').textContent = run.signal.aborted
        ? toText('cancelled', { count: into.features.length })
        : '';
      if (!run.signal.aborted) fail(error);
    } finally {
      if (running === run) {
        setBusy(false);
        showEnd();
        byId('empty').hidden ||= into.end === undefined; // what went wrong is told elsewhere
      }
    }
  }

  function clear(): void {
    results = createResults();
    results.columns = Object.keys(schema?.properties ?? {});
    results.hasOverlap = toQuery(state)._overlap === true;
    map.clear();
    table.clear();
    details.close();
    showEnd();
  }

  function fail(error: unknown): void {
    showProblem(error);
    const { status } = error as { readonly status?: number };
    if (status === 401 || status === 403) byId<HTMLDetailsElement>('options').open = true;
  }

  function showProblemText(text: string): void {
    const box = byId('problem');
    box.replaceChildren(create('p', {}, text));
    box.hidden = false;
  }

  function useExample(): void {
    const { example } = settingsOf(state.module);
    if (example === undefined) return;
    change({ source: example.source, geom: example.geom, filters: [], overlap: true });
    showState();
    void search();
  }

  /** Fills the fields from the state. */
  function showState(): void {
    picker.set(state.source);
    filters.set(state.filters);
    byId<HTMLInputElement>('overlap').checked = state.overlap;
    limitField.value = String(state.limit);
    limitField.max = String(settingsOf(state.module).limitMax);
    byId<HTMLSelectElement>('module').value = state.module;
    byId('module-title').textContent = settingsOf(state.module).title;
    place.show(state.geom);
    void describe();
  }

  function follow(): void {
    change(readFragment(location.hash, initial));
    showState();
    if (state.source !== '') void search();
  }

  byId('query').addEventListener('submit', (event) => {
    event.preventDefault();
    void search();
  });
  byId('cancel').addEventListener('click', () => running?.abort());
  byId('more').addEventListener('click', () => void search(true));
  byId('example').addEventListener('click', useExample);
  byId('overlap').addEventListener('change', (event) =>
    change({ overlap: (event.target as HTMLInputElement).checked }),
  );
  limitField.addEventListener('change', () => change({ limit: Number(limitField.value) || initial.limit }));
  keyField.addEventListener('change', () => {
    change({});
    void describe();
  });
  byId('download-geojson').addEventListener('click', () => saveGeojson(state.source, results.features));
  byId('download-csv').addEventListener('click', () =>
    saveCsv(state.source, results.features, toColumns(results)),
  );
  const chooser = byId<HTMLSelectElement>('module');
  chooser.replaceChildren(...modules.map(({ name, title }) => create('option', { value: name }, title)));
  (chooser.parentElement as HTMLElement).hidden = modules.length === 1;
  byId('module-title').hidden = modules.length > 1;
  chooser.addEventListener('change', () => {
    const limit = Math.min(1000, settingsOf(chooser.value).limitMax);
    change({ ...initial, module: chooser.value, limit, geom: state.geom });
    clear();
    showState();
  });
  window.addEventListener('hashchange', follow);
  follow();
}

translatePage();
try {
  const response = await fetch('assets/settings.json');
  start((await response.json()) as Settings);
} catch (error) {
  showProblem(error);
  throw error;
}
