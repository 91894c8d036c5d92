/* The same views in an output of a notebook, for a widget there: nothing of JupyterLab is needed. */

import {Actions} from './actions.js';
import {apiOfPage} from './api.js';
import {element, say} from './elements.js';
import {Exposure} from './exposure.js';
import {askBelow} from './inline.js';
import {Journal} from './journal.js';
import {acquire} from './live.js';
import {Sidebar} from './sidebar.js';
import {agesIn} from './times.js';
import {MARKS, headline} from './words.js';

/* The style of the views, once in a page; JupyterLab has loaded it already. */
function style() {
  const href = new URL('workbench.css', import.meta.url).href;
  if ([...document.querySelectorAll('link[rel=stylesheet]')].some(one => one.href === href)) return;
  document.head.append(element('link', {rel: 'stylesheet', href}));
}

function deployments(node, {api, live}) {
  const place = element('div');
  const said = element('p', {role: 'status'});
  const tell = (kind, text) => {
    said.className = kind === 'error' ? 'wb-red' : '';
    say(said, text);
  };
  const actions = new Actions({api, live, tell, ask: (ask, below) => askBelow(below || place, ask)});
  const journals = element('div');
  let shown = null;
  const open = name => {
    if (shown) shown();
    shown = journal(journals, {api, live, name});
  };
  const box = element('div');
  node.append(box, place, said, journals);
  const view = new Sidebar(box, {live, open, act: (...given) => actions.act(...given)});
  return () => {
    if (shown) shown();
    view.dispose();
  };
}

function journal(node, {api, live, name}) {
  const where = () => ({zone: live.model.deployments.get(name)?.zone, now: live.marketNow()});
  const view = new Journal({api, name, where});
  node.replaceChildren(element('h3', {}, `Journal of ${name}`), view.node);
  const unlisten = live.listen(event => event.changed.has(name) && view.changed());
  view.changed();
  return () => {
    unlisten();
    view.dispose();
  };
}

function exposure(node, {live}) {
  const view = new Exposure({isOpen: true});
  const said = element('p', {class: 'wb-small'});
  node.append(view.node, said);
  return live.listen(event => {
    if (event.kind === 'news') view.show(live.model.exposure);
    const {colour, text} = headline(live);
    say(said, live.isStale ? `${MARKS[colour]} ${text}` : '');
    agesIn(node, live.marketNow());
  });
}

const VIEWS = {deployments, journal, exposure};

/* Show `what` (deployments, journal, exposure) in a node, until the function that is given back is called.
 * `name` is that of a deployment; `kernel` is whose output it is, which nothing here depends on. */
export function mount(what, node, {baseUrl, name}) {
  if (!VIEWS[what]) throw new Error(`there is no view ${what}; there are ${Object.keys(VIEWS).join(', ')}`);
  style();
  const {api, stream} = apiOfPage(baseUrl);
  const {live, release} = acquire(stream);
  const root = element('div', {class: 'wb wb-mounted'});
  node.append(root);
  const end = VIEWS[what](root, {api, live, name});
  return () => {
    end();
    root.remove();
    release();
  };
}
