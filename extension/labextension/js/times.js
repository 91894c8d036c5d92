/* Times with their age beside them, kept right without drawing anything anew. */

import {element, say} from './elements.js';
import {age, time} from './format.js';

/* A time, and how long ago or ahead it is. */
export function timed(iso, now, options = {}) {
  if (!iso) return null;
  return element('span', {class: 'wb-time'}, element('time', {datetime: iso, title: iso}, time(iso, {now, ...options})), ' ',
    element('span', {class: 'wb-age', 'data-iso': iso}, `(${age(iso, now)})`));
}

/* Set every age below a node to what it is now. */
export function agesIn(root, now) {
  for (const node of root.querySelectorAll('.wb-age')) say(node, `(${age(node.dataset.iso, now)})`);
}
