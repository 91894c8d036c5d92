/* Everything of one deployment: a header that follows the stream, and tabs that ask when they are looked at. */

import {answersOf, verbsOf} from './actions.js';
import {named} from './api.js';
import {Diagnostics} from './diagnostics.js';
import {button, element, fill, keepingFocus, say} from './elements.js';
import {Equity} from './equity.js';
import {signed} from './format.js';
import {Fresh} from './fresh.js';
import {Journal} from './journal.js';
import {Orders, Trades} from './orders.js';
import {badge} from './row.js';
import {Summary} from './summary.js';
import {Tabs} from './tabs.js';
import {agesIn} from './times.js';
import {
  MARKS, OTHER_TO_DO, TO_DO, colour, headline, holdingWords, isDown, isGoing, isKilled, runtimeWords, situationOf, spoken, stateWords,
  waits,
} from './words.js';

/* The chart is drawn anew at most so often. */
const LEAST_MS = {equity: 5000};

export class Detail {
  constructor(node, {api, live, name, act, charts, isShown = () => true}) {
    Object.assign(this, {node, api, live, name, act, isShown, status: null, loads: {}});
    this.header = element('header', {class: 'wb-header'});
    this.place = element('div');
    this.warnings = element('div', {class: 'wb-warnings', role: 'status'});
    const where = () => this.where();
    const goTo = (tab, what) => this.go(tab, what);
    const given = {api, live, name, charts, where, goTo, nodes: () => this.status?.nodes || []};
    this.views = {
      summary: new Summary(given), equity: new Equity(given), journal: new Journal(given), orders: new Orders(given),
      trades: new Trades(given), diagnostics: new Diagnostics(given),
    };
    const tabs = Object.entries(this.views)
      .map(([tab, view]) => ({name: tab, title: tab[0].toUpperCase() + tab.slice(1), node: view.node}));
    this.tabs = new Tabs(`What is known of ${name}`, tabs, () => this.ask());
    this.fault = element('p', {class: 'wb-red', role: 'alert'});
    node.classList.add('wb', 'wb-detail');
    node.append(this.header, this.place, this.warnings, this.tabs.list, this.fault, ...this.tabs.panels);
    this.unlisten = live.listen(event => this.hear(event));
    this.drawHeader();
    this.tabs.show('summary');
  }

  get one() {
    return this.live.model.deployments.get(this.name);
  }

  where() {
    return {zone: this.one?.zone, now: this.live.marketNow()};
  }

  hear(event) {
    const silent = this.live.isStale;
    if (event.changed.has(this.name) && this.isShown()) this.ask();
    if (event.kind === 'news' || silent !== this.silent) this.drawHeader();
    this.silent = silent;
    agesIn(this.node, this.live.marketNow());
  }

  /* Go to a tab, and there to an order, a trade, or rows that tell of something. */
  go(tab, what = {}) {
    if (tab === 'journal' && what.contains) this.views.journal.search(what.contains);
    else if (this.views[tab].go) this.views[tab].go(what);
    this.tabs.show(tab);
  }

  /* What the shown tab shows may have changed. */
  ask() {
    const tab = this.tabs?.current;
    if (!tab) return;
    if (tab === 'journal') this.views.journal.changed();
    this.loads[tab] = this.loads[tab] || new Fresh(() => this.load(tab), found => this.show(tab, found), error => {
      say(this.fault, error.message);
    }, LEAST_MS[tab]);
    this.loads[tab].ask();
  }

  async load(tab) {
    const view = this.views[tab];
    const [status, more] = await Promise.all([this.api(named(this.name)), view.load ? view.load() : {}]);
    return {status, ...more};
  }

  show(tab, found) {
    say(this.fault, '');
    this.status = found.status;
    if (this.views[tab].show && tab === this.tabs.current) this.views[tab].show({...found, ...this.where()});
    this.drawHeader();
    this.drawWarnings();
  }

  drawHeader() {
    const {one} = this;
    const situation = situationOf(this.live);
    if (!one) {
      const text = this.live.model.health ? `There is no deployment ${this.name} any more.` : headline(this.live).text;
      return fill(this.header, element('h2', {class: 'wb-title'}, this.name), element('p', {}, text));
    }
    const key = `${situation.isSilent} ${situation.isDown} ${this.status?.note}`;
    if (this.shown === one && this.key === key) return;
    Object.assign(this, {shown: one, key});
    const kind = colour(one, situation);
    const more = one.status === 'STOPPED' ? [] : [isKilled(one) ? ['Arm', 'arm', {}] : ['Kill', 'kill', {}]];
    const leaves = isGoing(one) && this.status?.note ? [['Resume', 'resume', {}]] : []; // it only exits until it is resumed
    const verbs = [...leaves, ...(waits(one) ? answersOf(one).filter(([, verb]) => verb === 'resolve') : []), ...verbsOf(one), ...more];
    keepingFocus(this.header, () => fill(this.header,
      element('div', {class: 'wb-line'},
        element('h2', {class: 'wb-title'}, one.name),
        element('span', {class: 'wb-quiet'}, `${one.strategy} ${one.version}`), badge(one.mode),
        element('span', {class: `wb-state wb-${kind}`}, `${MARKS[kind]} ${stateWords(one, situation)}`),
        element('span', {}, runtimeWords(one)),
        element('span', {class: 'wb-number wb-large', title: 'Profit and loss since the start'}, signed(one.pnl))),
      element('div', {class: 'wb-line'}, element('span', {}, one.holdings.map(holdingWords).join('; ') || 'holds nothing'),
        element('span', {class: 'wb-buttons wb-end'}, ...verbs.map(([label, verb, given]) =>
          button(label, () => this.act(verb, this.one, given, this.place), {
            name: `${label} ${one.name}`, focus: `detail|${given.choice || verb}`,
          }))))));
    this.drawWarnings();
  }

  drawWarnings() {
    const {one} = this;
    if (!one) return;
    const state = one.runtime_state.startsWith('PAUSED_') ? one.runtime_state : one.status;
    const idle = isGoing(one) && !one.hindrance && isDown(this.live.model.health);
    const told = [
      idle ? `Not evaluated: ${spoken(headline(this.live).text)}` : '',
      one.hindrance && one.status !== 'STOPPED' ? `Not evaluated: ${one.hindrance}` : '', one.stale ? `Data stale: ${one.stale}` : '',
      isGoing(one) ? this.status?.note : '', ...(this.status?.warnings || []),
      ...(this.status?.intents || []).filter(each => each.state === 'NEEDS_OPERATOR')
        .map(each => `Order ${each.order_id} needs you: ${each.detail}`),
      waits(one) ? TO_DO[state] || OTHER_TO_DO : '',
    ].filter(Boolean);
    const text = told.join('\n');
    if (text === this.warned) return;
    this.warned = text;
    fill(this.warnings, ...told.map(each => element('p', {}, `${MARKS.amber} ${each}`)));
    this.warnings.hidden = told.length === 0;
  }

  dispose() {
    this.unlisten();
    for (const load of Object.values(this.loads)) load.dispose();
    this.views.equity.dispose();
    this.views.journal.dispose();
  }
}
