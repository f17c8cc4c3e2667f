#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line itself: no store and no model are opened."""

import json
import shutil
import subprocess

import cli


class Usage(cli.CliTestCase):
    def commands(self):
        help_text = self.cli.run("--help").stdout.decode()
        listed = help_text.split("Subcommands:\n")[1].split("\n\n")[0]
        return [line.split()[0] for line in listed.splitlines()]

    def test_help_of_every_subcommand_has_examples_and_succeeds(self):
        commands = self.commands()
        self.assertGreaterEqual(len(commands), 10)
        for command in commands:
            done = self.cli.run(command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, b""), command)
            self.assertIn(b"Examples:\n  ", done.stdout, command)

    def test_wrong_command_lines_are_usage_errors(self):
        cases = [
            ([], "subcommand"),
            (["frob"], "frob"),
            (["query"], "QUESTION"),
            (["query", "who", "--nope"], "--nope"),
            (["query", "who", "--policy", "best"], "best"),
            (["query", "who", "--budget", "0"], "0"),
            (["query", "who", "--budget", "many"], "many"),
            (["query", "who", "--device", "tpu"], "tpu"),
            (["query", "who", "--evidence-count", "0"], "--evidence-count"),
            (["query", "who", "--answer", "--evidence-only"], "--answer"),
            (["bank"], "subcommand"),
            (["ingest", "-"], "--name"),
            (["ingest", "a", "b", "--name", "c"], "--name"),
            (["inspect", "--dot"], "--document"),
            (["completion", "fish"], "fish"),
            (["eval", "run", "best", "--docs", "a"], "no subcommand best of megacontext eval run"),
            (["eval", "run", "retrieval", "--docs", "a", "--windows", "3"],
             "see megacontext eval run retrieval --help"),
            (["eval", "run", "delta-nll", "--docs", "a", "--queries", "3"], "--queries"),
            (["eval", "run"], "subcommand"),
        ]
        for arguments, part in cases:
            with self.subTest(arguments=arguments):
                self.check_error(self.cli.run(*arguments), 2, "usage", part)
                self.check_error(self.cli.run(*arguments, "--json"), 2, "usage", part)
        self.assertFalse(self.cli.store.exists())

    def test_a_suite_has_its_own_options_and_no_others(self):
        options = {"delta-nll": "--horizon", "gist-probes": "--windows", "retrieval": "--queries"}
        for suite, own in options.items():
            text = self.cli.run("eval", "run", suite, "--help").stdout.decode()
            for option in ["--docs", "--output", "--seed", own]:
                self.assertIn(option, text, suite)
        self.assertNotIn("--queries", self.cli.run("eval", "run", "delta-nll", "--help").stdout.decode())
        self.assertNotIn("--horizon", self.cli.run("eval", "run", "gist-probes", "--help").stdout.decode())
        self.assertNotIn("--windows", self.cli.run("eval", "run", "retrieval", "--help").stdout.decode())

    def test_waiting_threads_spin_briefly_unless_the_user_says_how_long(self):
        def spin_count(**environment):
            done = self.cli.run("--version", environment={"OMP_DISPLAY_ENV": "verbose",
                                                          **environment})
            return next(line.split("'")[1] for line in done.stderr.decode().splitlines()
                        if "GOMP_SPINCOUNT" in line)
        self.assertEqual(spin_count(), "4000")
        self.assertEqual(spin_count(GOMP_SPINCOUNT="77"), "77")
        self.assertEqual(spin_count(OMP_WAIT_POLICY="passive"), "0")

    def test_options_may_stand_before_or_after_the_subcommand(self):
        elsewhere = self.cli.home / "elsewhere"
        for arguments in (["--store", elsewhere, "inspect"], ["inspect", "--store", elsewhere]):
            self.check_error(self.cli.run(*arguments), 3, "invalid_input", str(elsewhere), "ingest")

    def test_the_strongest_source_of_a_setting_wins(self):
        flag, variable, file = (self.cli.home / name for name in ("flag", "variable", "file"))
        self.cli.write("megacontext.toml", f'store = "{file}"\n')
        unset = {"MEGACONTEXT_STORE": ""}
        self.check_error(self.cli.run("inspect", environment=unset), 3, "invalid_input", str(file))
        self.check_error(self.cli.run("inspect", environment={"MEGACONTEXT_STORE": str(variable)}),
                         3, "invalid_input", str(variable))
        self.check_error(self.cli.run("inspect", "--store", flag), 3, "invalid_input", str(flag))
        other = self.cli.write("other.toml", 'budget = "none"\n')
        self.check_error(self.cli.run("inspect", "--config", other), 2, "usage", "other.toml:1")

    def test_a_document_may_be_called_as_a_subcommand(self):
        self.check_error(self.cli.run("read", "verify"), 3, "invalid_input", "no store")

    def test_completion_offers_what_the_parser_takes(self):
        script = self.cli.run("completion", "bash").stdout.decode()
        bash = shutil.which("bash")
        if bash is None:
            self.skipTest("no bash to run the completion with")

        def offered(*words):
            line = " ".join(f'"{word}"' for word in words)
            program = (f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
                       "_megacontext\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n")
            done = subprocess.run([bash, "--norc", "-c", program], capture_output=True, check=True)
            return done.stdout.decode().split()

        self.assertEqual(offered("megacontext", "in"), ["ingest", "inspect"])
        self.assertEqual(offered("megacontext", "bank", ""), ["list", "create", "info"] +
                         [w for w in offered("megacontext", "bank", "-")])
        self.assertEqual(offered("megacontext", "query", "--device", ""), ["cpu", "cuda"])
        self.assertIn("--evidence-count", offered("megacontext", "query", "--e"))
        self.assertIn("--store", offered("megacontext", "--json", "eval", "run", "--s"))
        self.assertNotIn("--answer", offered("megacontext", "ingest", "--a"))

    def test_version_is_one_line(self):
        done = self.cli.run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout.decode(), r"^megacontext \d+\.\d+\.\d+\n$")

    def test_a_working_folder_that_is_gone_stops_nothing(self):
        gone = self.cli.home / "gone"
        gone.mkdir()
        for arguments, code in ((["--version"], 0), (["ingest", "a.txt"], 3)):
            done = subprocess.run(
                ["sh", "-c", 'mkdir -p "$1"; cd "$1" && rmdir "$1" && shift && exec "$@"', "sh",
                 str(gone), str(self.cli.binary), *arguments],
                env=self.cli.environment(), capture_output=True, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual(len((done.stdout + done.stderr).splitlines()), 1)

    def test_errors_as_json_have_a_code_and_a_message_only(self):
        done = self.cli.run("--json", "inspect")
        self.assertEqual(sorted(json.loads(done.stderr)["error"]), ["code", "message"])


if __name__ == "__main__":
    cli.main(needs_model=False)
