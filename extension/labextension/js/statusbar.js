/* The item in the status bar: the whole in a line, when the next bar closes, and the kill switch. */

import {button, element, say} from './elements.js';
import {MARKS, headline, nextBar, spoken} from './words.js';

export class StatusBar {
  constructor(node, {live, open, kill}) {
    Object.assign(this, {live});
    this.text = button('○ Workbench', open, {kind: 'wb-status-text'});
    // What is read aloud: changes of the state, never the countdown.
    this.heard = element('span', {class: 'wb-unseen', role: 'status'});
    node.classList.add('wb', 'wb-status');
    node.append(this.text, this.heard, button('■ Kill', kill, {kind: 'wb-kill', name: 'Kill switch…'}));
    this.unlisten = live.listen(() => this.draw());
    this.draw();
  }

  draw() {
    const {colour, text, next} = headline(this.live);
    const coming = nextBar(next, this.live.marketNow());
    const kind = `wb-button wb-status-text wb-${colour}`;
    if (this.text.className !== kind) this.text.className = kind;
    say(this.text, `${MARKS[colour]} Workbench  ${[text, coming].filter(Boolean).join(' · ')}`);
    say(this.heard, `Workbench: ${spoken(text)}`);
    this.text.title = `${text}. Open the deployments.`;
  }

  dispose() {
    this.unlisten();
  }
}
