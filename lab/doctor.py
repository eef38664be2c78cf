"""Says what this machine offers the lab, what is missing, and what the lab itself has not."""

import click

from lab.absent import ABSENT
from lab.folders import Folders
from lab.needs import examine


def report(folders: Folders) -> bool:
    """Print all of it; true when `up` can work here."""
    missing = 0
    for need in examine(folders):
        missing += not need.good
        click.echo(f"{'ok     ' if need.good else 'MISSING'}  {need.name}: {need.found}")
        if not need.good:
            click.echo(f"         do: {need.remedy}")
    click.echo("\nWhat a machine of the lab has not:")
    for absence in ABSENT:
        click.echo(f"  - {absence.what}\n    instead: {absence.instead}")
    click.echo("\nThe lab can run here." if not missing else f"\nThe lab cannot run here yet: {missing} missing.")
    return not missing
