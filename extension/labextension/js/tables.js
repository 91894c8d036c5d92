/* Tables that a screen reader can read: a caption, headers with their scope, numbers to the right. */

import {button, element, fill} from './elements.js';

/* `columns` are {title, of, isNumber, isHead}; `of` gives text or a node. `marked` gives attributes of a row. */
export function tableOf(caption, columns, rows, marked = () => ({})) {
  const head = columns.map(one => element('th', {scope: 'col', class: one.isNumber ? 'wb-right' : undefined}, one.title));
  const body = rows.map(row => element('tr', marked(row), ...columns.map(one =>
    element(one.isHead ? 'th' : 'td', {scope: one.isHead ? 'row' : undefined, class: one.isNumber ? 'wb-right' : undefined}, one.of(row)))));
  return element('table', {class: 'wb-table'}, element('caption', {}, caption), element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body));
}

/* Facts, one below the other: [name, text or node]. */
export const factsOf = (caption, facts) => element('table', {class: 'wb-table wb-facts'}, element('caption', {}, caption),
  element('tbody', {}, ...facts.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([name, value]) =>
    element('tr', {}, element('th', {scope: 'row'}, name), element('td', {}, value)))));

const PAGE = 100;

/* A long table, a page of rows at a time. */
export class LongTable {
  constructor(caption, columns, {marked, empty}) {
    Object.assign(this, {caption, columns, marked, empty, most: PAGE, rows: []});
    this.table = element('div', {class: 'wb-scroll'});
    this.more = button('', () => {
      this.most += PAGE;
      this.draw();
    }, {kind: 'wb-still'});
    this.node = element('div', {}, this.table, this.more);
  }

  show(rows) {
    this.rows = rows;
    this.draw();
  }

  /* Draw as many rows as it takes for one of them to be there. */
  reveal(fits) {
    const at = this.rows.findIndex(fits);
    if (at >= this.most) {
      this.most = at + 1;
      this.draw();
    }
  }

  draw() {
    const shown = this.rows.slice(0, this.most);
    fill(this.table, this.rows.length ? tableOf(this.caption, this.columns, shown, this.marked) : element('p', {}, this.empty));
    this.more.hidden = shown.length === this.rows.length;
    this.more.textContent = `Show more: ${shown.length} of ${this.rows.length}`;
  }
}
