/* What waits for a person, on top: what it is, what to do, and the choices. */

import {answersOf} from './actions.js';
import {arrange, button, element, fill, keepingFocus, say} from './elements.js';
import {MARKS, OTHER_TO_DO, TO_DO, colour, waits} from './words.js';

/* More are not shown one by one; the list has them all. */
const MOST = 4;

export class Attention {
  constructor({act, open, showAll}) {
    Object.assign(this, {act, open, cards: new Map()});
    this.title = element('h3', {class: 'wb-amber', role: 'status'});
    this.list = element('ul', {class: 'wb-list', 'aria-label': 'Deployments that need you'});
    this.more = button('', showAll, {kind: 'wb-still', focus: 'attention|more|'});
    this.node = element('section', {class: 'wb-attention', 'aria-label': 'Needs you', hidden: true}, this.title, this.list, this.more);
  }

  show(rows, situation) {
    const waiting = rows.filter(waits).sort((a, b) => (a.name < b.name ? -1 : 1));
    this.node.hidden = waiting.length === 0;
    say(this.title, `${MARKS.amber} ${waiting.length} ${waiting.length === 1 ? 'needs' : 'need'} you`);
    const cards = waiting.slice(0, MOST).map(one => this.card(one, situation));
    this.cards = new Map(cards.map(card => [card.one.name, card]));
    keepingFocus(this.node, () => arrange(this.list, cards.map(card => card.node)));
    this.more.hidden = waiting.length <= MOST;
    say(this.more, `and ${waiting.length - MOST} more: show them in the list`);
  }

  card(one, situation) {
    const card = this.cards.get(one.name) || {node: element('li', {class: 'wb-card'}), body: element('div'), place: element('div')};
    if (card.one === one && card.isSilent === situation.isSilent) return card;
    if (!card.one) card.node.append(card.body, card.place);
    Object.assign(card, {one, isSilent: situation.isSilent});
    card.node.dataset.name = one.name;
    keepingFocus(card.body, () => fill(card.body,
      element('div', {class: 'wb-line'},
        button(one.name, () => this.open(one.name), {kind: 'wb-name', focus: `card|${one.name}|open`}),
        element('span', {class: `wb-small wb-${colour(one, situation)}`}, waitingState(one))),
      element('div', {class: 'wb-small'}, one.hindrance),
      element('div', {class: 'wb-small wb-todo'}, TO_DO[waitingState(one)] || OTHER_TO_DO),
      element('div', {class: 'wb-buttons'}, ...answersOf(one).map(([label, verb, more]) =>
        button(label, () => this.act(verb, card.one, more, card.place), {
          name: `${label}: ${one.name}`, focus: `card|${one.name}|${more.choice || verb}`})))));
    return card;
  }
}

const waitingState = one => (one.runtime_state.startsWith('PAUSED_') ? one.runtime_state : one.status);
