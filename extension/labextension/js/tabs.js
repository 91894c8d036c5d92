/* Tabs as WAI-ARIA has them: one is in the order of the Tab key, arrows, Home and End go along. */

import {element} from './elements.js';

let ids = 0;

export class Tabs {
  /* `tabs` are {name, title, node}; `chosen(name)` is told which one is shown. */
  constructor(label, tabs, chosen) {
    Object.assign(this, {tabs, chosen, current: null});
    ids += 1;
    this.buttons = tabs.map(one => element('button', {
      type: 'button', class: 'wb-tab', role: 'tab', id: `wb-tab-${ids}-${one.name}`, 'aria-controls': `wb-panel-${ids}-${one.name}`,
      onclick: () => this.show(one.name),
    }, one.title));
    this.panels = tabs.map((one, at) => element('div', {
      class: 'wb-tabpanel', role: 'tabpanel', id: `wb-panel-${ids}-${one.name}`, 'aria-labelledby': this.buttons[at].id, tabindex: 0,
    }, one.node));
    this.list = element('div', {class: 'wb-tabs', role: 'tablist', 'aria-label': label, onkeydown: event => this.key(event)}, ...this.buttons);
  }

  show(name) {
    this.current = name;
    this.tabs.forEach((one, at) => {
      const isShown = one.name === name;
      this.buttons[at].setAttribute('aria-selected', String(isShown));
      this.buttons[at].tabIndex = isShown ? 0 : -1;
      this.panels[at].hidden = !isShown;
    });
    this.chosen(name);
  }

  key(event) {
    const at = this.tabs.findIndex(one => one.name === this.current);
    const last = this.tabs.length - 1;
    const to = {ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.show(this.tabs[to].name);
    this.buttons[to].focus();
  }
}
