#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The REPL on a terminal: prompt, completion, history, errors that do not end it."""

import os
import pty
import re
import select

import cli

PROMPT = "default> "
SILENCE_SECONDS = 60  # longest wait for the program's next byte


class Terminal:
    """The program on a pseudo-terminal."""

    def __init__(self, program, *arguments):
        self.seen = ""
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.chdir(program.home)
            os.execve(program.binary, [str(program.binary), *arguments],
                      {**program.environment(), "TERM": "xterm"})

    def type(self, keys):
        os.write(self.descriptor, keys.encode())

    def read_some(self):
        ready, _, _ = select.select([self.descriptor], [], [], SILENCE_SECONDS)
        try:
            return os.read(self.descriptor, 4096).decode(errors="replace") if ready else ""
        except OSError:  # the other end is closed
            return ""

    def until(self, text):
        """What came up to and with the text; control sequences removed."""
        while text not in plain(self.seen):
            more = self.read_some()
            if not more:
                raise AssertionError(f"waited for {text!r}, saw {plain(self.seen)!r}")
            self.seen += more
        before, _, after = plain(self.seen).partition(text)
        self.seen = after
        return before + text

    def ask(self, line):
        self.type(line + "\n")
        return self.until(PROMPT)

    def exit_code(self):
        while more := self.read_some():
            self.seen += more
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")


class OnATerminal(cli.CliTestCase):
    @classmethod
    def setUpClass(cls):
        cls.cli = cli.Cli(cls.binary, cls.model)
        cls.addClassCleanup(cls.cli.close)
        cls.cli.write("words.txt", cli.made_up_text(seed=12, word_count=40))
        cls.cli.result("ingest", "words.txt")

    def setUp(self):
        self.terminal = Terminal(self.cli, "repl")
        self.terminal.until(PROMPT)

    def test_an_error_is_printed_and_the_session_goes_on(self):
        self.assertIn("megacontext: error: ", self.terminal.ask(".nothing"))
        self.assertIn("words.txt", self.terminal.ask(".docs"))
        self.terminal.type(".quit\n")
        self.assertEqual(self.terminal.exit_code(), 0)

    def test_tab_completes_a_dot_command(self):
        self.terminal.type(".do\t\n")
        self.assertIn("words.txt", self.terminal.until(PROMPT))
        self.terminal.type(".quit\n")
        self.assertEqual(self.terminal.exit_code(), 0)

    def test_an_interrupt_stops_an_answer_and_not_the_session(self):
        self.terminal.ask(".answer on")
        self.terminal.ask(".policy hybrid")
        self.terminal.ask(".set max-tokens 8000")
        self.terminal.ask(".set sentences 0")
        self.terminal.ask(".set temperature 5")  # near noise: it does not end by itself
        self.terminal.type("Who?\n")
        self.terminal.until("d1")  # the evidence: the answer is next
        self.terminal.until("\n\n")
        self.terminal.type("\x03")
        self.assertIn("; stopped", self.terminal.until(PROMPT))
        self.assertIn("words.txt", self.terminal.ask(".docs"))
        self.terminal.type(".quit\n")
        self.assertEqual(self.terminal.exit_code(), 0)

    def test_the_end_of_input_ends_the_session(self):
        self.terminal.type("\x04")
        self.assertEqual(self.terminal.exit_code(), 0)

    def test_an_interrupt_drops_the_line_and_not_the_session(self):
        self.terminal.type(".nothing")
        self.terminal.until(".nothing")
        self.terminal.type("\x03")
        self.terminal.until(PROMPT)
        self.assertNotIn("error", self.terminal.ask(".bank"))
        self.terminal.type(".quit\n")
        self.assertEqual(self.terminal.exit_code(), 0)

    def test_an_ingest_beside_the_session_is_seen_by_the_next_line(self):
        self.assertIn("words.txt", self.terminal.ask("what is said of qua?"))
        name = f"{self.id().rsplit('.', 1)[1]}.txt"
        self.cli.write(name, "The bronze bell hangs in the school yard. " * 20)
        self.cli.result("ingest", name)
        self.assertIn(name, self.terminal.ask(".docs"))
        self.assertIn(name, self.terminal.ask("Where does the bronze bell hang?"))
        self.terminal.type(".quit\n")
        self.assertEqual(self.terminal.exit_code(), 0)

    def test_what_was_typed_is_remembered_privately(self):
        self.terminal.ask(".budget 123")
        self.terminal.type(".quit\n")
        self.assertEqual(self.terminal.exit_code(), 0)
        history = self.cli.home / ".local" / "state" / "megacontext" / "history"
        self.assertIn("budget", history.read_text())
        self.assertEqual(history.stat().st_mode & 0o077, 0)
        again = Terminal(self.cli, "repl")
        again.until(PROMPT)
        again.type("\x1b[A\x1b[A\n")  # up, up: .quit, then .budget 123
        self.assertIn("budget 123", again.until(PROMPT))
        again.type(".quit\n")
        self.assertEqual(again.exit_code(), 0)


if __name__ == "__main__":
    cli.main()
