"""A verdict as JUnit XML, which build servers read: a suite a stage, a case a check."""

from __future__ import annotations

import os
import pathlib
import re
from xml.etree import ElementTree as ET

from workbench.market.home import write_atomically
from workbench.promotion.verdict import StageVerdict, Verdict

#: What XML 1.0 cannot hold.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(verdict: Verdict, path: str | os.PathLike[str]) -> None:
    """Write a verdict as JUnit XML."""
    root = ET.Element("testsuites", name=_clean(verdict.strategy))
    for one in verdict.stages:
        root.append(_suite(one))
    ET.indent(root)
    content = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    write_atomically(pathlib.Path(path).expanduser().absolute(), content)


def _suite(one: StageVerdict) -> ET.Element:
    counts = {"tests": len(one.checks) or 1, "failures": len(one.failed), "errors": int(bool(one.error))}
    suite = ET.Element("testsuite", {"name": one.name, "time": f"{one.seconds:.3f}"})
    for name, count in counts.items():
        suite.set(name, str(count))
    for check in one.checks:
        case = ET.SubElement(suite, "testcase", classname=one.name, name=check.name)
        if not check.passed:
            failure = ET.SubElement(case, "failure", message=_clean(check.words))
            failure.text = _clean(check.advice)
    if one.error or not one.checks:
        case = ET.SubElement(suite, "testcase", classname=one.name, name="stage")
        ET.SubElement(case, "error", message=_clean(one.error or "nothing was asked"))
    return suite


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
