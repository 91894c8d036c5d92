/* The fields of an ask, as a form: what was given, and what is missing. */

import {element} from './elements.js';

let ids = 0;

const MADE = {
  text: field => {
    const input = element('input', {type: 'text', class: 'wb-input', id: `wb-field-${ids += 1}`, maxlength: 2000, autocomplete: 'off'});
    return {
      node: element('div', {class: 'wb-field'}, element('label', {for: input.id}, field.label), input),
      input, value: () => input.value.trim(), isGiven: () => input.value.trim() !== '',
    };
  },
  word: field => {
    const made = MADE.text(field);
    return {...made, isGiven: () => made.value() === field.word};
  },
  tick: field => {
    const input = element('input', {type: 'checkbox'});
    return {
      node: element('label', {class: 'wb-field wb-tick'}, input, element('span', {}, field.label)),
      input, value: () => input.checked, isGiven: () => input.checked,
    };
  },
  choice: field => {
    const group = `wb-choice-${ids += 1}`;
    const inputs = field.options.map(([value]) => element('input', {type: 'radio', name: group, value}));
    const value = () => inputs.find(one => one.checked)?.value || '';
    return {
      node: element('fieldset', {class: 'wb-field'}, element('legend', {}, field.label), ...field.options.map(([, text], at) =>
        element('label', {class: 'wb-tick'}, inputs[at], element('span', {}, text)))),
      input: inputs[0], value, isGiven: () => value() !== '',
    };
  },
};

/* A form of an ask: its node; `values()`; `isComplete()`, which says what is missing and goes there. */
export function formOf(ask) {
  const made = ask.fields.map(field => ({field, ...MADE[field.kind](field)}));
  const fault = element('p', {class: 'wb-fault wb-red', role: 'alert'});
  const clear = () => {
    fault.textContent = '';
  };
  const node = element('div', {class: 'wb wb-form', oninput: clear}, ...ask.says.filter(Boolean).map(text => element('p', {}, text)),
    ...made.map(one => one.node), fault);
  const isComplete = () => {
    const missing = made.find(one => one.field.fault && !one.isGiven());
    fault.textContent = missing ? missing.field.fault : '';
    if (missing) missing.input.focus();
    return !missing;
  };
  return {
    node, isComplete, first: made[0].input,
    values: () => Object.fromEntries(made.map(one => [one.field.name, one.value()])),
  };
}
