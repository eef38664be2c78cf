"""Plain Nornir on the lab: read by NAPALM, then apply one change of the suite: python docs/examples/plain_nornir.py vault."""

import sys

from message_of_the_day.change import MessageOfTheDay
from message_of_the_day.checks import message_names_the_host
from nornir import InitNornir
from nornir.core import Nornir
from nornir_napalm.plugins.tasks import napalm_get
from nornir_utils.plugins.functions import print_result

from tasks.core.engine.one_change import apply_change


def main(nornir: Nornir, host: str) -> None:
    """Print a host's NAPALM facts, then apply the message of the day."""
    print_result(nornir.filter(name=host).run(task=napalm_get, getters=["facts"]))
    outcome = apply_change(nornir, MessageOfTheDay(host), checks=(message_names_the_host,), watchers=(print,))
    print(outcome.state, *outcome.reasons)


if __name__ == "__main__":
    main(InitNornir(config_file="nornir_config.yaml"), sys.argv[1])
