/* Tells the kernel that a deployment changed, as the server's stream tells this page: one word at a time, so that a busy
 * kernel finds one word waiting and not hundreds. */

const say = (el, text) => {
  el.textContent = text;
};

export default {
  async render({model, el}) {
    el.classList.add('wbn-note');
    el.setAttribute('role', 'status');
    const held = [];
    let isClosed = false;
    const close = () => {
      isClosed = true;
      while (held.length) held.pop()();
    };
    const server = serverOf();
    if (!server) {
      say(el, `not live here; shown is ${model.get('at')}`);
      return close;
    }
    held.push(whenKernelGoes(model, () => {
      close();
      say(el, `not live any more, for the kernel has stopped; shown is ${model.get('at')}: run the cell again`);
    }));
    try {
      const [{acquire}, {apiOfPage}] = await Promise.all(['live.js', 'api.js'].map(name => server.load(name)));
      if (isClosed) return close;
      const {live, release} = acquire(apiOfPage(server.baseUrl).stream);
      held.push(release);
      const name = model.get('name');
      let seen = null;
      let isAwaited = false;
      const tell = () => {
        const one = live.model.deployments.get(name);
        if (isAwaited || isClosed || !one || one.seq === seen) return;
        seen = one.seq;
        isAwaited = true;
        model.send({seq: seen});
      };
      const answered = () => {
        isAwaited = false;
        tell();
      };
      model.on('msg:custom', answered);
      held.push(() => model.off('msg:custom', answered));
      held.push(live.listen(({kind}) => {
        if (kind !== 'news') return;
        say(el, live.model.deployments.has(name) ? '' : `the server knows no deployment ${name}: it watches another ` +
          `database or another owner than this kernel; shown is ${model.get('at')}`);
        tell();
      }));
    } catch (error) {
      if (!isClosed) say(el, `not live here, for the server shows no panels (${error.message}); shown is ${model.get('at')}`);
    }
    return close;
  },
};
