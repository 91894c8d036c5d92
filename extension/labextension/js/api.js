/* Questions to the server: below its base URL, with its cookies and its XSRF header. */

export const named = name => `deployments/${encodeURIComponent(name)}`;

const MESSAGES = {403: 'you are not logged in any more, or may not do this: load the page again'};

/* The answer to a request; what went wrong is an Error with the server's words. */
async function answerOf(asked) {
  let response;
  try {
    response = await asked;
  } catch {
    throw new Error('the server does not answer');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message || MESSAGES[response.status] || `the server answers ${response.status}`);
  return answer;
}

/* Asked again every time; JupyterLab puts a number behind an address that may not be cached at all. */
const initOf = body => ({cache: 'no-cache', ...(body === undefined ? {} : {method: 'POST', body: JSON.stringify(body)})});

/* In JupyterLab, by its own connection. */
export function apiOfLab(page) {
  const {URLExt} = page['@jupyterlab/coreutils'];
  const {ServerConnection} = page['@jupyterlab/services'];
  const settings = ServerConnection.makeSettings();
  const token = settings.appendToken && settings.token ? `?token=${encodeURIComponent(settings.token)}` : '';
  return {
    stream: `${URLExt.join(settings.wsUrl, 'workbench/api/stream')}${token}`,
    api: (path, body) => answerOf(ServerConnection.makeRequest(
      URLExt.join(settings.baseUrl, 'workbench/api/') + path, initOf(body), settings)),
  };
}

const cookie = name => document.cookie.split('; ').find(one => one.startsWith(`${name}=`))?.slice(name.length + 1) || '';

/* Anywhere in a page of the server, such as an output of a notebook. */
export function apiOfPage(baseUrl) {
  const base = new URL(`${baseUrl.replace(/\/*$/, '/')}workbench/api/`, document.baseURI);
  const stream = new URL('stream', base);
  stream.protocol = stream.protocol.replace('http', 'ws');
  return {
    stream: stream.href,
    api: (path, body) => answerOf(fetch(base.href + path, {
      ...initOf(body), credentials: 'same-origin',
      headers: {'Content-Type': 'application/json', 'X-XSRFToken': cookie('_xsrf')},
    })),
  };
}
