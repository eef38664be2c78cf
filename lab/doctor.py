"""Reports whether this machine meets the lab's needs, and what lab machines do not have."""

import click

from lab.absent import ABSENT
from lab.folders import Folders
from lab.needs import examine


def report(folders: Folders) -> bool:
    """Print the report. Returns whether `up` can work here."""
    missing = 0
    for need in examine(folders):
        missing += not need.good
        click.echo(f"{'ok     ' if need.good else 'MISSING'}  {need.name}: {need.found}")
        if not need.good:
            click.echo(f"         do: {need.remedy}")
    click.echo("\nA lab machine does not have:")
    for absence in ABSENT:
        click.echo(f"  - {absence.what}\n    instead: {absence.instead}")
    click.echo("\nThe lab can run here." if not missing else f"\nThe lab cannot run here yet: {missing} missing.")
    return not missing
