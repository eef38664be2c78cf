"""Judge the whole site by every check, in parallel, changing nothing."""

from tasks.checks.catalog import CATALOG
from tasks.core.cli.command_line import main
from tasks.core.engine.runbook import Runbook, Stage

RUNBOOK = Runbook(
    purpose="Judge the whole site by every check, in parallel, changing nothing.",
    stages=(Stage("audit", checks=CATALOG),),
)

if __name__ == "__main__":
    raise SystemExit(main(RUNBOOK))
