/* Diagnostics: warm-up, bars, calendar, runner, findings; and all of it as text, to be sent to somebody. */

import {button, element, fill, keepingFocus, say} from './elements.js';
import {time} from './format.js';
import {factsOf, tableOf} from './tables.js';
import {timed} from './times.js';

const LEVELS = {ok: ['●', 'green', 'OK'], look: ['▲', 'amber', 'LOOK'], wrong: ['■', 'red', 'WRONG']};

const levelOf = ({level}) => {
  const [mark, colour, words] = LEVELS[level] || LEVELS.look;
  return element('span', {class: `wb-${colour}`}, `${mark} ${words}`);
};

export class Diagnostics {
  constructor({api, live}) {
    Object.assign(this, {api, live, text: ''});
    this.facts = element('div', {class: 'wb-columns'});
    this.said = element('span', {role: 'status'});
    this.node = element('div', {}, element('div', {class: 'wb-buttons'},
      button('Copy all as text', () => this.copy(), {focus: 'diagnostics||copy'}), this.said), this.facts);
  }

  async load() {
    return {doctor: await this.api('doctor')};
  }

  show({status, doctor, zone, now}) {
    const at = iso => time(iso, {zone, now, seconds: true});
    const {hosting} = this.live.model.health || {hosting: {state: 'not known', attempt: 0}};
    const {calendar} = status;
    const deployment = [
      ['Name', status.name], ['Strategy', `${status.strategy} ${status.version}`], ['Id', status.id], ['Mode', status.mode],
      ['Status', `${status.status} ${status.runtime_state}`], ['Note', status.note], ['Not evaluated because', status.hindrance],
      ['Warm-up', status.warm_up.text], ['Begins', at(status.begins)],
      ['Next evaluations', status.next_evaluations.map(at).join(', ') || 'none'],
    ];
    const runner = [
      ['Runner', status.runner || 'none is running'], ['Hosting', `${hosting.state}${hosting.pid ? `, process ${hosting.pid}` : ''}`],
      ['Attempt', String(hosting.attempt)], ['In this state since', at(hosting.since)], ['Said last', hosting.said],
    ];
    const day = [
      ['Calendar', `${calendar.name}${zone ? `, times in ${zone}` : ''}`], ['Today', `${calendar.date ?? ''} ${calendar.session}`],
      ['Known sessions to come', String(calendar.sessions - calendar.unknown.length)], ['Unknown', calendar.unknown.join(', ')],
    ];
    const bars = Object.entries(status.freshness).map(([name, iso]) => ({name, iso}));
    const lines = doctor.lines.join('\n');
    this.text = textOf([['Deployment', deployment], ['Calendar', day],
      ['Newest bars', [...bars.map(one => [one.name, at(one.iso)]), ['Missing', status.stale]]], ['Runner', runner],
      ['Doctor', doctor.findings.map(one => [one.what, `${one.level.toUpperCase()} ${one.text}`])], ['Runner said', [['', lines]]]]);
    keepingFocus(this.facts, () => fill(this.facts,
      factsOf('Deployment', deployment),
      factsOf('Runner', runner),
      factsOf('Calendar', day),
      tableOf(status.stale ? `Newest bars: ${status.stale}` : 'Newest bars', [
        {title: 'Instrument', of: one => one.name, isHead: true}, {title: 'Opened', of: one => timed(one.iso, now, {zone}) || 'none'},
      ], bars),
      element('div', {class: 'wb-wide'}, tableOf('Doctor', [
        {title: 'Level', of: levelOf}, {title: 'What', of: one => one.what, isHead: true}, {title: 'Finding', of: one => one.text},
      ], doctor.findings)),
      element('section', {class: 'wb-wide', 'aria-label': 'What the runner said last'}, element('h4', {}, 'What the runner said last'),
        element('pre', {class: 'wb-lines', tabindex: 0}, lines || 'nothing'))));
  }

  /* To the clipboard; where a page may not do that, as text to be copied by hand. */
  async copy() {
    try {
      await navigator.clipboard.writeText(this.text);
      say(this.said, ' copied');
    } catch {
      const text = element('textarea', {class: 'wb-input', rows: 12, readonly: true, 'aria-label': 'Diagnostics as text'});
      text.value = this.text;
      fill(this.said, text);
      text.select();
    }
  }
}

const textOf = sections => sections.map(([title, facts]) => [title, ...facts.filter(([, value]) => value)
  .map(([name, value]) => (name ? `  ${name}: ${value}` : `  ${value.replaceAll('\n', '\n  ')}`))].join('\n')).join('\n\n');
