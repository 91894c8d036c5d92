/* Elements of the page. Text is set as text, never as HTML: names and reasons come from strategies and brokers. */

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node[name] = value;
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  fill(node, ...children);
  return node;
}

/* Put children in the place of those that a node has; what is missing is left out. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter(child => child !== null && child !== undefined && child !== '')
    .map(child => (child instanceof Node ? child : document.createTextNode(String(child)))));
}

/* A button; `focus` is the name by which it gets the focus back after its surroundings were drawn anew. */
export const button = (label, onclick, {name, focus, kind = '', ...more} = {}) => element('button', {
  type: 'button', class: `wb-button ${kind}`, onclick, 'aria-label': name, title: name, 'data-focus': focus, ...more,
}, label);

/* Change what is inside a node; whoever has the focus there has it afterwards too, or else its neighbour. */
export function keepingFocus(root, change) {
  const had = root.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  change();
  if (had === undefined || root.contains(document.activeElement)) return;
  const all = [...root.querySelectorAll('[data-focus]')];
  const family = had.slice(0, had.lastIndexOf('|') + 1);
  const again = all.find(node => node.dataset.focus === had)
    || (family && all.find(node => node.dataset.focus.startsWith(family)));
  if (again) again.focus({preventScroll: true});
}

/* Give a node these children in this order, moving only those that are not in their place. */
export function arrange(node, children) {
  const wanted = new Set(children);
  for (const child of [...node.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, at) => {
    if (node.children[at] !== child) node.insertBefore(child, node.children[at] || null);
  });
}

/* Text that is set only when it differs, so that a screen reader hears of changes alone. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
