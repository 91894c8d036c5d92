/* Charts by JupyterLab's own renderer of Vega-Lite. A new one is drawn behind the old one and then takes its place. */

const MIMETYPE = 'application/vnd.vegalite.v5+json';

/* What draws a spec into a node; null where this page renders no Vega-Lite. */
export function chartsOf(page, rendermime) {
  const {Widget} = page['@lumino/widgets'];
  if (!rendermime || !rendermime.mimeTypes.includes(MIMETYPE)) return null;

  return node => {
    let shown = null;
    const end = one => {
      if (!one || one.isDisposed) return;
      if (one.isAttached) Widget.detach(one);
      one.dispose();
    };
    return {
      async draw(spec) {
        const next = rendermime.createRenderer(MIMETYPE);
        next.addClass('wb-chart-next');
        Widget.attach(next, node);
        const options = {embed_options: {actions: false, renderer: 'svg', tooltip: {theme: 'dark'}}};
        const model = rendermime.createModel({data: {[MIMETYPE]: spec}, metadata: {[MIMETYPE]: options}, trusted: true});
        await next.renderModel(model);
        if (!node.isConnected) return end(next);
        next.removeClass('wb-chart-next');
        end(shown);
        shown = next;
      },
      dispose() {
        end(shown);
      },
    };
  };
}
