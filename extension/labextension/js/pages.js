/* A stretch of a journal, newest first: longer at the old end by pages, at the new end by what has happened since. */

import {named} from './api.js';

const PAGE = 100;
/* More rows are not kept at once: of a journal of a year only what is looked at. */
const MOST = 1000;
/* So many pages are fetched to catch up with the newest; after that the stretch begins anew. */
const MOST_BEHIND = 5;

export class Pages {
  constructor(api, name, {kind = '', contains = ''} = {}) {
    Object.assign(this, {api, name, filter: {kind, contains}, rows: [], hasOlder: true, isNewest: true});
  }

  async page(before) {
    const query = new URLSearchParams({limit: PAGE, ...(before ? {before} : {})});
    for (const [name, value] of Object.entries(this.filter)) if (value) query.set(name, value);
    return this.api(`${named(this.name)}/journal?${query}`);
  }

  async newest() {
    this.rows = await this.page();
    this.hasOlder = this.rows.length === PAGE;
    this.isNewest = true;
  }

  async older() {
    const found = await this.page(this.rows.at(-1).seq);
    this.hasOlder = found.length === PAGE;
    this.rows.push(...found);
    if (this.rows.length > MOST) {
      this.rows = this.rows.slice(-MOST);
      this.isNewest = false;
    }
  }

  /* Fetch what is newer than what is there; only while the newest is shown. */
  async catchUp() {
    if (!this.isNewest) return;
    if (!this.rows.length) return this.newest();
    const top = this.rows[0].seq;
    const found = [];
    for (let pages = 0; pages < MOST_BEHIND; pages += 1) {
      const page = await this.page(found.at(-1)?.seq);
      const newer = page.filter(row => row.seq > top);
      found.push(...newer);
      if (newer.length < PAGE) {
        this.rows = [...found, ...this.rows];
        return this.trim();
      }
    }
    this.rows = found;
    this.hasOlder = true;
  }

  trim() {
    if (this.rows.length <= MOST) return;
    this.rows = this.rows.slice(0, MOST);
    this.hasOlder = true;
  }
}
