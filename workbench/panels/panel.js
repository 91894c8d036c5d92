/* A panel of the server, live in an output; where there is no server, the table that the kernel read for the cell.
 * All text is set as text. */

const element = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};

function tableOf(model) {
  const table = element('table');
  table.append(element('caption', model.get('title')));
  const head = table.createTHead().insertRow();
  model.get('columns').forEach((name, at) => {
    const cell = element('th', name, model.get('numbers').includes(at) ? 'wbn-number' : '');
    cell.scope = 'col';
    head.append(cell);
  });
  const body = table.createTBody();
  for (const row of model.get('rows')) {
    const line = body.insertRow();
    row.forEach((text, at) => line.append(element('td', text, model.get('numbers').includes(at) ? 'wbn-number' : '')));
  }
  return table;
}

const notLive = (model, why) => `${why}; shown is ${model.get('at')}`;

/* What the server does not know although the kernel does, in words; empty when both may look at one database. */
export function otherDatabase(known, names, database) {
  const missing = names.filter(name => !known.has(name));
  if (missing.length === 0) return '';
  return `not live here: the server watches another database or another owner than this kernel does (${database}), for it ` +
    `knows no ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}`;
}

export default {
  async render({model, el}) {
    const note = element('p', '', 'wbn-note');
    const host = element('div', undefined, 'wbn-host');
    note.setAttribute('role', 'status');
    el.classList.add('wbn');
    el.append(note, host);
    const held = [];
    let isClosed = false;
    const close = () => {
      isClosed = true;
      while (held.length) held.pop()();
    };
    const still = why => {
      close();
      note.textContent = notLive(model, why);
      host.replaceChildren(model.get('rows').length ? tableOf(model) : element('p', model.get('empty')));
    };
    const server = serverOf();
    if (!server) {
      still('not live here');
      return close;
    }
    held.push(whenKernelGoes(model, () => still('not live any more, for the kernel has stopped: run the cell again')));
    try {
      const [{mount}, {acquire}, {apiOfPage}] = await Promise.all(
        ['notebook.js', 'live.js', 'api.js'].map(name => server.load(name)));
      if (isClosed) return close;
      held.push(mount(model.get('what'), host, {baseUrl: server.baseUrl, name: model.get('name')}));
      const {live, release} = acquire(apiOfPage(server.baseUrl).stream);
      held.push(release);
      // Once is enough: what is removed later was there when the cell ran.
      let isCompared = false;
      held.push(live.listen(({kind}) => {
        if (kind !== 'news' || isCompared) return;
        isCompared = true;
        const why = otherDatabase(live.model.deployments, model.get('names'), model.get('database'));
        if (why) still(why);
      }));
    } catch (error) {
      if (!isClosed) still(`not live here, for the server shows no panels (${error.message})`);
    }
    return close;
  },
};
