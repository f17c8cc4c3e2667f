#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a document said before: kept, listed, read and searched as of a time, and forgotten with it."""

import datetime
import pathlib
import random
import sys

import cli

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "serve"))

import agent  # noqa: E402

FIRST = "Anna Barlow keeps a tortoise named Zebulon."
SECOND = "Anna Barlow keeps a heron named Mortimer."
THIRD = "Anna Barlow keeps an otter named Peregrine."
QUESTION = "Which animal does Anna Barlow keep?"


def moment(time_us):
    time = datetime.datetime.fromtimestamp(time_us // 1_000_000, datetime.timezone.utc)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time_us % 1_000_000:06}Z"


class VersionsCase(cli.CliTestCase):
    def put(self, content, name="notes.txt", keep=5, bank="default"):
        self.cli.write(name, content)
        return self.cli.result("ingest", name, "--replace", "--keep-versions", keep, "--bank", bank)

    def read(self, *arguments, name="notes.txt"):
        done = self.cli.run("read", name, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode()

    def evidence(self, *arguments, question=QUESTION):
        return " ".join(one["text"] for one in self.cli.result("query", question, *arguments)["evidence"])

    def info(self, *arguments):
        return self.cli.result("bank", "info", *arguments)

    def versions(self):
        return [(one["version"], one["source"]) for one in self.info("--versions")["version_list"]]

    def check_sound(self):
        self.assertEqual(self.cli.result("verify")["faults"], [])


class Versions(VersionsCase):
    def setUp(self):
        super().setUp()
        self.made = [self.put(text) for text in (FIRST, SECOND, THIRD)]
        self.times = [moment(one["created_us"]) for one in self.made]

    def test_what_stands_is_found_and_what_stood_is_not(self):
        self.assertEqual(self.read(), THIRD)
        self.assertIn("Peregrine", self.evidence())
        for question in ("Who is Zebulon?", "Who is Mortimer?", QUESTION):
            found = self.evidence(question=question)
            self.assertNotIn("Zebulon", found)
            self.assertNotIn("Mortimer", found)
        info = self.info()
        self.assertEqual(info["documents"], 1)
        self.assertEqual(info["bytes"], len(THIRD))
        (document,) = info["document_list"]
        self.assertEqual((document["versions_kept"], document["version"]), (2, 3))
        self.assertNotIn("version_list", info)
        self.assertEqual(self.versions(), [(1, "notes.txt"), (2, "notes.txt")])
        self.assertIn(b"2 versions kept", self.cli.run("bank", "info").stdout)
        self.assertIn(b"2 versions kept", self.cli.run("repl", "-c", ".docs").stdout)
        self.assertEqual(self.made[2]["kept_version"], 2)
        self.assertEqual(self.made[2]["replaced"], self.made[1]["document"])
        verified = self.cli.result("verify")
        self.assertEqual((verified["faults"], verified["documents"], verified["versions"]), ([], 1, 2))

    def test_a_version_is_read_by_number_time_and_id(self):
        for i, text in enumerate((FIRST, SECOND, THIRD)):
            self.assertEqual(self.read("--version", i + 1), text)
            self.assertEqual(self.read("--as-of", self.times[i]), text)
            self.assertEqual(self.read(name=self.made[i]["document"]), text)
        just_before = moment(self.made[1]["created_us"] - 1)
        self.assertEqual(self.read("--as-of", just_before), FIRST)
        self.assertEqual(self.read("--as-of", "2999-01-01"), THIRD)
        self.assertEqual(self.read("--version", 1, "--bytes", "0:4"), "Anna")
        line = self.cli.result("read", "notes.txt", "--version", 2)
        self.assertEqual((line["version"], line["text"]), (2, SECOND))
        self.assertEqual(line["superseded_us"], self.made[2]["created_us"])
        self.assertIsNone(self.cli.result("read", "notes.txt")["superseded_us"])

    def test_a_question_is_answered_as_of_a_time(self):
        names = ("Zebulon", "Mortimer", "Peregrine")
        self.cli.write("ben.txt", "Ben Moss drinks cocoa and lives in Lima.")
        self.cli.result("ingest", "ben.txt")
        for i, time in enumerate(self.times):
            found = self.evidence("--as-of", time)
            for j, name in enumerate(names):
                self.assertEqual(name in found, i == j, (time, found))
            self.assertNotIn("Lima", self.evidence("--as-of", time, question="Where does Ben Moss live?"))
        found = self.cli.result("query", QUESTION, "--as-of", self.times[0], "--document", "notes.txt")
        self.assertEqual(found["evidence"][0]["document"], self.made[0]["document"])
        self.assertEqual(found["evidence"][0]["text"], FIRST)
        self.assertEqual(self.evidence("--as-of", "2020-01-01"), "")
        self.assertIn("Lima", self.evidence("--as-of", "2999-01-01", question="Where does Ben Moss live?"))
        answer = self.cli.result("query", QUESTION, "--as-of", self.times[0], "--answer")["answer"]["text"]
        self.assertIn("tortoise", answer)
        # Looking back leaves nothing behind but counts of use, in no index.
        self.assertNotIn("Zebulon", self.evidence(question="Who is Zebulon?"))
        self.check_sound()
        self.assertEqual(self.versions(), [(1, "notes.txt"), (2, "notes.txt")])

    def test_each_of_several_banks_shows_what_it_held_then(self):
        work = [self.put("The office keeps a tortoise named " + name + ".", bank="work")
                for name in ("Ferdinand", "Leopold")]
        then = moment(work[0]["created_us"])
        found = self.evidence("--banks", "default,work", "--as-of", then)
        for name, held in (("Peregrine", True), ("Ferdinand", True), ("Mortimer", False), ("Leopold", False)):
            self.assertEqual(name in found, held, (name, found))
        # In the first bank a version, in the second nothing yet.
        self.assertEqual(self.evidence("--banks", "work,default", "--as-of", self.times[0]), FIRST)
        self.assertNotIn("Zebulon", self.evidence("--banks", "*"))

    def test_what_is_not_there_is_named(self):
        for arguments, parts in (
                (["--version", 9], ["no version 9", "versions 1, 2 and 3"]),
                (["--as-of", "2020-01-01"], ["2020-01-01", "nothing"]),
                (["--as-of", "yesterday"], ["yesterday", "2026-03-01"])):
            self.check_error(self.cli.run("read", "notes.txt", *arguments), 3, "invalid_input", *parts)
        self.check_error(self.cli.run("read", "notes.txt", "--version", 1, "--as-of", "2026-03-01"), 2,
                         "usage", "--version")
        self.check_error(self.cli.run("query", QUESTION, "--as-of", "soon"), 3, "invalid_input", "soon")
        self.check_error(self.cli.run("query", QUESTION, "--document", "notes.txt", "--as-of", "2020-01-01"),
                         3, "invalid_input", "nothing")

    def test_as_many_are_kept_as_was_said(self):
        self.put("Anna Barlow keeps a mule named Quentin.", keep=2)
        self.assertEqual(self.versions(), [(2, "notes.txt"), (3, "notes.txt")])
        self.check_error(self.cli.run("read", "notes.txt", "--version", 1), 3, "invalid_input", "version 1")
        self.check_error(self.cli.run("read", self.made[0]["document"]), 3, "invalid_input")
        self.assertEqual(self.read("--version", 4), "Anna Barlow keeps a mule named Quentin.")
        # As before there were versions: the text that was replaced is gone, and so are those before it.
        self.put(FIRST, keep=0)
        self.assertEqual(self.versions(), [])
        self.assertEqual(self.info()["document_list"][0]["versions_kept"], 0)
        self.check_sound()

    def test_the_setting_says_it_too(self):
        self.cli.write("megacontext.toml", "keep_versions = 1\n")
        self.cli.write("notes.txt", FIRST)
        self.cli.result("ingest", "notes.txt", "--replace")
        self.assertEqual(self.versions(), [(3, "notes.txt")])
        self.cli.write("notes.txt", SECOND)
        done = self.cli.run("ingest", "notes.txt", "--replace", environment={"MEGACONTEXT_KEEP_VERSIONS": "0"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.versions(), [])

    def test_what_only_grew_is_no_version(self):
        grown = self.put(THIRD + " It swims.")
        self.assertEqual(grown["outcome"], "extended")
        self.assertEqual(self.versions(), [(1, "notes.txt"), (2, "notes.txt")])
        done = self.cli.run("read", "notes.txt", "--as-of", self.times[2])
        self.assertEqual((done.stdout.decode(), done.stderr), (THIRD, b""))
        self.assertNotIn("swims", self.evidence("--as-of", self.times[2]))
        self.assertIn("swims", self.evidence(question="Who swims?"))

    def test_a_server_looks_back_too(self):
        for make in (agent.HttpProcess, agent.McpProcess):
            face = make(self.cli)
            then = face.call("recall", question=QUESTION, as_of=self.times[1])
            self.assertEqual([one["text"] for one in then["evidence"]], [SECOND])
            now = face.call("recall", question=QUESTION)
            self.assertEqual(now["evidence"][0]["text"], THIRD)
            self.assertNotIn("Mortimer", str(now))
            self.assertEqual(face.call("read", document="notes.txt", as_of=self.times[0])["text"], FIRST)
            self.assertEqual(face.call("read", document="notes.txt", version=2)["text"], SECOND)
            with self.assertRaisesRegex(agent.Refused, "no version 8"):
                face.call("read", document="notes.txt", version=8)
            # What is told meanwhile goes into the index, and nothing of what was looked at does.
            face.call("remember", name="ben.txt", text="Ben Moss lives in Lima.")
            self.assertEqual(face.call("forget", documents=["notes.txt"])["versions"], 2)
            self.assertEqual(face.close(), 0)
            self.check_sound()


class ForgettingVersions(VersionsCase):
    SECRET = "The xylophonist Quorvath hides his zinc marbles. " * 40
    WORDS = (b"xylophonist", b"quorvath", b"xylophon")

    def setUp(self):
        super().setUp()
        self.first = self.put(self.SECRET)
        self.put(SECOND)
        self.put(THIRD)

    def traces(self):
        return [(path.name, word) for path in self.cli.store.rglob("*") if path.is_file()
                for word in self.WORDS if word in path.read_bytes().lower()]

    def check_gone(self):
        self.assertEqual(self.versions(), [])
        self.check_error(self.cli.run("read", self.first["document"]), 3, "invalid_input")
        time = moment(self.first["created_us"])
        self.assertEqual(self.evidence("--as-of", time, question="Who hides marbles?"), "")
        self.check_sound()

    def test_versions_go_with_their_document(self):
        would = self.cli.results("forget", "notes.txt", "--dry-run")
        self.assertEqual([one["outcome"] for one in would], ["would_forget"] * 3)
        self.assertEqual(sorted(one["version"] for one in would), [1, 2, 3])
        text = self.cli.run("forget", "notes.txt", "--dry-run").stdout.decode()
        self.assertIn("version 1 of notes.txt", text)
        self.cli.results("forget", "notes.txt", "--yes")
        self.cli.write("ben.txt", "Ben Moss lives in Lima.")
        self.cli.result("ingest", "ben.txt")
        self.check_gone()

    def test_a_purge_leaves_no_trace_of_a_version(self):
        # A version that was looked at has been through the index's file, too.
        self.assertIn("zinc", self.evidence("--as-of", moment(self.first["created_us"]),
                                            question="Who hides marbles?"))
        self.cli.write("ben.txt", "Ben Moss lives in Lima.")
        self.cli.result("ingest", "ben.txt")
        self.cli.results("forget", "notes.txt", "--yes", "--purge")
        self.assertEqual(self.traces(), [])
        self.check_gone()

    def test_a_part_takes_the_versions_along(self):
        end = len("Anna Barlow keeps")
        would = self.cli.results("forget", "notes.txt", "--bytes", f"0:{end}", "--dry-run")
        self.assertEqual([one["version"] for one in would], [3, 1, 2])
        self.cli.results("forget", "notes.txt", "--bytes", f"0:{end}", "--yes")
        self.check_gone()
        self.assertIn("Peregrine", self.read())
        self.assertNotIn("Anna", self.read())

    def test_versions_alone_go_by_name_by_age_and_all(self):
        one = self.cli.result("forget", self.first["document"], "--yes")  # by its own id
        self.assertEqual((one["version"], one["outcome"]), (1, "forgotten"))
        self.assertEqual(self.versions(), [(2, "notes.txt")])
        self.check_error(self.cli.run("forget", "notes.txt", "--versions-only", "--bytes", "0:4", "--yes"), 2,
                         "usage", "whole")
        self.assertEqual(self.cli.results("forget", "--older-than", "1d", "--versions-only", "--yes"), [])
        self.cli.result("forget", "--older-than", "0s", "--versions-only", "--yes")
        self.check_gone()
        for choice in (["notes.txt"], ["--all"]):
            self.put(SECOND)
            self.cli.result("forget", *choice, "--versions-only", "--yes")
            self.assertEqual(self.versions(), [])
            self.put(THIRD)
            self.cli.result("forget", *choice, "--versions-only", "--yes")
            self.assertEqual(self.read(), THIRD)
        self.check_sound()


class LongVersions(VersionsCase):
    """Of a text that is revised: what has not changed keeps its gists, and so does the version."""

    def setUp(self):
        super().setUp()
        self.sentences = cli.made_up_text(seed=21, word_count=900).split(". ")
        self.texts = [self.text_with(i) for i in range(3)]

    def text_with(self, i):
        sentences = list(self.sentences)
        sentences[i - 4] = f"Gatekeeper number {i} is called {['Ottoline', 'Barnabas', 'Philippa'][i]}"
        return ". ".join(sentences)

    def fill(self):
        made = [self.put(text) for text in self.texts]
        self.assertGreater(made[1]["tokens_kept"], 500)
        return made

    def check_texts(self, *where):
        for i, text in enumerate(self.texts):
            done = self.cli.run(*where, "read", "notes.txt", "--version", i + 1)
            self.assertEqual(done.stdout.decode(), text, done.stderr)

    def test_versions_go_with_a_bank_a_backup_a_repair_and_a_reindex(self):
        made = self.fill()
        self.check_texts()
        self.check_sound()
        self.cli.run("export", "bank.mc", "--gists")
        self.cli.result("backup", "copy")
        self.cli.run("repair", "--into", "saved")
        self.cli.result("reindex", "--into", "anew")
        lines = self.cli.results("--store", "carried", "import", "bank.mc")
        self.assertEqual([one["outcome"] for one in lines], ["imported"] * 3 + ["done"])
        again = self.cli.results("--store", "carried", "import", "bank.mc")
        self.assertEqual([one["outcome"] for one in again], ["already_there"] * 3 + ["done"])
        time = moment(made[0]["created_us"])
        for policy in ("bm25", "lensnet"):
            self.assertIn("Ottoline", self.evidence("--as-of", time, "--policy", policy,
                                                    question="What is gatekeeper number 0 called?"))
        for store in ("carried", "copy", "saved", "anew"):
            with self.subTest(store=store):
                where = ("--store", store)
                self.check_texts(*where)
                self.assertEqual(self.cli.result(*where, "verify")["faults"], [])
                info = self.cli.result(*where, "bank", "info", "--versions")
                self.assertEqual((info["documents"], len(info["version_list"])), (1, 2))
                done = self.cli.run(*where, "read", "notes.txt", "--as-of", time)
                self.assertEqual(done.stdout.decode(), self.texts[0], done.stderr)
                found = self.cli.result(*where, "query", "What is gatekeeper number 0 called?", "--as-of", time)
                self.assertIn("Ottoline", str(found["evidence"]))
                now = self.cli.result(*where, "query", "What is gatekeeper number 0 called?")
                self.assertNotIn("Ottoline", str(now["evidence"]))
        # A bank that holds another text under the number of a version takes nothing in.
        other = ("--store", "other-store")
        for text in (self.texts[2], FIRST, self.texts[2]):  # alone, as version 1, and behind two others
            self.cli.write("other/notes.txt", text)
            self.cli.result(*other, "ingest", "other/notes.txt", "--name", "notes.txt", "--no-gists",
                            "--replace", "--keep-versions", 2)
            if text != FIRST:
                self.check_error(self.cli.run(*other, "import", "bank.mc"), 3, "invalid_input",
                                 "version 1 of notes.txt")

    def test_a_kill_at_any_instant_leaves_the_old_text_or_the_new_one(self):
        self.put(self.texts[0])
        for delay in range(6):
            self.cli.write("notes.txt", self.texts[1])
            self.cli.kill_while_writing(delay * 2000, "ingest", "notes.txt", "--replace", "--keep-versions", 1)
            self.check_killed()
            self.put(self.texts[1], keep=1)
            self.assertEqual(self.read(), self.texts[1])
            (kept,) = self.info("--versions")["version_list"]
            self.assertEqual(self.read(name=kept["document"]), self.texts[0])
            self.check_sound()
            self.put(self.texts[0], keep=0)

    def check_killed(self):
        self.check_sound()
        self.assertEqual(self.cli.result("bank", "info")["documents"], 1)
        text = self.read()
        versions = self.info("--versions")["version_list"]
        if versions:
            self.assertEqual(self.read(name=versions[-1]["document"]), self.texts[0])
            self.assertTrue(self.texts[1].startswith(text))
        else:
            self.assertEqual(text, self.texts[0])

    def test_a_small_text_is_killed_as_well(self):
        self.texts = [FIRST * 20, SECOND * 20]
        self.put(self.texts[0])
        for delay in range(6):
            self.cli.write("notes.txt", self.texts[1])
            self.cli.kill_while_writing(delay * 500, "ingest", "notes.txt", "--replace", "--keep-versions", 1)
            self.check_killed()
            self.put(self.texts[1], keep=1)
            (kept,) = self.info("--versions")["version_list"]
            self.assertEqual(self.read(name=kept["document"]), self.texts[0])
            self.check_sound()
            self.put(self.texts[0], keep=0)


class AsOfProperty(VersionsCase):
    def test_as_of_gives_what_was_ingested(self):
        """Any sequence of texts under a few names: the newest that are kept are read as of each instant."""
        rng = random.Random(20261201)
        kept = 3
        history = {}
        for i in range(14):
            name = rng.choice(["a.txt", "b.txt"])
            text = f"{i} " + cli.made_up_text(seed=rng.randrange(5), word_count=rng.choice([5, 60]))
            made = self.put(text, name=name, keep=kept)
            history.setdefault(name, []).append((made["created_us"], text))
        for name, texts in history.items():
            readable = texts[-kept - 1:]
            for at, (begin_us, text) in enumerate(readable):
                end_us = readable[at + 1][0] if at + 1 < len(readable) else begin_us + 10**9
                for time_us in (begin_us, rng.randrange(begin_us, end_us), end_us - 1):
                    self.assertEqual(self.read("--as-of", moment(time_us), name=name), text)
            if len(texts) > len(readable):
                early = self.cli.run("read", name, "--as-of", moment(readable[0][0] - 1))
                self.check_error(early, 3, "invalid_input", name)
        self.check_sound()


if __name__ == "__main__":
    cli.main()
