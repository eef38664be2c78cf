"""authorized_keys and known_hosts: which keys sshd and ssh read in them, and what adding keys changes."""

import pytest
from random_hosts import ADDRESS
from random_hosts import known as random_hosts
from random_keys import authorized as random_keys

from tasks.virtualization.node_keys.key_options import effective
from tasks.virtualization.node_keys.known_hosts import known, missing_hosts
from tasks.virtualization.node_keys.ssh_keys import authorized, missing_keys, with_lines

KEYS = ("ssh-rsa AAAASimon+/1= root@simon", "ssh-ed25519 AAAANew root@new")
HOSTS = (f"{ADDRESS} ssh-ed25519 AAAASimon", f"{ADDRESS} ssh-rsa AAAATheodore")


@pytest.mark.parametrize("seed", range(200))
def test_random_keys_are_read_as_sshd_reads_them(seed: int) -> None:
    text, made = random_keys(seed)
    assert [(key.kind, key.text, key.options) for key in authorized(text)] == [(one.kind, one.text, one.options) for one in made]


@pytest.mark.parametrize("seed", range(200))
def test_keys_are_added_once_and_nothing_else_changes(seed: int) -> None:
    text, made = random_keys(seed)
    missing = missing_keys(text, KEYS)
    has = any((one.kind, one.text) == ("ssh-rsa", "AAAASimon+/1=") and "cert-authority" not in one.options for one in made)
    assert missing == KEYS[has:]
    added = with_lines(text, missing)
    assert added.startswith(text)
    assert added.removeprefix(text).lstrip("\n") == "".join(f"{line}\n" for line in missing)
    assert [*authorized(added)] == [*authorized(text), *authorized("\n".join(missing))]
    assert missing_keys(added, KEYS) == ()


@pytest.mark.parametrize("seed", range(200))
def test_random_hosts_are_known_as_ssh_knows_them(seed: int) -> None:
    text, made = random_hosts(seed)
    assert [(marker, key.kind, key.text) for marker, key in known(text, ADDRESS)] == made


@pytest.mark.parametrize("seed", range(200))
def test_hosts_are_added_once_and_nothing_else_changes(seed: int) -> None:
    text, made = random_hosts(seed)
    missing = missing_hosts(text, HOSTS)
    assert missing == tuple(line for line in HOSTS if ("", *line.split()[1:]) not in made)
    added = with_lines(text, missing)
    assert added.startswith(text)
    assert added.removeprefix(text).lstrip("\n") == "".join(f"{line}\n" for line in missing)
    assert missing_hosts(added, HOSTS) == ()


@pytest.mark.parametrize(
    ("options", "effect"),
    [
        ("restrict,pty", {"restrict", "pty"}),
        ("pty,restrict", {"restrict"}),
        ("no-pty,PTY", set()),
        ('environment="A=1",environment="A=2",environment="B=3"', {'environment="A=1"', 'environment="B=3"'}),
        ('tunnel="1",tunnel="ANY"', {'tunnel="any"'}),
        ('expiry-time="20400101UTC",expiry-time="20390101120000Z"', {'expiry-time="20390101120000Z"'}),
        ('permitlisten="80",PermitOpen="a:*"', {'permitlisten="*:80"', 'permitopen="a:*"'}),
    ],
)
def test_options_have_one_form(options: str, effect: set[str]) -> None:
    assert effective(options) == effect
