#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several processes train the compressor as one does, and outlive the loss of one of them."""

import signal
import socket

import cli

STEPS = 4
SMALL = ("--blocks", "4", "--chunks", "1", "--cases", "2", "--matching-steps", "2", "--queries", "2")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Ranks(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.text = self.cli.write("text.txt", cli.made_up_text(seed=3, word_count=1200))
        self.started = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.started:
            process.kill()
            process.communicate()

    def command(self, out, steps=STEPS):
        return ("train", "gistnet", "--docs", self.text, "--out", self.cli.home / out, "--steps",
                steps, *SMALL)

    def start_ranks(self, world, out, steps=STEPS):
        """Each with a folder of its own: only rank 0's is written to."""
        port = free_port()
        ranks = [self.cli.start(*self.command(out if rank == 0 else f"none-{rank}", steps), "--world",
                                world, "--rank", rank, "--rendezvous", f"127.0.0.1:{port}", "--json")
                 for rank in range(world)]
        self.started += ranks
        return ranks

    def weights(self, out):
        return (self.cli.home / out / "gistnet.safetensors").read_bytes()

    def wait_for_step(self, out, step):
        log = self.cli.home / out / "train.jsonl"
        while not log.exists() or log.read_text().count('"step"') < step:
            self.assertIsNone(self.started[0].poll(), "rank 0 ended before that step")

    def test_two_processes_end_with_the_bits_of_one_and_only_rank_0_writes(self):
        self.cli.result(*self.command("alone"))
        for rank in self.start_ranks(2, "shared"):
            _, err = rank.communicate(timeout=cli.TIMEOUT_SECONDS)
            self.assertEqual(rank.returncode, 0, err.decode())
        self.assertEqual(self.weights("shared"), self.weights("alone"))
        self.assertFalse((self.cli.home / "none-1").exists())

    def test_a_killed_rank_ends_the_others_which_say_who_it_was(self):
        ranks = self.start_ranks(2, "killed", 400)
        self.wait_for_step("killed", 2)
        ranks[1].send_signal(signal.SIGKILL)
        ranks[1].communicate()
        _, err = ranks[0].communicate(timeout=cli.TIMEOUT_SECONDS)
        self.assertEqual(ranks[0].returncode, 4, err.decode())
        self.assertIn("rank 1 has not been heard from", err.decode())

    def test_a_killed_rank_0_ends_the_others_at_once(self):
        ranks = self.start_ranks(2, "killed", 400)
        self.wait_for_step("killed", 2)
        ranks[0].send_signal(signal.SIGKILL)
        ranks[0].communicate()
        _, err = ranks[1].communicate(timeout=cli.TIMEOUT_SECONDS)
        self.assertEqual(ranks[1].returncode, 4, err.decode())
        self.assertIn("where rank 0 or its launcher should be", err.decode())

    def test_an_interrupted_pair_goes_on_alone_with_the_same_bits(self):
        self.cli.result(*self.command("alone", 8))
        ranks = self.start_ranks(2, "parts", 8)
        self.wait_for_step("parts", 3)
        ranks[1].send_signal(signal.SIGINT)
        for rank in ranks:
            _, err = rank.communicate(timeout=cli.TIMEOUT_SECONDS)
            self.assertEqual(rank.returncode, 130, err.decode())
        self.cli.result(*self.command("parts", 8))
        self.assertEqual(self.weights("parts"), self.weights("alone"))

    def test_torchruns_variables_stand_for_the_flags_and_wrong_ones_are_refused(self):
        wrong = self.cli.run(*self.command("x"), environment={"WORLD_SIZE": "2", "RANK": "1"})
        self.check_error(wrong, 2, "usage", "MASTER_ADDR")
        beyond = self.cli.run(*self.command("x"), environment={
            "WORLD_SIZE": "2", "RANK": "2", "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(free_port())})
        self.check_error(beyond, 2, "usage", "ranks count from 0")
        alone = self.cli.run(*self.command("y"), "--json", environment={"WORLD_SIZE": "1", "RANK": "0"})
        self.assertEqual(alone.returncode, 0, alone.stderr.decode())


if __name__ == "__main__":
    cli.main()
