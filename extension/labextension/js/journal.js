/* The journal of a deployment: newest first and live, back without end, by kind and by text; a row opens to its evidence. */

import {arrange, button, element, fill, keepingFocus, say} from './elements.js';
import {evidenceOf} from './evidence.js';
import {foldWords, folded, kindWords, rowWords} from './folding.js';
import {Fresh} from './fresh.js';
import {count, stretch, time} from './format.js';
import {Pages} from './pages.js';

const KINDS = [
  'EVALUATED', 'ORDER_INTENT_CREATED', 'FILLED', 'PARTIAL_FILL', 'PROTECTIVE_SET', 'PROTECTIVE_MOVED', 'ORDER_CANCELLED',
  'ORDER_REST_CANCELLED', 'CANCELLED_NO_SLOT', 'ORDER_REJECTED', 'ORDER_EXPIRED', 'ORDER_ENDED', 'TRADE_CLOSED',
  'RISK_EXIT_TRIGGERED', 'PAUSED', 'RESUMED', 'STOPPED', 'STARTED', 'KILLED', 'FLATTEN_REQUESTED', 'EXISTING_POSITION',
  'MISMATCH_RESOLVED', 'POSITION_ADOPTED', 'POSITION_HANDED_OVER', 'RECONCILIATION_ACTION', 'STALE_DATA', 'CONFIG_CHANGED',
  'CALENDAR_CHANGED', 'LATE_BAR', 'BAR_REVISED', 'BAR_CLOSED_RECEIVED', 'BAR_WARMED', 'ERROR',
];

