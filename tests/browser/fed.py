"""Views fed by hand: no server says what they show."""

from __future__ import annotations

#: A sidebar and a status bar of their own, fed by hand through a socket of their own, by a clock of their own.
FED = """
    const {Live} = await load('live.js');
    const {Sidebar} = await load('sidebar.js');
    const {StatusBar} = await load('statusbar.js');
    class Socket {
        constructor() { Socket.all.push(this); }
        close() { this.onclose?.(); }
    }
    Socket.all = [];
    const clock = {now: Date.parse(given.message.at)};
    const live = new Live('ws://nowhere', {Socket, now: () => clock.now});
    const hosts = [document.createElement('div'), document.createElement('div')];
    document.body.append(...hosts);
    const hands = {live, act() {}, open() {}, kill() {}};
    const views = [new Sidebar(hosts[0], hands), new StatusBar(hosts[1], hands)];
    const feed = message => Socket.all.at(-1).onmessage({data: JSON.stringify(message)});
    const texts = () => hosts.map(one => one.textContent);
    const end = () => { views.forEach(one => one.dispose()); live.dispose(); hosts.forEach(one => one.remove()); };
    Socket.all[0].onopen();
    feed(given.message);
"""


def message(**changes: object) -> dict[str, object]:
    """A first message of the stream: one deployment that runs and holds something."""
    held = {
        "instrument": "A", "qty": 10.0, "entry_price": 100.0, "mark": 101.0, "stop": 95.0, "target": None,
        "unrealised_pnl": 10.0, "protected_by": "the broker",
    }  # fmt: skip
    one = {
        "name": "dip", "strategy": "dip", "version": "1.0.0", "mode": "paper", "status": "RUNNING",
        "runtime_state": "IN_POSITION", "is_evaluated": True, "hindrance": "", "stale": "", "position": "10 A",
        "equity": 100_010.0, "pnl": 10.0, "unrealised_pnl": 10.0, "last_evaluation": "2026-11-20T10:15:00Z",
        "decision": "EXIT_FALSE", "reason": "", "heartbeat": "2026-11-20T10:15:00Z", "seq": 7,
        "next_evaluation": "2026-11-20T10:30:42Z", "warm_up": "", "holdings": [held],
    }  # fmt: skip
    hosting = {"state": "RUNNING", "pid": 7, "attempt": 1, "since": "2026-11-20T09:00:00Z", "said": ""}
    health = {
        "hosting": hosting, "database": "", "runner": "here pid 7", "kills": [], "deployments": 1, "evaluated": 1,
        "waiting": [], "errors": [], "stale": [], "next_evaluation": "2026-11-20T10:30:42Z",
    }  # fmt: skip
    exposure = [{"instrument": "A", "qty": 10.0, "notional": 1_010.0, "deployments": ["dip"]}]
    first = {"kind": "all", "at": "2026-11-20T10:30:00Z", "health": health, "deployments": [one], "exposure": exposure}
    for name, value in changes.items():
        (health if name in health else hosting if name in hosting else one)[name] = value
    return first
