/* One deployment in the sidebar: drawn anew when what it shows has changed; what is asked below it stays. */

import {verbsOf} from './actions.js';
import {button, element, fill, keepingFocus} from './elements.js';
import {signed} from './format.js';
import {timed} from './times.js';
import {MARKS, colour, holdingWords, protectionWords, runtimeWords, stateWords} from './words.js';

export class Row {
  constructor({act, open}) {
    Object.assign(this, {act, open, shown: null});
    this.body = element('div', {class: 'wb-row-body'});
    this.place = element('div');
    this.node = element('li', {class: 'wb-row'}, this.body, this.place);
  }

  show(one, situation, now) {
    const key = `${situation.isSilent} ${situation.isDown}`;
    if (this.shown === one && this.key === key) return;
    Object.assign(this, {shown: one, key});
    this.node.dataset.name = one.name;
    keepingFocus(this.body, () => fill(this.body, ...this.drawn(one, situation, now)));
  }

  drawn(one, situation, now) {
    const kind = colour(one, situation);
    return [
      element('div', {class: 'wb-line'},
        button(one.name, () => this.open(one.name), {kind: 'wb-name', focus: `row|${one.name}|open`, title: `Open ${one.name}`}),
        element('span', {class: 'wb-quiet'}, one.version), badge(one.mode),
        element('span', {class: 'wb-number', title: 'Profit and loss since the start'}, signed(one.pnl))),
      element('div', {class: 'wb-line'},
        element('span', {class: `wb-state wb-${kind}`}, `${MARKS[kind]} ${stateWords(one, situation)}`),
        element('span', {class: 'wb-small'}, runtimeWords(one))),
      one.hindrance && one.hindrance !== 'stopped' ? element('div', {class: `wb-small wb-${kind}`}, one.hindrance) : null,
      one.stale && !one.hindrance ? element('div', {class: 'wb-small wb-amber'}, `data stale: ${one.stale}`) : null,
      ...one.holdings.map(held => this.held(one, held)),
      one.status === 'STOPPED' ? null : this.evaluations(one, situation, now),
      element('div', {class: 'wb-buttons'}, ...verbsOf(one).map(([label, verb, more]) =>
        button(label, () => this.act(verb, this.shown, more, this.place), {
          kind: 'wb-still', name: `${label} ${one.name}`, focus: `row|${one.name}|${verb}`,
        }))),
    ];
  }

  held(one, held) {
    const protects = one.status === 'RUNNING' ? null : element('div', {}, `protected: ${protectionWords(held)}`);
    return element('div', {class: 'wb-small'}, holdingWords(held), protects);
  }

  evaluations(one, situation, now) {
    const zone = {zone: one.zone};
    const decided = [one.decision, one.reason].filter(Boolean).join(', ');
    return element('div', {class: 'wb-small wb-quiet'},
      one.last_evaluation ? ['last ', timed(one.last_evaluation, now, zone), decided ? ` ${decided}` : ''] : 'not evaluated yet',
      one.next_evaluation && stateWords(one, situation) === 'RUNNING' ? [' · next ', timed(one.next_evaluation, now, zone)] : null);
  }
}

/* Live is loud, paper is quiet. */
export const badge = mode => element('span', {class: `wb-badge wb-mode-${mode === 'live' ? 'live' : 'paper'}`}, mode.toUpperCase());
