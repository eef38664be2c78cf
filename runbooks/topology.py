"""Draw the cables of the inventory against what LLDP, LACP and OSPF report."""

from tasks.core.cli.survey import Survey, main
from tasks.topology.view import FORMATS, NEEDS, view

TOPOLOGY = Survey(
    purpose="Draw the cables of the inventory against what LLDP, LACP and OSPF report.",
    needs=NEEDS,
    view=view,
    formats=FORMATS,
    output="topology.html",
)

if __name__ == "__main__":
    raise SystemExit(main(TOPOLOGY))
