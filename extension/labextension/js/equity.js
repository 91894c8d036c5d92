/* Equity: the curve, its drawdown, entries and exits; the same in words and as a table for whoever cannot see it. */

import {named} from './api.js';
import {equitySpec} from './chart.js';
import {element, fill, say} from './elements.js';
import {count, money, percent, signed, time} from './format.js';
import {tableOf} from './tables.js';

const MOST_POINTS = 800;
const MOST_ROWS = 25;
const COLOURS = {text: '--wb-text', line: '--wb-line', curve: '--wb-blue', down: '--wb-red', entry: '--wb-green', exit: '--wb-amber'};

export class Equity {
  constructor({api, name, charts}) {
    Object.assign(this, {api, name});
    this.words = element('p', {role: 'status'});
    this.place = element('div', {class: 'wb-chart', 'aria-hidden': 'true'});
    this.table = element('div', {class: 'wb-scroll'});
    this.node = element('div', {}, this.words, this.place, element('details', {}, element('summary', {}, 'As a table'), this.table));
    this.chart = charts ? charts(this.place) : null;
    if (!this.chart) this.place.textContent = 'This page draws no charts; the table below says the same.';
    // Another theme has other colours; another width another chart.
    this.themes = new MutationObserver(() => this.draw());
    this.themes.observe(document.body, {attributes: true, attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name']});
    this.widths = new ResizeObserver(() => this.width() !== this.drawnWidth && this.draw());
    this.widths.observe(this.node);
  }

  async load() {
    const [equity, trades] = await Promise.all([
      this.api(`${named(this.name)}/equity?most=${MOST_POINTS}`), this.api(`${named(this.name)}/trades`)]);
    return {equity, trades};
  }

  show({equity, trades, status, zone, now}) {
    this.trades = trades;
    this.points = equity.map(one => ({at: Date.parse(one.ts_close), equity: one.equity, drawdown_frac: one.drawdown_frac}));
    this.draw();
    const worst = Math.min(0, ...this.points.map(one => one.drawdown_frac));
    say(this.words, equity.length
      ? `Equity ${money(status.equity)}, ${signed(status.equity - status.initial_cash)} since the start; worst drawdown ${percent(worst)}; ` +
        `${count(trades.filter(one => !one.is_open).length, 'trade')} ended.`
      : 'No bar has been seen yet.');
    const rows = thinned(equity).reverse();
    const columns = [
      {title: 'Time', of: one => time(one.ts_close, {zone, now}), isHead: true},
      {title: 'Equity', of: one => money(one.equity), isNumber: true},
      {title: 'In positions', of: one => money(one.position_value), isNumber: true},
      {title: 'Drawdown', of: one => percent(one.drawdown_frac), isNumber: true},
    ];
    fill(this.table, tableOf(`Equity, ${rows.length} points of the whole time, the newest first`, columns, rows));
  }

  width() {
    return Math.max(240, this.node.clientWidth - 130);
  }

  /* One drawing at a time; what comes meanwhile is drawn after it. */
  async draw() {
    if (!this.chart || !this.points || !this.points.length || !this.node.clientWidth) return;
    this.isWanted = true;
    if (this.isDrawing) return;
    this.isDrawing = true;
    while (this.isWanted) {
      this.isWanted = false;
      this.drawnWidth = this.width();
      const style = getComputedStyle(this.node);
      const colours = Object.fromEntries(
        Object.entries(COLOURS).map(([name, variable]) => [name, style.getPropertyValue(variable).trim()]));
      await this.chart.draw(equitySpec(this.points, this.trades, {width: this.drawnWidth, colours}));
    }
    this.isDrawing = false;
  }

  dispose() {
    this.themes.disconnect();
    this.widths.disconnect();
    if (this.chart) this.chart.dispose();
  }
}

const thinned = rows => {
  const step = Math.max(1, Math.ceil(rows.length / MOST_ROWS));
  return rows.filter((_, at) => at % step === 0 || at === rows.length - 1);
};
