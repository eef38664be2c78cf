"""The open NAPALM device of a host: a vendor's driver connects only where it checks itself whom it talks to.

`ssh_strict` is netmiko's. PyEZ (Junos) and pyeapi (EOS) have each a switch of their own, and both are off by default: the login would go
to whoever answers. EOS' is among the inventory's connection options; Junos' cannot be set through NAPALM.
"""

import logging
import ssl
from typing import Any

from nornir.core.configuration import Config
from nornir.core.inventory import Host

from tasks.core.connectors.ssh import host_key_problem
from tasks.core.model.errors import LinkError

# They log what they raise; without a handler Python would print the traceback.
LIBRARIES = ("jnpr", "napalm", "ncclient", "netmiko", "paramiko", "pyeapi")
# Drivers whose errors already explain a rejected host key.
OURS = ("ifupdown2",)


def device(host: Host, config: Config) -> Any:
    """The open device. Raises LinkError where the driver does not connect, with the reason if that is the host's key."""
    if "napalm" in host.connections or host.platform in OURS:
        return host.get_connection("napalm", config)
    for library in LIBRARIES:
        logging.getLogger(library).addHandler(logging.NullHandler())
    try:
        if host.platform == "eos" and (ca_file := _arguments(host).get("ca_file")):
            _arguments(host)["context"] = ssl.create_default_context(cafile=ca_file)
        if host.platform == "junos":
            host.connections["napalm"] = _junos(host, config)
        return host.get_connection("napalm", config)
    except Exception as error:  # each vendor's library has its own errors, without a common base
        arguments = _arguments(host)
        checked = arguments.get("ssh_strict") and host.platform != "eos"
        problem = host_key_problem(host.hostname or "", host.port, arguments.get("ssh_config_file")) if checked else None
        raise problem or LinkError(f"{host.name}: its NAPALM driver ({host.platform}) does not connect: {error}") from error


class _Junos:
    """nornir-napalm's connection, with the host's key checked."""

    connection: Any

    def open(
        self,
        hostname: str | None,
        username: str | None,
        password: str | None,
        port: int | None,
        platform: str | None,
        extras: dict[str, Any] | None = None,
        configuration: Config | None = None,  # noqa: ARG002 (nornir's signature)
    ) -> None:
        """Connect with PyEZ's host key check switched on."""
        from napalm import get_network_driver  # noqa: PLC0415 (NAPALM takes a second to import)

        more = dict(extras or {})
        arguments = {**({"port": port} if port else {}), **more.pop("optional_args", {})}
        make: Any = get_network_driver(platform or "")
        driver = make(hostname, username, password, optional_args=arguments, **more)
        driver.device = type(driver.device)(
            hostname,
            user=username,
            password=password,
            port=driver.port,
            ssh_config=driver.ssh_config_file,
            ssh_private_key_file=driver.key_file,
            huge_tree=driver.huge_tree,
            hostkey_verify=True,
        )
        driver.open()
        self.connection = driver

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def _junos(host: Host, config: Config) -> _Junos:
    known, plugin = host.get_connection_parameters("napalm"), _Junos()
    plugin.open(known.hostname, known.username, known.password, known.port, known.platform, known.extras, config)
    return plugin


def _arguments(host: Host) -> dict[str, Any]:
    arguments: dict[str, Any] = (host.get_connection_parameters("napalm").extras or {}).get("optional_args", {})
    return arguments
