import type { Client, Source } from '../client/index.js';
import { byId, create } from './dom.js';
import { toText } from './texts.js';

const shown = 30;
const typingMs = 180;

interface SourcePicker {
  set(name: string): void;
}

/** The field for the layer: what is typed is looked for in all layers (ARIA's combobox with a list). */
export function createSourcePicker(parts: {
  readonly client: () => Client;
  readonly onPick: (name: string) => void;
  readonly onFault: (error: unknown) => void;
}): SourcePicker {
  const [input, list] = [byId<HTMLInputElement>('source'), byId('source-list')];
  let found: readonly Source[] = [];
  let active = -1;
  let timer = 0;
  let asking = new AbortController();

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const pick = (name: string) => {
    window.clearTimeout(timer);
    asking.abort();
    input.value = name;
    close();
    parts.onPick(name);
  };
  const toOption = ({ name, title = name }: Source, i: number) => {
    const option = create(
      'li',
      { role: 'option', id: `source-${i}`, 'aria-selected': false, title: name },
      create('span', { class: 'title' }, title),
      create('span', { class: 'name' }, name),
    );
    option.setAttribute('aria-selected', 'false');
    option.addEventListener('pointerdown', (event) => event.preventDefault());
    option.addEventListener('click', () => pick(name));
    return option;
  };
  const show = () => {
    const none = create(
      'li',
      { role: 'option', 'aria-disabled': 'true', class: 'none' },
      toText('noSources'),
    );
    list.replaceChildren(...(found.length === 0 ? [none] : found.map(toOption)));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
  };
  const look = async (q: string) => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const { sources } = await parts.client().sources({ q, _limit: shown }, { signal });
      found = sources;
      active = -1;
      show();
    } catch (error) {
      if (!signal.aborted) parts.onFault(error);
    }
  };
  const activate = (i: number) => {
    list.children[active]?.setAttribute('aria-selected', 'false');
    active = (i + found.length) % found.length;
    const option = list.children[active];
    option?.setAttribute('aria-selected', 'true');
    option?.scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', `source-${active}`);
  };

  input.addEventListener('input', () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void look(input.value.trim()), typingMs);
  });
  input.addEventListener('click', () => {
    if (list.hidden) void look('');
  });
  input.addEventListener('blur', close);
  input.addEventListener('change', () => pick(input.value.trim()));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' && list.hidden) void look('');
    else if (event.key === 'ArrowDown' && found.length > 0) activate(active + 1);
    else if (event.key === 'ArrowUp' && found.length > 0)
      activate(active <= 0 ? found.length - 1 : active - 1);
    else if (event.key === 'Enter' && !list.hidden && found[active]) pick(found[active]?.name ?? '');
    else if (event.key === 'Enter') pick(input.value.trim());
    else if (event.key === 'Escape' && !list.hidden) close();
    else return;
    event.preventDefault();
  });
  return {
    set(name) {
      input.value = name;
      close();
    },
  };
}
