"""Run every check on the whole site, in parallel. Changes nothing."""

from tasks.checks.catalog import CATALOG
from tasks.core.cli.command_line import main
from tasks.core.engine.runbook import Runbook, Stage

RUNBOOK = Runbook(
    purpose="Run every check on the whole site, in parallel. Changes nothing.",
    stages=(Stage("audit", checks=CATALOG),),
)

if __name__ == "__main__":
    raise SystemExit(main(RUNBOOK))
