"""No secret is shown: one is planted in each configuration language, and looked for on every path out of a host or a run."""

import json
import time

import pytest

from tasks.core.agent.refusal import Refused
from tasks.core.agent.secrets import redact
from tasks.core.engine.record import planned
from tasks.core.model.change import ChangeSet, Difference
from tasks.core.model.operation import FileWrite, TimedTransaction
from tasks.core.model.plan import SetPlan, TargetPlan
from tasks.platforms.frr.files import FRR_CONF
from tasks.platforms.frr.impact import frr_impact
from tasks.platforms.ifupdown2.files import INTERFACES

SECRET = "hush-hush"
WIREGUARD = "aHVzaC1odXNoLWh1c2gtaHVzaC1odXNoLWh1c2gtMTI="
# The text that is kept, and the text that follows the secret.
FRR = (
    (" ip ospf message-digest-key 1 md5 ", SECRET),
    (" ip  ospf\tmessage-digest-key  1  md5\t", SECRET),
    (" ip ospf authentication-key ", f"{SECRET} 10.0.0.1"),
    (" ip ospf  authentication-key\t", SECRET),
    ("password ", SECRET),
    ("password 8 ", SECRET),
    ("enable password 8 ", SECRET),
    ("enable  password ", f"two {SECRET}"),
    ("username admin password ", SECRET),
    ("  key-string ", SECRET),
    ("  key-string\t", f"with blanks {SECRET}"),
    (" neighbor 10.0.0.1 password ", SECRET),
    (" neighbor  10.0.0.1  password\t", SECRET),
    (" neighbor FABRIC password ", f"{SECRET} and more {SECRET}"),
    (" openfabric password md5 ", SECRET),
    (" isis password clear ", SECRET),
    (" isis password md5 ", SECRET),
    (" domain-password clear ", f"{SECRET} authenticate snp validate"),
    (" area-password md5 ", SECRET),
    (" ip rip authentication string ", SECRET),
    (" ip nhrp authentication ", SECRET),
    (" ipv6 ospf6 authentication key-id 1 hash-algo hmac-sha-256 key ", SECRET),
    (" area 0.0.0.1 virtual-link 10.0.0.1 authentication-key ", SECRET),
    (" area 0.0.0.1 virtual-link 10.0.0.1 message-digest-key 7 md5 ", SECRET),
    ("  tcp-md5-auth ", SECRET),
    ("snmp-server community ", f"{SECRET} ro"),
    ("rocommunity ", SECRET),
    (" no neighbor 10.0.0.1 password ", SECRET),
)
IFUPDOWN2 = (
    ("\twpa-psk ", SECRET),
    ("\twpa-psk\t", f'"{SECRET} with blanks"'),
    ("    wpa_passphrase ", SECRET),
    ("\twireless-key ", SECRET),
    ("\twireless-key1  ", f"s:{SECRET}"),
    ("\twpa-wep-key0 ", SECRET),
    ("\twpa-private-key-passwd ", SECRET),
    ("\tpost-up iwconfig wlan0 key ", f"s:{SECRET}"),
    ("\tpre-up wpa_cli set_network 0 psk ", f"'\"{SECRET}\"'"),
    ("\tup curl --user admin:", f"{SECRET} https://10.0.0.1/"),
    ("\tup curl -u admin:", f"{SECRET} https://10.0.0.1/"),
    ("\tup curl -H 'Authorization: ", f"Bearer {SECRET}' https://10.0.0.1/"),
    ("\tup curl -H 'X-Api-Key: ", f"{SECRET}' https://10.0.0.1/"),
    ("\tpost-up wget --password=", f"{SECRET} https://10.0.0.1/"),
    ("\tpost-up wget --password ", f"{SECRET} https://10.0.0.1/"),
    ("\tpost-up env API_TOKEN=", f"{SECRET} /usr/local/bin/tell"),
    ("\tpost-up mount -t cifs -o user=me,password=", f"{SECRET} //10.0.0.1/a /mnt"),
    ("\tpost-up sshpass -p ", f"{SECRET} ssh 10.0.0.1"),
    ("\tpost-up ip macsec add macsec0 tx sa 0 pn 1 on key 01 ", SECRET),
    ("\tpost-up ip xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1 enc 'cbc(aes)' ", "0x6875736868757368687573686875736868"),
)
OTHERS = (
    ("PrivateKey = ", WIREGUARD),
    ("PresharedKey=", WIREGUARD),
    ("\tpost-up wg set wg0 peer X preshared-key ", SECRET),
    ("\tpost-up echo ", WIREGUARD),
    ('  "password": ', f'"{SECRET}"'),
    ("\tkey = ", "AQBodXNoLWh1c2gtaHVzaC1odXNoLWh1c2g1234=="),
)
PLANTED = [*FRR, *IFUPDOWN2, *OTHERS]
# As in a diff, a message of vtysh, a message of frr-reload.py, a finding, the error of a command.
AROUND = {
    "as it stands": ("", ""),
    "a line that comes": ("+", ""),
    "a line that goes": ("-", ""),
    "context": (" ", ""),
}
REPEATED = {
    "vtysh": ("line 7: % Unknown command: ", ""),
    "vtysh with a number": ("line 7: % Unknown command[4]: ", ""),
    "frr-reload": ("frr-reload.py: Failed to execute 'interface en05', '", "'"),
    "a finding": ("alvin:frr.conf interface en05 / ", ""),
    "a sentence": ("the impact of `", "` on en05 is unknown"),
}


