/* The list of deployments: what waits for a person first, then the others by name. */

import {button, element} from './elements.js';
import {CHOICES, age, colour, isDown, lastEvaluation, runner, signed, state} from './words.js';

const MARKS = {green: '●', amber: '▲', red: '■', grey: '○'};

export class Sidebar {
  constructor(node, act) {
    this.act = act;
    this.filter = element('input', {
      type: 'search', class: 'jp-mod-styled wb-filter', placeholder: 'filter…', 'aria-label': 'Filter deployments',
      oninput: () => this.draw(),
    });
    this.head = element('p', {class: 'wb-runner', role: 'status'});
    this.list = element('ul', {class: 'wb-list', 'aria-label': 'Deployments'});
    this.foot = element('p', {class: 'wb-foot'});
    this.rows = null;
    node.append(element('h2', {class: 'wb-title'}, 'Workbench'), this.head, this.filter, this.list, this.foot);
  }

  show(rows, health) {
    this.rows = rows;
    this.isDown = isDown(health);
    this.seen = Date.now();
    const [kind, text] = runner(health);
    this.head.className = `wb-runner wb-${kind}`;
    this.head.textContent = `${MARKS[kind]} ${text}`;
    this.draw();
  }

  fail(error) {
    this.head.className = 'wb-runner wb-red';
    this.head.textContent = `${MARKS.red} the server does not answer: ${error.message}`;
    if (this.seen) this.foot.textContent = `What is shown is ${age(new Date(this.seen).toISOString())} old.`;
  }

  draw() {
    if (this.rows === null) return;
    const wanted = this.filter.value.trim().toLowerCase();
    const waits = one => one.runtime_state.startsWith('PAUSED_');
    const rows = this.rows
      .filter(one => `${one.name} ${one.status} ${one.runtime_state} ${one.position}`.toLowerCase().includes(wanted))
      .sort((a, b) => waits(b) - waits(a) || a.name.localeCompare(b.name));
    // A row that has the focus is not taken away under the hand: only rows that changed are made anew.
    const before = new Map([...this.list.children].map(node => [node.dataset.key, node]));
    this.list.replaceChildren(...rows.map(one => before.get(this.key(one)) || this.row(one)));
    this.foot.textContent = this.rows.length
      ? `${rows.length} of ${this.rows.length} deployments`
      : 'Nothing deployed yet. Backtest a strategy in a notebook, then deploy it: workbench deploy.';
  }

  key(one) {
    return JSON.stringify([one, this.isDown]);
  }

  row(one) {
    const kind = colour(one, this.isDown);
    const node = element('li', {class: 'wb-row'},
      element('div', {class: 'wb-line'},
        element('strong', {}, one.name), ` ${one.version} `,
        element('span', {class: `wb-${kind}`}, `${MARKS[kind]} ${state(one, this.isDown)}`), ` ${one.runtime_state}`,
        element('span', {class: 'wb-number', title: 'Profit and loss'}, signed(one.pnl))),
      element('div', {class: 'wb-small'}, [one.position, lastEvaluation(one)].filter(Boolean).join(' · ')),
      one.hindrance ? element('div', {class: `wb-small wb-${kind}`}, one.hindrance) : null,
      element('div', {class: 'wb-buttons'}, ...this.buttons(one)));
    node.dataset.key = this.key(one);
    node.dataset.name = one.name;
    return node;
  }

  buttons(one) {
    if (one.status === 'STOPPED') return [];
    const make = (label, verb, body) => button(label, () => this.act(verb, one, body), `${label} ${one.name}`);
    const choices = one.runtime_state === 'PAUSED_DIRECTION_MISMATCH'
      ? CHOICES.map(([choice, label]) => make(label, 'resolve', {choice})) : [];
    const going = one.status === 'RUNNING' && !one.runtime_state.startsWith('PAUSED_');
    return [...choices, going ? make('Pause', 'pause') : make('Resume', 'resume'), make('Flatten', 'flatten'), make('Stop', 'stop')];
  }
}
