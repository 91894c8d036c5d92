/* Asks in a small form in place, for pages that have no dialogs of their own. */

import {button, element} from './elements.js';
import {formOf} from './form.js';

/* Ask below a node; one that asks there already is answered with no. */
export const askBelow = (place, ask) => new Promise(answered => {
  if (place.cancelAsk) place.cancelAsk();
  const before = document.activeElement;
  const form = formOf(ask);
  const done = answer => {
    place.cancelAsk = undefined;
    box.remove();
    if (before && before.isConnected) before.focus();
    answered(answer);
  };
  const accept = one => form.isComplete() && done({key: one.key, values: form.values()});
  const box = element('form', {
    class: 'wb-inline', 'aria-label': ask.title,
    onsubmit: event => {
      event.preventDefault();
      if (ask.accepts.length === 1) accept(ask.accepts[0]);
    },
    onkeydown: event => {
      event.stopPropagation(); // the notebook has shortcuts of single letters
      if (event.key === 'Escape') done(null);
    },
  }, element('strong', {}, ask.title), form.node, element('div', {class: 'wb-buttons'},
    ...ask.accepts.map(one => button(one.label, () => accept(one), {kind: one.isWarning ? 'wb-warn' : 'wb-go'})),
    button('Cancel', () => done(null))));
  place.cancelAsk = () => done(null);
  place.append(box);
  box.scrollIntoView({block: 'nearest'});
  form.first.focus();
});