def assert_hidden(before: str, kept: str, secret: str, after: str) -> None:
    shown = redact(f"{before}{kept}{secret}{after}\n")
    assert shown.startswith(f"{before}{kept}<removed>"), shown
    assert SECRET not in shown
    assert secret not in shown
    assert shown.endswith("\n")
    assert redact(shown) == shown


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize(("kept", "secret"), PLANTED, ids=[kept.strip() for kept, _ in PLANTED])
def test_a_secret_is_hidden_where_it_stands(kept: str, secret: str, around: tuple[str, str]) -> None:
    assert_hidden(around[0], kept, secret, around[1])


@pytest.mark.parametrize("around", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize(("kept", "secret"), FRR, ids=[kept.strip() for kept, _ in FRR])
def test_a_secret_is_hidden_where_a_tool_repeats_its_line(kept: str, secret: str, around: tuple[str, str]) -> None:
    assert_hidden(around[0], kept.lstrip(), secret, around[1])


def test_a_secret_is_hidden_in_the_command_that_failed() -> None:
    shown = redact(f"error: wlan0: cmd 'wpa_cli set_network 0 psk {SECRET}' failed: returned 255")
    assert shown == "error: wlan0: cmd 'wpa_cli set_network 0 psk <removed>"
    assert redact(f"cmd 'curl https://me:{SECRET}@10.0.0.1/x' failed") == "cmd 'curl https://me:<removed>@10.0.0.1/x' failed"


def test_a_secret_is_hidden_in_data_that_a_message_quotes() -> None:
    lines = ["iface wlan0", f"\twpa-psk\t{SECRET}", f"password {SECRET}"]
    assert redact(str(lines)) == "['iface wlan0', '\\twpa-psk\\t<removed>"
    assert redact(repr(ValueError(f"a\npassword\t{SECRET}"))) == "ValueError('a\\npassword\\t<removed>"
    assert redact(json.dumps({"text": f"a\n\tup\tcurl\t-u\tadmin:{SECRET}"})) == '{"text": "a\\n\\tup\\tcurl\\t-u\\tadmin:<removed>'


def test_a_secret_on_a_continued_line_is_hidden() -> None:
    assert redact(f"+\twpa-psk \\\n+\t\t{SECRET} \\\n+\t\tmore {SECRET}\n+\tmtu 1500\n") == (
        "+\twpa-psk <removed>\n+\t\t<removed>\n+\t\t<removed>\n+\tmtu 1500\n"
    )


def test_text_after_a_hidden_secret_stays_and_is_searched() -> None:
    assert redact("`neighbor X password <removed>`: keep it") == "`neighbor X password <removed>`: keep it"
    assert redact(f"`password <removed>`; `password {SECRET}`") == "`password <removed>`; `password <removed>"


@pytest.mark.parametrize("piece", ["password <removed> ", "key=<removed>", "a_", "iw key ", "up key 1 ", "a://b:", "$6$", "md5 1 ", "eyJ-"])
def test_a_long_line_is_redacted_in_a_moment(piece: str) -> None:
    """A host may send any text: the time and the depth grow with its length, and with nothing else."""
    began = time.process_time()
    assert len(redact(piece * 5000 + "key x")) < 100_000
    assert time.process_time() - began < 3


def test_a_private_key_is_hidden() -> None:
    text = f"+-----BEGIN OPENSSH PRIVATE KEY-----\n+{SECRET}\n+{SECRET}\n+-----END OPENSSH PRIVATE KEY-----\n+after\n"
    assert redact(text) == "+-----BEGIN OPENSSH PRIVATE KEY-----\n+<removed>\n+<removed>\n+-----END OPENSSH PRIVATE KEY-----\n+after\n"


@pytest.mark.parametrize(
    "line",
    [
        "+ ip ospf authentication message-digest\n",
        "+ area 0.0.0.0 authentication message-digest\n",
        "+ ip ospf authentication key-chain RING\n",
        "+key chain RING\n",
        "+ key 1\n",
        "alvin:frr.conf key chain RING / key 1\n",
        "+ ip rip authentication key-chain RING\n",
        "+bgp community-list standard C seq 5 permit 65001:1\n",
        "+ set community 65001:1 additive\n",
        "+\twpa-key-mgmt WPA-PSK\n",
        "+\twpa-ssid home\n",
        "+\tpost-up ethtool -K eno1 gro off\n",
        "+ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGh1c2gtaHVzaC1odXNoLWh1c2gtaHVzaC1odXNo root@alvin\n",
        "no neighbour uses the new OSPF parameters on en05 within 10 s: change both ends in one run\n",
        "its host key is not the one of known_hosts\n",
        "alvin: it asks for a password: give the login a key\n",
        "sudo: a password is required\n",
        "alvin:en05: wanted the same key, found another key id\n",
        "+ neighbor 10.0.0.1 remote-as 65001\n",
        "+\taddress 10.0.0.1/24\n",
    ],
)
def test_text_that_is_not_secret_is_shown(line: str) -> None:
    assert redact(line) == line


TEXTS = {
    FRR_CONF: "".join(f"{kept}{secret}\n" for kept, secret in FRR),
    INTERFACES: "iface wlan0 inet dhcp\n" + "".join(f"{kept}{secret}\n" for kept, secret in (*IFUPDOWN2, *OTHERS)),
}


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize("change", ["they come", "they go", "they stand beside it"])
def test_plan_and_record_show_no_secret(path: str, change: str) -> None:
    text = TEXTS[path]
    before, after = {"they come": ("", text), "they go": (text, "mtu 1500\n"), "they stand beside it": (text, f"{text}mtu 1500\n")}[change]
    transaction = TimedTransaction("test", files=(FileWrite(path, before, after),))
    plan = TargetPlan("alvin", "alvin", (Difference("text", before.splitlines(), after.splitlines()),), transaction, after)
    shown = plan.diff() + json.dumps(planned(SetPlan(ChangeSet("try", ()), (plan,))))
    assert "<removed>" in shown
    assert [secret for _, secret in PLANTED if secret in shown] == []
    assert SECRET not in shown


def test_refusals_and_impacts_show_no_secret() -> None:
    port = "router ospf\n ospf router-id 10.0.0.1\nexit\ninterface en05\n ip ospf area 0\n"
    printed = [str(Refused(f"line 1: % Unknown command: {kept.strip()} {secret}")) for kept, secret in FRR]
    printed += [line for kept, secret in FRR for line in frr_impact(f"{port}exit\n", f"{port}{kept}{secret}\nexit\n")]
    assert SECRET not in "".join(printed)


@pytest.mark.parametrize("part", ["x", "-", "a.", " ", "0xf", "key ", "/ ", "://a", "a_key"])
def test_time_grows_with_the_length_of_a_line_and_not_with_its_square(part: str) -> None:
    """The square of this length would take minutes."""
    begun = time.process_time()
    redact(part * (200_000 // len(part)))
    assert time.process_time() - begun < 5
