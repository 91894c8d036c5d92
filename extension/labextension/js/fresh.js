/* Something of the server that is asked for again when it may have changed: never twice at once, and not too often. */

export class Fresh {
  /* `load()` asks, `show(found)` and `fail(error)` are told; nothing is told after the end. */
  constructor(load, show, fail, leastMs = 1000) {
    Object.assign(this, {load, show, fail, leastMs, isWanted: false, isBusy: false, isOver: false});
  }

  ask() {
    this.isWanted = true;
    if (!this.isBusy && !this.isOver) this.run();
  }

  async run() {
    this.isBusy = true;
    while (this.isWanted && !this.isOver) {
      this.isWanted = false;
      try {
        const found = await this.load();
        if (!this.isOver) this.show(found);
      } catch (error) {
        if (!this.isOver) this.fail(error);
      }
      await new Promise(done => {
        this.timer = setTimeout(done, this.leastMs);
      });
    }
    this.isBusy = false;
  }

  dispose() {
    this.isOver = true;
    clearTimeout(this.timer);
  }
}
