#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Conversations as a user has them: through a pipe, killed, gone on with."""

import os
import random
import signal

import cli

MESSAGES = [f"My friend number {i} is called {name} and likes {thing}." for i, (name, thing) in
            enumerate(zip(("Ada", "Bo", "Cy", "Dee", "Eve", "Flo"),
                          ("tea", "snow", "chess", "figs", "rain", "maps")))]
ANSWER = ("--max-tokens", "12")
KILLS = int(os.environ.get("MEGACONTEXT_TEST_KILLS", "6"))
SEED = 20


def lines(messages):
    return "".join(message + "\n" for message in messages).encode()


class Chat(cli.CliTestCase):
    def say(self, *messages, name="chat", options=ANSWER):
        return self.cli.results("chat", "--name", name, *options, stdin=lines(messages))

    def test_a_conversation_goes_on_where_it_was_left(self):
        first = self.say(*MESSAGES[:2])
        self.assertEqual([turn["turn"] for turn in first], [1, 2])
        self.assertEqual([turn["window"]["turns"] for turn in first], [0, 1])
        then = self.say(MESSAGES[2])[0]
        self.assertEqual((then["turn"], then["window"]["turns"]), (3, 2))
        transcript = self.cli.run("read", "chat").stdout.decode()
        self.assertEqual(transcript, "".join(
            f"User: {turn['message']}\n\nAssistant: {turn['answer']['text'].strip()}\n\n"
            for turn in [*first, then]))

    def test_without_json_the_answer_alone_is_printed(self):
        done = self.cli.run("chat", *ANSWER, stdin=lines(["hello"]))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        told = self.cli.run("read", "chat").stdout.decode()
        self.assertEqual(told, f"User: hello\n\nAssistant: {done.stdout.decode().strip()}\n\n")

    def test_what_the_window_has_lost_is_remembered(self):
        budget = (*ANSWER, "--budget", "128")
        self.say("My lantern hangs in the boathouse.", options=budget)
        self.say(*MESSAGES, options=budget)
        turn = self.say("Where does my lantern hang?", options=budget)[0]
        self.assertLessEqual(turn["window"]["cost"], 128)
        found = [one["text"] for one in turn["window"]["memory"]]
        self.assertIn("User: My lantern hangs in the boathouse.", found)
        self.assertLess(turn["window"]["turns"], 5)

    def test_system_prompt_and_pins_stay(self):
        self.say("hello", options=(*ANSWER, "--system", "Speak like a sailor.",
                                   "--pin", "The user is called Ada."))
        before = self.say("hello")[0]["window"]["protected_entries"]
        pins = self.cli.results("chat", stdin=b".pin It is winter.\n")
        self.assertEqual(pins, [{"pins": ["The user is called Ada.", "It is winter."]}])
        self.assertGreater(self.say("hello")[0]["window"]["protected_entries"], before)

    def test_errors_say_what_to_do_and_keep_nothing(self):
        done = self.cli.run("chat", "--budget", "64", "--system", "word " * 80, stdin=b"hello\n")
        self.check_error(done, 9, "over_budget", "at least")
        done = self.cli.run("chat", "--max-tokens", "8000", stdin=b"hello\n")
        self.check_error(done, 9, "over_budget", "--budget", "--max-tokens")
        self.check_error(self.cli.run("chat", stdin=b".nothing\n"), 2, "usage", ".help")
        self.cli.write("book.txt", cli.made_up_text(seed=3, word_count=60))
        self.cli.result("ingest", "book.txt")
        done = self.cli.run("chat", "--name", "book.txt", stdin=b"hello\n")
        self.check_error(done, 3, "invalid_input", "book.txt", "--name")
        self.assertEqual(self.cli.run("read", "chat").stdout, b"")

    def state(self, name):
        """Transcript, tree, and where every block begins and ends."""
        record = self.cli.result("inspect", "--document", name)
        blocks = sum(level["nodes"] for level in record["levels"] if level["level"] == 1)
        commands = "".join(f".node {record['document']}/L1/{i}\n" for i in range(blocks))
        nodes = self.cli.results("repl", stdin=commands.encode()) if blocks else []
        shape = {key: record[key] for key in ("tokens", "bytes", "content_hash", "levels",
                                              "tail_tokens", "metadata")}
        return self.cli.run("read", name).stdout, shape, [node["bytes"] for node in nodes]

    def shown_before_kill(self, messages, byte_count):
        """Kills a run after so many bytes of its answers, and says what it had shown by then."""
        process = self.cli.start("chat", "--name", "killed", *ANSWER, stdin=-1)
        process.stdin.write(lines(messages))
        process.stdin.close()  # so that a run that has said less than byte_count ends
        process.stdin = None
        shown = b""
        while len(shown) < byte_count and (more := process.stdout.read(1)):
            shown += more
        process.send_signal(signal.SIGKILL)
        return (shown + process.communicate()[0]).decode(errors="replace")

    def test_kills_at_any_moment_lose_and_double_nothing(self):
        whole = self.say(*MESSAGES, name="whole")
        turns = [f"User: {turn['message']}\n\nAssistant: {turn['answer']['text'].strip()}\n\n"
                 for turn in whole]
        answers = [turn["answer"]["text"] + "".join(f"[{n}]" for n in turn["answer"]["sources"])
                   for turn in whole]
        rng = random.Random(SEED)
        done = 0
        for _ in range(KILLS):
            if done == len(MESSAGES):  # a kill came late
                self.cli.results("forget", "killed", "--yes")
                done = 0
            shown = self.shown_before_kill(MESSAGES[done:], rng.randrange(0, 110))
            kept = self.cli.run("read", "killed").stdout.decode()
            now = next((n for n in range(len(turns) + 1) if kept == "".join(turns[:n])), None)
            self.assertIsNotNone(now, f"seed {SEED}: no turn ends the transcript {kept!r}")
            # A turn whose line has ended is durable.
            acknowledged = sum(shown.replace(" [", "[").startswith(
                "".join(answer + "\n" for answer in answers[done:end])) for end in
                range(done + 1, len(answers) + 1))
            self.assertGreaterEqual(now, done + acknowledged)
            done = now
        self.say(*MESSAGES[done:], name="killed")
        self.assertTrue(self.cli.result("verify")["ok"])
        self.assertEqual(self.state("killed"), self.state("whole"))


if __name__ == "__main__":
    cli.main()
