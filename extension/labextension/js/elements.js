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
    .map(child => (child instanceof Node ? child : document.createTextNode(plain(child)))));
}

/* Text without the signs that would turn the direction of what stands beside it. */
const plain = text => String(text).replace(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd');

/* A button; `focus` is the name by which it gets the focus back after its surroundings were drawn anew. */
export const button = (label, onclick, {name, focus, kind = '', ...more} = {}) => element('button', {
  type: 'button', class: `wb-button ${kind}`, onclick, 'aria-label': name, title: name, 'data-focus': focus, ...more,
}, label);

/* What has the name of a focus, "part|subject|what", or else what stands in the same place of its part, or else
 * anything about the subject. */
function successor(root, had, place) {
  const all = [...root.querySelectorAll('[data-focus]')];
  const [start, end] = [had.indexOf('|'), had.lastIndexOf('|') + 1];
  const family = all.filter(node => node.dataset.focus.startsWith(had.slice(0, end)));
  return all.find(node => node.dataset.focus === had) || family[Math.min(place, family.length - 1)]
    || all.find(node => node.dataset.focus.includes(had.slice(start, end)));
}

/* Change what is inside a node; whoever has the focus there has it afterwards too, or else what took its place. */
export function keepingFocus(root, change) {
  const focused = root.contains(document.activeElement) ? document.activeElement : null;
  const had = focused?.dataset.focus;
  if (had === undefined) return change();
  const part = had.slice(0, had.lastIndexOf('|') + 1);
  const place = [...root.querySelectorAll('[data-focus]')].filter(node => node.dataset.focus.startsWith(part)).indexOf(focused);
  change();
  if (!root.contains(document.activeElement)) successor(root, had, place)?.focus({preventScroll: true});
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
  const wanted = plain(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}
