/* The server that this page comes from, and when the kernel behind a widget is gone. */

/* Where JupyterLab keeps what its page must know; null in other pages, which have no such server. */
export function serverOf(page = document) {
  const node = page.getElementById('jupyter-config-data');
  if (!node) return null;
  const config = JSON.parse(node.textContent);
  const baseUrl = new URL(config.baseUrl || '/', page.baseURI).href.replace(/\/*$/, '/');
  const extensions = new URL(config.fullLabextensionsUrl || `${baseUrl}lab/extensions`, page.baseURI).href;
  return {baseUrl, load: name => import(`${extensions.replace(/\/*$/, '/')}workbench-lab/js/${name}`)};
}

const GONE = new Set(['restarting', 'autorestarting', 'terminating', 'dead']);

/* Call once when the kernel restarts, stops, or lets go of the widget; the function that stops listening. */
export function whenKernelGoes(model, call) {
  const kernel = model.widget_manager && model.widget_manager.kernel;
  const listens = () => {
    model.off('comm_live_update', went);
    if (!kernel) return;
    kernel.statusChanged.disconnect(looked);
    kernel.disposed.disconnect(went);
  };
  const went = () => {
    listens();
    call();
  };
  const looked = (_, status) => GONE.has(status) && went();
  model.on('comm_live_update', went);
  if (kernel) {
    kernel.statusChanged.connect(looked);
    kernel.disposed.connect(went);
  }
  return listens;
}
