"""The confusion matrix of the promotion: python -m tests.promotion prints it, and ends with 1 if anything is wrong."""

from __future__ import annotations

import sys
from collections import Counter

from tests.promotion.cases import DEFECTS, SOUND
from tests.promotion.functions import DEFECTIVE_FUNCTIONS, SOUND_FUNCTIONS
from tests.promotion.judging import judged
from workbench.promotion.stages import STAGES

PASSED = "passed"


def main() -> int:
    """Judge every case and print who was caught where."""
    found: Counter[tuple[str, str]] = Counter()
    wrong = []
    sound, defects = {**SOUND, **SOUND_FUNCTIONS}, {**DEFECTS, **DEFECTIVE_FUNCTIONS}
    for name, planted in [*sound.items(), *defects.items()]:
        caught, words = judged(planted)
        meant = planted.stage or PASSED
        found[meant, caught or PASSED] += 1
        if caught != planted.stage:
            wrong.append(f"{name}: meant {meant}, found {caught or PASSED}: {words}")
        print(f"{'.' if caught == planted.stage else 'X'}", end="", flush=True)
    print("\n")
    columns = [one.name for one in STAGES] + [PASSED]
    print("| meant \\ found | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for meant in columns:
        counts = [str(found[meant, one] or "") for one in columns]
        if any(counts):
            print(f"| {meant} | " + " | ".join(counts) + " |")
    print(f"\n{len(sound)} sound strategies, {len(defects)} planted defects, {len(wrong)} judged wrongly")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
