"""The findings in words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from ml_backend.demo.findings import Findings
from ml_backend.demo.label_studio_process import Account
from ml_backend.demo.scenario import Scenario
from ml_backend.demo.subjects import Truth

SHOWN = 3
WIDTH = 96


def project_summary(scenario: Scenario, found: Findings, label_studio: str, lantern: str) -> str:
    """Several lines on one project. label_studio, lantern: base addresses."""
    subject, truths = scenario.subject, scenario.truths
    earlier = f", {found.labels - scenario.given} of them in earlier runs" if scenario.given < found.labels else ""
    others = found.tasks - found.labels
    lines = [
        f"== {subject.title}: {label_studio}/projects/{scenario.made.project}/data",
        f"   the map           {lantern}/map/{scenario.made.project}",
        f"   {found.tasks:,} tasks ({subject.note})",
        f"   labels given      {found.labels} by Lantern's queue{earlier}",
        f"   now predicted     {found.predicted:,} of the other {others:,} tasks, "
        f"as {found.model_version}",
        f"   accuracy          {found.accuracy} against the withheld truth{_without(subject.group)}",
        f"                     {found.sure} where Lantern is sure (confidence 0.8 or more)",
        f"   without a label   {others - found.predicted:,}, never seen or not reached by any label yet",
        f"   never seen        {len(found.outliers)} outliers found by novelty: Lantern abstains there"
        + (f"; {found.right_outliers} of the {found.true_outliers} planted ones" if found.true_outliers else ""),
        *_examples(found.outliers[:SHOWN], truths),
        f"   unlabelled groups {found.grouped:,} tasks found by evidence, in {len(found.groups)} groups with no label, "
        "or too few" + _of_the_group(subject.group, found),
        *(
            f"     {group.size:>4} like task {group.example}: {_cut(truths[group.example].shown)}"
            for group in found.groups[:SHOWN]
        ),
        "   label next, in the tab \"Label next\"",
        *(
            f"     {asked.score:.4f}  task {asked.task}: {_cut(truths[asked.task].shown)}\n             {asked.reason}"
            for asked in found.next
        ),
    ]  # fmt: skip
    return "\n".join(lines)


def addresses(label_studio: str, lantern: str, account: Account, home: Path) -> str:
    """Where to look, how to get in, and how a project of one's own comes in. home: the data folder of this Lantern."""
    return "\n".join(
        [
            "== Addresses",
            f"   Label Studio      {label_studio}   log in as {account.email}, password {account.password}",
            f"   Lantern           {lantern}   /status, /metrics, /health",
            f"   On a map, sign in with your token: {label_studio}/user/account, Legacy Token",
            "   A project of your own in this Label Studio:",
            f"     .venv/bin/lantern connect --home {shlex.quote(str(home))} --backend-url {lantern} \\",
            f"       --url {label_studio} --token TOKEN --project NUMBER --map",
        ]
    )


def _without(group: str) -> str:
    return f" (without {group}, which nobody has labelled)" if group else ""


def _of_the_group(group: str, found: Findings) -> str:
    return f"; {found.right_grouped} of the {found.true_grouped} of {group}" if group else ""


def _examples(tasks: tuple[int, ...], truths: Mapping[int, Truth]) -> list[str]:
    return [f"          task {task}: {_cut(truths[task].shown)}" for task in tasks]


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 4] + ' ..."'
