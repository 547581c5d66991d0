/** Tabs as ARIA has them: the arrows go from one to the next, and each shows its panel. */
export function createTabs(...tabs: readonly HTMLElement[]): void {
  const show = (shown: HTMLElement) => {
    for (const tab of tabs) {
      const isShown = tab === shown;
      tab.setAttribute('aria-selected', String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute('aria-controls') ?? '');
      if (panel !== null) panel.hidden = !isShown;
    }
  };
  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener('click', () => show(tab));
    tab.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const next = step === undefined ? undefined : tabs[(i + step + tabs.length) % tabs.length];
      if (next === undefined) return;
      show(next);
      next.focus();
    });
  }
}