export class Journal {
  /* `where()` gives zone and now, `nodes()` the texts of the expressions, `goTo(tab, what)` goes elsewhere. */
  constructor({api, name, where, nodes = () => [], goTo = () => {}}) {
    Object.assign(this, {api, name, where, nodes, goTo});
    const anew = () => this.anew();
    this.kind = element('select', {class: 'wb-input', 'aria-label': 'Kind of row', onchange: anew},
      element('option', {value: ''}, 'all kinds'), ...KINDS.map(kind => element('option', {value: kind}, kindWords(kind))));
    const soon = () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(anew, 300);
    };
    this.text = element('input', {
      type: 'search', class: 'wb-input', placeholder: 'search…', 'aria-label': 'Search the journal', oninput: soon,
    });
    this.every = element('input', {type: 'checkbox', onchange: () => {
      this.unfolded.clear();
      this.draw();
    }});
    this.words = element('span', {class: 'wb-quiet', role: 'status'});
    this.back = button('Back to the newest', anew, {kind: 'wb-still', hidden: true});
    this.body = element('tbody');
    this.more = button('Older', () => this.older.ask(), {kind: 'wb-still'});
    this.scroll = element('div', {class: 'wb-journal', role: 'region', 'aria-label': 'Rows of the journal', tabindex: 0},
      element('table', {class: 'wb-table'}, element('caption', {class: 'wb-unseen'}, `Journal of ${name}, the newest first`),
        element('thead', {}, element('tr', {}, ...['Time', 'Kind', 'What'].map(title => element('th', {scope: 'col'}, title)))), this.body),
      this.more);
    this.node = element('div', {class: 'wb-journal-view'},
      element('div', {class: 'wb-choices'}, this.kind, this.text, element('label', {class: 'wb-tick'}, this.every, 'every bar'),
        this.words, this.back),
      this.scroll);
    const done = [() => this.draw(), error => say(this.words, error.message)];
    this.news = new Fresh(() => this.pages.catchUp(), ...done);
    this.older = new Fresh(() => this.pages.older(), ...done, 0);
    this.ends = new IntersectionObserver(([end]) => end.isIntersecting && !this.more.hidden && this.older.ask(), {root: this.scroll});
    this.ends.observe(this.more);
    this.begin('', '');
  }

  begin(kind, contains) {
    Object.assign(this, {pages: new Pages(this.api, this.name, {kind, contains}), drawn: new Map(), unfolded: new Set()});
    this.more.hidden = true;
    this.body.replaceChildren();
  }

  /* From the newest row on, with the filter that is set. */
  anew() {
    this.begin(this.kind.value, this.text.value.trim());
    this.news.ask();
  }

  /* Rows that tell of something, such as an order. */
  search(text) {
    this.kind.value = '';
    this.text.value = text;
    this.anew();
  }

  changed() {
    this.news.ask();
  }

  draw() {
    const {rows, hasOlder, isNewest} = this.pages;
    const items = this.every.checked ? rows : this.foldedRows(rows);
    const before = this.drawn;
    this.drawn = new Map();
    const nodes = items.flatMap(item => {
      const key = item.rows ? `${item.rows[0].seq}-${item.rows.at(-1).seq}` : item.seq;
      const made = before.get(key) || (item.rows ? this.fold(item.rows) : this.row(item));
      this.drawn.set(key, made);
      return made.open ? [made.node, made.open] : [made.node];
    });
    this.keepingPlace(() => keepingFocus(this.scroll, () => arrange(this.body, nodes)));
    this.more.hidden = !hasOlder || !rows.length;
    // An end that stays in sight is told of again only when it is looked at anew.
    this.ends.unobserve(this.more);
    this.ends.observe(this.more);
    this.back.hidden = isNewest;
    say(this.words, rows.length ? `${count(rows.length, 'row')} loaded${hasOlder ? '' : ', that is all'}` : 'No such row.');
  }

  foldedRows(rows) {
    const parts = [];
    for (const row of rows) {
      const isOpen = this.unfolded.has(row.seq);
      if (!parts.length || parts.at(-1).isOpen !== isOpen) parts.push({isOpen, rows: []});
      parts.at(-1).rows.push(row);
    }
    return parts.flatMap(part => (part.isOpen ? part.rows : folded(part.rows)));
  }

  /* Change the table; what is being read stays where it is. */
  keepingPlace(change) {
    const top = this.scroll.scrollTop;
    const read = top > 0 ? [...this.body.children].find(node => node.offsetTop + node.offsetHeight > top) : null;
    const offset = read ? read.offsetTop - top : 0;
    change();
    if (read && read.isConnected) this.scroll.scrollTop = read.offsetTop - offset;
  }

  fold(rows) {
    const where = this.where();
    const open = () => {
      for (const row of rows) this.unfolded.add(row.seq);
      this.draw();
    };
    return {node: element('tr', {class: 'wb-fold'},
      element('td', {}, stretch(rows.at(-1).instant, rows[0].instant, where)), element('td', {}, ''),
      element('td', {}, button(foldWords(rows), open, {kind: 'wb-link', 'aria-expanded': 'false', focus: `journal|${rows[0].seq}`})))};
  }

  row(row) {
    const made = {open: null};
    const toggle = button(kindWords(row.kind), () => this.toggle(row, made),
      {kind: 'wb-link', 'aria-expanded': 'false', focus: `journal|${row.seq}`});
    made.toggle = toggle;
    made.node = element('tr', {'data-seq': row.seq}, element('td', {}, time(row.instant, {...this.where(), seconds: false})),
      element('td', {}, toggle), element('td', {}, rowWords(row)));
    return made;
  }

  async toggle(row, made) {
    if (made.open) {
      made.open.remove();
      made.open = null;
    } else {
      const cell = element('td', {colspan: 3}, 'looking…');
      made.open = element('tr', {class: 'wb-opened'}, cell);
      made.node.after(made.open);
      try {
        const {api, name, goTo} = this;
        fill(cell, await evidenceOf(row, {api, name, goTo, where: this.where(), nodes: this.nodes()}));
      } catch (error) {
        fill(cell, error.message);
      }
    }
    made.toggle.setAttribute('aria-expanded', String(Boolean(made.open)));
  }

  dispose() {
    clearTimeout(this.typing);
    this.ends.disconnect();
    this.news.dispose();
    this.older.dispose();
  }
}
