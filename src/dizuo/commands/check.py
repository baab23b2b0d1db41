"""`dizuo check`: every error of every city at once, with file, line, column, a caret and a fix."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import msgspec

from dizuo.engines.cases import run_examples
from dizuo.foundation.blueprint import City, Finding, Report, check_city, load_examples
from dizuo.foundation.blueprint.model import Place
from dizuo.foundation.policy import Policy, PolicyInvalid


def run(arguments: argparse.Namespace) -> int:
    """Check each folder; 0 when all are sound, 1 when any has an error. Warnings do not fail."""
    failed = False
    for folder in arguments.cities:
        started = time.monotonic()
        report = check_city(folder)
        findings = report.findings
        if report.city is not None:
            findings = (*findings, *_policy_findings(report.city))
        if report.city is not None and not arguments.no_examples:
            findings = (*findings, *run_examples(report.city, load_examples(folder)))
        failed |= any(finding.severity == "error" for finding in findings)
        if arguments.json:
            for finding in findings:
                print(msgspec.json.encode(finding).decode())
        else:
            _tell(folder, report, findings, time.monotonic() - started)
    return 1 if failed else 0


def _policy_findings(city: City) -> tuple[Finding, ...]:
    """What keeps the policy that the declarations give from being valid: the city would not start with it."""
    try:
        Policy.from_city(city)
    except PolicyInvalid as error:
        return (
            Finding(code=error.code, place=Place("city.yaml", 1, 1), message=error.message, fix=error.fix),
        )
    return ()


def _tell(folder: Path, report: Report, findings: tuple[Finding, ...], seconds: float) -> None:
    colour = sys.stdout.isatty()
    for finding in findings:
        print(finding.render(colour=colour), end="\n\n")
    errors = sum(finding.severity == "error" for finding in findings)
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(report.counts.items()))
    print(f"{folder}: {errors} errors, {len(findings) - errors} warnings in {seconds:.1f} s ({counts})")
