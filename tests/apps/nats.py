# SPDX-License-Identifier: Apache-2.0
"""Servers of NATS on the loopback address, for tests; each can be killed, stopped and started."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys

import cli

SERVER = shutil.which("nats-server", path=os.environ.get("PATH", "") + ":/usr/sbin")


def need_nats():
    if SERVER is None:
        print("skipped: no nats-server here; Debian has it")
        sys.exit(cli.SKIP)


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Nats:
    """One server, or a cluster of some."""

    def __init__(self, folder, count=1, extra=""):
        self.folder = pathlib.Path(folder)
        self.count = count
        self.extra = extra
        self.clients = free_ports(count)
        self.routes = free_ports(count)
        self.servers = [None] * count
        for number in range(count):
            self.start(number)

    @property
    def url(self):
        return ",".join(f"nats://127.0.0.1:{port}" for port in self.clients)

    def address(self, number):
        return "127.0.0.1", self.clients[number]

    def config_of(self, number, home):
        text = (f'server_name: "n{number}"\nlisten: "127.0.0.1:{self.clients[number]}"\n'
                f'jetstream {{ store_dir: "{home}", max_file_store: 4GB }}\n{self.extra}\n')
        if self.count > 1:
            routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self.routes)
            text += (f'cluster {{ name: "test", listen: "127.0.0.1:{self.routes[number]}", '
                     f'routes: [{routes}] }}\n')
        return text

    def command(self, _number):
        return [SERVER]

    def start(self, number):
        home = self.folder / f"nats-{number}"
        home.mkdir(parents=True, exist_ok=True)
        config = home / "server.conf"
        config.write_text(self.config_of(number, home))
        with open(home / "log", "ab") as log:
            self.servers[number] = subprocess.Popen([*self.command(number), "-c", str(config)],
                                                    stdout=log, stderr=log)
        while True:  # until it listens
            try:
                socket.create_connection(self.address(number)).close()
                return
            except OSError:
                if self.servers[number].poll() is not None:
                    raise AssertionError((home / "log").read_text()) from None

    def kill(self, number):
        self.servers[number].kill()
        self.servers[number].wait()

    def close(self):
        for server in self.servers:
            server.kill()
            server.wait()
