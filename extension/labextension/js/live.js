/* News of all deployments over one websocket: opened again when it ends, closed while nobody looks at the page.
 *
 * Whoever shows something listens, and is told of {kind: 'news' | 'tick' | 'link', changed: Set of names}. News that
 * are old are no news: `isStale` says so, and nothing may be shown as RUNNING then. */

import {emptyModel, merge} from './model.js';

/* The server says something at least every five seconds. */
export const STALE_S = 8;
const FIRST_WAIT_MS = 500;
const MOST_WAIT_MS = 10_000;

export class Live {
  constructor(url, {Socket = WebSocket, now = () => Date.now(), page = document} = {}) {
    Object.assign(this, {url, Socket, now, page});
    this.model = emptyModel();
    this.staleAfter = STALE_S;
    this.link = 'closed';
    this.heardAt = null; // of the last message, by our clock
    this.offset = 0; // the server's clock less ours
    this.wait = FIRST_WAIT_MS;
    this.retryAt = null;
    this.listeners = new Set();
    this.looked = () => (page.hidden ? this.close() : this.open());
    page.addEventListener('visibilitychange', this.looked);
    this.looked();
  }

  listen(listener) {
    this.listeners.add(listener);
    if (this.heardAt !== null) listener({kind: 'news', changed: new Set(this.model.deployments.keys())});
    return () => this.listeners.delete(listener);
  }

  /* Seconds since the last news; null when there never were any. */
  get quiet() {
    return this.heardAt === null ? null : (this.now() - this.heardAt) / 1000;
  }

  get isStale() {
    return this.quiet === null || this.quiet > this.staleAfter;
  }

  /* Now by the server's clock, so that ages are right where the reader's clock is not. */
  serverNow() {
    return this.now() + this.offset;
  }

  /* Now where the bars come from: a runner that replays stored bars has a time of its own. */
  marketNow() {
    const clock = this.model.health?.clock;
    return clock ? Date.parse(clock) : this.serverNow();
  }

  open() {
    if (this.socket || this.page.hidden) return;
    this.clock = this.clock || setInterval(() => this.tell({kind: 'tick', changed: new Set()}), 1000);
    clearTimeout(this.retry);
    this.retryAt = null;
    const socket = new this.Socket(this.url);
    this.socket = socket;
    this.become('connecting');
    socket.onopen = () => socket === this.socket && this.become('open');
    socket.onmessage = event => socket === this.socket && this.hear(event.data);
    socket.onclose = () => socket === this.socket && this.lost();
  }

  hear(text) {
    const message = JSON.parse(text);
    this.heardAt = this.now();
    this.offset = Date.parse(message.at) - this.heardAt;
    this.wait = FIRST_WAIT_MS;
    this.tell({kind: 'news', changed: merge(this.model, message)});
  }

  lost() {
    this.socket = null;
    this.retryAt = this.now() + this.wait;
    this.retry = setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(2 * this.wait, MOST_WAIT_MS);
    this.become('closed');
  }

  close() {
    clearInterval(this.clock);
    clearTimeout(this.retry);
    this.clock = null;
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close();
    this.become('closed');
  }

  become(link) {
    this.link = link;
    this.tell({kind: 'link', changed: new Set()});
  }

  tell(event) {
    for (const listener of [...this.listeners]) listener(event);
  }

  dispose() {
    this.listeners.clear();
    this.page.removeEventListener('visibilitychange', this.looked);
    this.close();
  }
}

const open = new Map();

/* The connection of this page to a stream: one for all who ask, ended when the last has let go of it. */
export function acquire(url) {
  const entry = open.get(url) || {live: new Live(url), users: 0};
  open.set(url, entry);
  entry.users += 1;
  let holds = true;
  const release = () => {
    if (!holds) return;
    holds = false;
    entry.users -= 1;
    if (entry.users > 0) return;
    open.delete(url);
    entry.live.dispose();
  };
  return {live: entry.live, release};
}
