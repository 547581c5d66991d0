import type { Feature, SourceSchema } from '../client/index.js';
import { byId, create } from './dom.js';
import type { Filter } from './state.js';
import { collator, toText } from './texts.js';

const maxSuggestions = 50;

interface Filters {
  /** The attributes there are; none: no filter can be added. */
  setSchema(schema: SourceSchema | undefined): void;
  set(filters: readonly Filter[]): void;
}

/** Values an attribute has in what was found, for those who do not know them. */
function toSuggestions(name: string, type: string, features: readonly Feature[]): string[] {
  if (type.includes('boolean')) return ['true', 'false'];
  const values = new Set<string>();
  for (const { properties } of features) {
    const value = properties[name];
    if (value !== null && value !== undefined && typeof value !== 'object') values.add(String(value));
    if (values.size === maxSuggestions) break;
  }
  return [...values].sort(collator.compare);
}

function toTypeText(schema: unknown): string {
  const { type, format } = (schema ?? {}) as { readonly type?: string | string[]; readonly format?: string };
  return (
    format ??
    [type ?? '']
      .flat()
      .filter((name) => name !== 'null')
      .join(', ')
  );
}

export function createFilters(parts: {
  readonly features: () => readonly Feature[];
  readonly onChange: (filters: readonly Filter[]) => void;
}): Filters {
  const [list, add] = [byId('filters'), byId<HTMLButtonElement>('filter-add')];
  let attributes: SourceSchema['properties'] = {};
  let rows: { element: HTMLElement; read: () => Filter | undefined }[] = [];
  let counter = 0;

  const report = () => parts.onChange(rows.flatMap(({ read }) => read() ?? []));
  const remove = (element: HTMLElement) => {
    rows = rows.filter((row) => row.element !== element);
    element.remove();
    report();
    (rows.at(-1)?.element.querySelector('select') ?? add).focus();
  };

  const addRow = ({ name, value }: Filter) => {
    counter += 1;
    const names = Object.keys(attributes);
    if (!names.includes(name)) names.unshift(name);
    const toOption = (of: string) => create('option', { value: of, selected: of === name }, of);
    const attribute = create(
      'select',
      { 'aria-label': toText('attribute'), class: 'name' },
      ...names.map(toOption),
    );
    const operator = create(
      'select',
      { 'aria-label': toText('operator'), class: 'is' },
      create('option', { value: 'is' }, toText('is')),
      create('option', { value: 'empty', selected: value === null }, toText('ifEmpty')),
    );
    const suggestions = create('datalist', { id: `values-${counter}` });
    const input = create('input', {
      'aria-label': toText('value'),
      class: 'value',
      list: `values-${counter}`,
      autocomplete: 'off',
    });
    input.value = value ?? '';
    const button = create('button', { type: 'button', class: 'icon' }, '×');
    const element = create('div', { class: 'filter' }, attribute, operator, input, button, suggestions);
    const update = () => {
      input.hidden = operator.value === 'empty';
      input.placeholder = toTypeText(attributes[attribute.value]);
      button.setAttribute('aria-label', toText('removeFilter', { name: attribute.value }));
    };
    const suggest = () => {
      const type = toTypeText(attributes[attribute.value]);
      const values = toSuggestions(attribute.value, type, parts.features());
      suggestions.replaceChildren(...values.map((each) => create('option', { value: each })));
    };
    const read = (): Filter | undefined => {
      if (operator.value === 'empty') return { name: attribute.value, value: null };
      return input.value === '' ? undefined : { name: attribute.value, value: input.value };
    };
    input.addEventListener('focus', suggest);
    for (const field of [attribute, operator, input]) {
      field.addEventListener('change', () => {
        update();
        report();
      });
    }
    button.addEventListener('click', () => remove(element));
    update();
    rows.push({ element, read });
    list.append(element);
    return attribute;
  };

  add.addEventListener('click', () => addRow({ name: Object.keys(attributes)[0] ?? '', value: '' }).focus());
  return {
    setSchema(schema) {
      attributes = schema?.properties ?? {};
      add.disabled = Object.keys(attributes).length === 0;
    },
    set(filters) {
      rows = [];
      list.replaceChildren();
      for (const filter of filters) addRow(filter);
    },
  };
}
