/* The list of deployments, live: what waits for a person first, then the rows that are chosen, then what all hold. */

import {Attention} from './attention.js';
import {SORTS, STATES, chosen} from './choices.js';
import {arrange, button, element, keepingFocus, say} from './elements.js';
import {Exposure} from './exposure.js';
import {count, time} from './format.js';
import {Row} from './row.js';
import {agesIn} from './times.js';
import {MARKS, headline, situationOf} from './words.js';

const select = (label, options, onchange) => element('select', {class: 'wb-input', 'aria-label': label, onchange},
  ...options.map(([value, text]) => element('option', {value}, text)));

export class Sidebar {
  /* `act(verb, one, more, place)`, `open(name)` shows one, `start()` opens the start notebook. */
  constructor(node, {live, act, open, start}) {
    Object.assign(this, {node, live, act, open, rows: new Map()});
    const redraw = () => {
      this.draw();
      this.tick();
    };
    this.text = element('input', {
      type: 'search', class: 'wb-input', placeholder: 'filter…', 'aria-label': 'Filter deployments', oninput: redraw,
    });
    this.mode = select('Mode', [['', 'mode'], ['paper', 'paper'], ['live', 'live']], redraw);
    this.state = select('State', STATES, redraw);
    this.sort = select('Sort by', SORTS, redraw);
    this.head = element('p', {class: 'wb-runner'});
    this.attention = new Attention({act, open, showAll: () => {
      this.state.value = 'needs';
      redraw();
      this.state.focus();
    }});
    this.list = element('ul', {class: 'wb-list', 'aria-label': 'Deployments'});
    this.empty = element('div', {class: 'wb-empty', hidden: true},
      element('p', {}, 'Nothing deployed yet. Backtest a strategy in a notebook, then ', element('code', {}, 'wb.deploy(strategy)'), '.'),
      start ? button('Open the start notebook', start, {kind: 'wb-go'}) : null);
    this.exposure = new Exposure();
    this.exposure.node.hidden = true;
    this.foot = element('p', {class: 'wb-foot wb-quiet'});
    this.choices = element('div', {class: 'wb-choices'}, this.text, this.mode, this.state, this.sort);
    node.classList.add('wb', 'wb-panel');
    node.append(element('h2', {class: 'wb-title'}, 'Workbench'), this.head, this.attention.node, this.choices, this.list, this.empty,
      this.exposure.node, this.foot);
    this.silent = null;
    this.unlisten = live.listen(event => this.hear(event));
    this.tick();
  }

  hear(event) {
    if (event.kind === 'news' || this.silent !== this.live.isStale) this.draw();
    this.tick();
  }

  /* What changes by the clock alone. */
  tick() {
    const {live} = this;
    const now = live.serverNow();
    const {colour, text} = headline(live);
    const kind = `wb-runner wb-${colour}`;
    if (this.head.className !== kind) this.head.className = kind;
    say(this.head, `${MARKS[colour]} ${text}`);
    agesIn(this.node, live.marketNow());
    const {at} = live.model;
    const updated = at ? `last updated ${time(at, {now, seconds: true})} (${Math.round(live.quiet)} s ago)` : '';
    say(this.foot, [this.counted, updated].filter(Boolean).join(' · '));
  }

  draw() {
    const {live} = this;
    this.silent = live.isStale;
    if (live.model.health === null) return;
    const situation = situationOf(live);
    const all = [...live.model.deployments.values()];
    const {text, mode, state, sort} = this;
    const rows = chosen(all, {text: text.value, mode: mode.value, state: state.value, sort: sort.value}, situation);
    for (const name of this.rows.keys()) if (!live.model.deployments.has(name)) this.rows.delete(name);
    const now = live.marketNow();
    keepingFocus(this.node, () => {
      this.attention.show(all, situation);
      arrange(this.list, rows.map(one => this.row(one, situation, now).node));
      this.exposure.show(live.model.exposure);
    });
    const nothing = all.length === 0 && !live.model.health.database;
    this.empty.hidden = !nothing;
    for (const node of [this.choices, this.list, this.exposure.node]) node.hidden = nothing;
    this.counted = nothing ? '' : `${rows.length} of ${count(all.length, 'deployment')}`;
  }

  row(one, situation, now) {
    if (!this.rows.has(one.name)) this.rows.set(one.name, new Row(this));
    const row = this.rows.get(one.name);
    row.show(one, situation, now);
    return row;
  }

  dispose() {
    this.unlisten();
    this.node.replaceChildren();
  }
}
