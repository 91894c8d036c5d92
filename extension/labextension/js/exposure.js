/* What all deployments hold together: a line that folds out into a table. */

import {element, fill, say} from './elements.js';
import {figure, money} from './format.js';
import {tableOf} from './tables.js';
import {exposureWords} from './words.js';

const holders = one => element('div', {class: 'wb-small wb-quiet'}, one.deployments.join(', '));

const COLUMNS = [
  {title: 'Instrument', of: one => element('span', {}, one.instrument, holders(one)), isHead: true},
  {title: 'Units', of: one => figure(one.qty), isNumber: true},
  {title: 'At last close', of: one => money(one.notional), isNumber: true},
];

export class Exposure {
  constructor({isOpen = false} = {}) {
    this.line = element('span');
    this.table = element('div', {class: 'wb-scroll'});
    const summary = element('summary', {'data-focus': 'exposure||'}, this.line);
    this.node = element('details', {class: 'wb-exposure', open: isOpen}, summary, this.table);
  }

  show(exposure) {
    if (this.shown === exposure) return;
    this.shown = exposure;
    const largest = [...exposure].sort((a, b) => Math.abs(b.notional) - Math.abs(a.notional));
    const more = exposure.length > 1 ? ` · ${exposure.length - 1} more` : '';
    say(this.line, exposure.length ? `Exposure: ${exposureWords(largest[0])}${more}` : 'Exposure: nothing is held');
    fill(this.table, exposure.length ? tableOf('What all deployments hold together', COLUMNS, largest) : null);
  }
}
