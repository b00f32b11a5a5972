type Child = Node | string | number | null | undefined | false;
type Attributes = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;

/** Makes an element. Names come from users: texts are only ever put in as texts. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

/** Makes an element of a picture. */
export function svg(tag: string, attributes: Record<string, string | number>, ...children: Node[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Puts other children in; the focus stays at its place. */
export function replace(parent: Element, ...children: Child[]): void {
  const place = placeOfFocus(parent);
  parent.replaceChildren();
  append(parent, children);
  if (place === undefined) return;
  let at: Element | undefined = parent;
  for (const index of place) at = at?.children[index];
  if (at instanceof HTMLElement) at.focus({ preventScroll: true });
}

/** Where the focus is in an element: the number of the child, of the child's child ... */
function placeOfFocus(parent: Element): number[] | undefined {
  const place: number[] = [];
  let at = document.activeElement;
  if (at === null || at === parent || !parent.contains(at)) return undefined;
  for (; at !== parent && at?.parentElement; at = at.parentElement) place.unshift([...at.parentElement.children].indexOf(at));
  return place;
}

function append(parent: Element, children: Child[]): void {
  for (const child of children)
    if (child !== null && child !== undefined && child !== false) parent.append(typeof child === 'number' ? String(child) : child);
}

/** Sets a text only where it is another one: what a screen reader announces is announced once. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

let numbers = 0;

/** A fresh id. */
export function uniqueId(prefix: string): string {
  return `${prefix}-${++numbers}`;
}

/** A choice with its label. */
export function select(label: string, options: string[], value: string, change: (value: string) => void): HTMLElement {
  const id = uniqueId('select');
  const field = h('select', { id, change: () => change(field.value) },
    ...options.map(option => h('option', { value: option, selected: option === value }, option)));
  return h('span', { class: 'field' }, h('label', { for: id }, label), field);
}

/** A table that scrolls by itself, also by keyboard, where it is wider than the page. */
export function table(caption: string, head: Child[], rows: Child[][], numeric: number[] = []): HTMLElement {
  const cells = (row: Child[], tag: 'th' | 'td') => row.map((cell, at) =>
    h(tag, { class: numeric.includes(at) ? 'number' : undefined, scope: tag === 'th' ? 'col' : undefined }, cell));
  return h('div', { class: 'scrolls', tabindex: 0, role: 'region', 'aria-label': caption },
    h('table', {}, h('caption', { class: 'unseen' }, caption), h('thead', {}, h('tr', {}, ...cells(head, 'th'))),
      h('tbody', {}, ...rows.map(row => h('tr', {}, ...cells(row, 'td'))))));
}
