/* Elements of the page. Text is set as text, never as HTML: names and reasons come from strategies and brokers. */

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'onclick' || name === 'oninput') node[name] = value;
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter(child => child !== null && child !== undefined).map(child =>
    child instanceof Node ? child : document.createTextNode(String(child))));
  return node;
}

export const button = (label, onclick, name = label) =>
  element('button', {class: 'jp-Button jp-mod-styled jp-mod-minimal wb-button', onclick, 'aria-label': name, title: name}, label);
