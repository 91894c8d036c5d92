"""The kill switch between two turns of the runner: commands that change its file, and journals that follow it.

Whoever changed the file, by a command, by a client while the database was locked, or by hand: the journal of every
deployment says once that it was killed, and once that it was armed again.
"""

from __future__ import annotations

from workbench.live.asking import Answer, Asked, Verb
from workbench.live.killswitch import Kill, KillSwitch
from workbench.live.page import Page
from workbench.live.runner import Runner
from workbench.live.standing import Standing, Status
from workbench.live.stopping import kept_of, write_down
from workbench.live.words import counted

#: In ``Standing.counts``: when the kill was made of which the journal was told last; 0 when it is armed.
TOLD_KILL = "killed_ns"


class Switching:
    """The kill switch of one runner's deployments.

    Parameters
    ----------
    runner : Runner
        It holds the lease.
    switch : KillSwitch
        Its gates ask the same file.
    """

    def __init__(self, runner: Runner, switch: KillSwitch) -> None:
        self._runner, self._switch = runner, switch

    def follow(self, now_ns: int) -> None:
        """Tell the journals what the switch says, when somebody changed it without a command.

        Raises
        ------
        Fenced, RetryableError
            As for every transaction of the holder of the lease.
        """
        page = Page()
        self._tell_journals(page, now_ns, None)
        if not page.empty:
            with self._runner.lease.fenced() as connection:
                page.write(connection)

    def obey(self, page: Page, one: Asked, name: str, now_ns: int) -> Answer:
        """Do what KILL or ARM says, to everything of its owner or to one deployment.

        Raises
        ------
        HaltError, RetryableError
            The flag cannot be written.
        """
        if one.verb == Verb.ARM.value:
            return self._arm(page, one, name, now_ns)
        kill = self._switch.kill(Kill(one.owner, name, one.who, one.why, one.created_ns))
        self._tell_journals(page, now_ns, one)
        stopped = [one_of for one_of in self._of(one.owner) if name in ("", one_of.deployed.given.name)]
        number = counted(len(stopped), "deployment")
        return Answer(
            True,
            f"killed {kill.words()}. No evaluation and no entry in {number} until it is armed. "
            f"Protective orders and the forced flatten stay, positions are not closed: {_held(stopped)}.",
        )

    def kill_of(self, standing: Standing) -> Kill | None:
        """What kills a deployment; None if nothing does."""
        given = standing.deployed.given
        return next((kill for kill in self._switch.kills() if kill.stops(given.owner, given.name)), None)

    def _arm(self, page: Page, one: Asked, name: str, now_ns: int) -> Answer:
        if not one.why:
            return Answer(False, "arming needs a reason: --why TEXT, why=.... The kill switch stays as it is.")
        lifted = self._switch.arm(one.owner, name, one.created_ns)
        self._tell_journals(page, now_ns, one)
        left = [kill for kill in self._switch.kills() if kill.owner in ("", one.owner)]
        still = f" Still killed: {'; '.join(kill.words() for kill in left)}." if left else ""
        what = name or f"everything of {one.owner}"
        if lifted:
            return Answer(True, f"armed {what}: what runs is evaluated again.{still}")
        if any((kill.owner, kill.name) == (one.owner, name) for kill in left):
            return Answer(False, f"{what} was killed again after this was asked; nothing was armed.{still}")
        everybody = any(not kill.owner for kill in left)
        by_hand = f" Remove {self._switch.path} by hand: it stops everybody." if everybody else ""
        return Answer(not everybody, f"nothing was killed under {what}.{still}{by_hand}")

    def _tell_journals(self, page: Page, now_ns: int, one: Asked | None) -> None:
        for standing in self._runner.standings.values():
            if standing.status is Status.STOPPED:
                continue
            kill, told = self.kill_of(standing), standing.counts.get(TOLD_KILL, 0)
            now_told = max(kill.when_ns, 1) if kill else 0
            if now_told == told:
                continue
            standing.counts[TOLD_KILL] = now_told
            if kill:
                scope = "deployment" if kill.name else "owner" if kill.owner else "everybody"
                body = {"who": kill.who, "why": kill.why, "when_ns": kill.when_ns, "scope": scope}
                write_down(page, standing, now_ns, "KILLED", {**body, "kept": kept_of(standing).plain()})
            else:
                by = one.by() if one else {"who": "", "why": "the flag of the kill switch is gone"}
                write_down(page, standing, now_ns, "CONFIG_CHANGED", {**by, "kill_switch": "armed"})

    def _of(self, owner: str) -> list[Standing]:
        every = self._runner.standings.values()
        return [one for one in every if one.deployed.given.owner == owner and one.status is not Status.STOPPED]


def _held(standings: list[Standing]) -> str:
    words = [f"{one.deployed.given.name} {kept.words()}" for one in standings if (kept := kept_of(one)).holdings]
    return "; ".join(words) or "none is held"
