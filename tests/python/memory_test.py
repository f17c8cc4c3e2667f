#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The verbs as Python has them: what is remembered is found, read, forgotten and gone."""

import dataclasses
import os
import sys
import threading
import unittest.mock

import package
from package import cli, megacontext

TORTOISE = "Anna Barlow keeps a tortoise named Zebulon."


class Verbs(package.PackageTestCase):
    def test_what_is_remembered_is_recalled_read_forgotten_and_gone(self):
        with self.open() as memory:
            kept = memory.remember(TORTOISE, name="anna", metadata={"by": "ben"})
            self.assertEqual((kept.outcome, kept.source), ("ingested", "anna"))
            self.assertEqual(kept.bytes, megacontext.Span(0, len(TORTOISE)))
            self.assertEqual(memory.remember(TORTOISE, name="anna").outcome, "already_there")

            found = memory.recall("Which animal does Anna Barlow keep?")
            self.assertTrue(found.known)
            self.assertEqual(found.evidence[0].text, TORTOISE)
            self.assertEqual(found.evidence[0].document, kept.document)
            self.assertEqual(found.evidence[0].metadata["by"], "ben")
            self.assertIsNone(found.answer)

            self.assertEqual(memory.read("anna").text, TORTOISE)
            self.assertEqual(memory.read(kept.document, 5, 11).text, "Barlow")

            self.assertEqual(memory.forget("anna").outcome, "would_forget")
            self.assertEqual(memory.read("anna").text, TORTOISE)
            self.assertEqual(memory.forget(["anna"], dry_run=False).outcome, "forgotten")
            with self.assertRaisesRegex(megacontext.InvalidInput, "anna"):
                memory.read("anna")
            self.assertEqual(memory.recall("Which animal does Anna Barlow keep?").evidence, [])
            self.assertEqual(memory.documents(), [])

    def test_messages_of_a_session_and_an_answer(self):
        with self.open() as memory:
            said = [memory.remember("Zebulon is at the vet until Friday.", session="monday", role="anna",
                                    event_time="2026-03-02", idempotency_key="k") for _ in range(2)]
            self.assertEqual(said[0].bytes, said[1].bytes)
            self.assertEqual(said[1].outcome, "already_there")
            found = memory.recall("Where is Zebulon?", session="monday", passages=1, answer=True)
            self.assertEqual(len(found.evidence), 1)
            self.assertIn("vet", found.answer.text)
            self.assertEqual(found.answer.sources, [1])

    def test_a_file_is_converted_cited_and_given_back(self):
        page = b"<!doctype html><html><body><h1>Lamp</h1><p>Penhaligon keeps the lamp burning.</p></body></html>"
        with self.open() as memory:
            memory.remember(TORTOISE, name="anna", event_time="2026-03-02")
            memory.remember(file=page, name="lamp.html", metadata={"kind": "page"})
            best = memory.recall("Who keeps the lamp burning?", metadata={"kind": "page"}).evidence[0]
            self.assertEqual((best.source, best.place), ("lamp.html", "Lamp"))
            self.assertEqual(memory.read("lamp.html", original=True).data, page)
            self.assertEqual(memory.read("anna").data, TORTOISE.encode())
            self.assertFalse(memory.recall("Who keeps the lamp burning?", until="2026-03-02",
                                           source="lamp*").known)

    def test_banks_are_asked_together(self):
        with self.open() as memory:
            memory.remember("Anna keeps a tortoise.", name="anna")
            memory.remember("Ben keeps a parrot.", name="ben", bank="farm")
            for banks in ("*", ["default", "farm"], ("farm", "default")):
                found = memory.recall("Who keeps a tortoise or a parrot?", banks=banks)
                self.assertEqual({one.bank for one in found.evidence}, {"default", "farm"}, banks)
            self.assertEqual({one.bank for one in memory.recall("Who keeps a parrot?", banks="farm").evidence},
                             {"farm"})
            with self.assertRaises(megacontext.InvalidInput):
                memory.recall("Who?", bank="farm", banks="*")

    def test_a_bank_and_a_session_are_kept_to(self):
        with self.open() as memory:
            farm = memory.in_bank("farm")
            farm.remember("Ben keeps a parrot.", name="ben")
            memory.remember("Anna keeps a tortoise.", name="anna")
            self.assertEqual({one.bank for one in farm.recall("Who keeps an animal?").evidence}, {"farm"})
            self.assertEqual([one.source for one in farm.documents()], ["ben"])
            self.assertEqual((farm.bank, memory.bank), ("farm", "default"))
            self.assertEqual({one.bank for one in farm.recall("Who keeps an animal?", banks="*").evidence},
                             {"farm", "default"})
            monday = farm.session("monday")
            first = monday.say("The parrot is named Mortimer.", "ben", event_time="2026-03-02")
            self.assertEqual(first.source, "session/monday")
            monday.say("It swears.", "anna")
            self.assertEqual(monday.read().text, "[2026-03-02] ben: The parrot is named Mortimer.\nanna: It swears.\n")
            self.assertIn("Mortimer", monday.recall("What is the parrot named?", answer=True).answer.text)
            self.assertFalse(monday.recall("Who keeps a tortoise?").known)
            self.assertEqual([one.source for one in memory.documents()], ["anna"])

    def test_a_long_text_is_taken_in_while_others_ask(self):
        text = "".join(f"Ship {i * 7919} came in with grain and left with wine.\n" for i in range(12_000))
        with self.open(settings={"embedder": "none"}) as memory:
            memory.remember(TORTOISE, name="anna")
            asked = []
            taking = threading.Thread(target=memory.remember, args=(text,), kwargs={"name": "long"})
            taking.start()
            while taking.is_alive():
                asked.append(memory.recall("Which animal does Anna Barlow keep?").evidence[0].source)
            taking.join()
            self.assertEqual(set(asked), {"anna"})
            self.assertEqual(memory.read("long", 0, 10).bytes_total, len(text))  # more than is taken at once

    def test_the_command_line_finds_it_and_says_the_same(self):
        with self.open() as memory:
            memory.remember(TORTOISE, name="anna")
            document = memory.documents()[0]
            banks = memory.status().banks
        shown = self.cli.result("bank", "list")["banks"]
        self.assertEqual([dataclasses.asdict(bank) for bank in banks], shown)
        self.assertEqual(self.cli.run("read", document.document).stdout.decode(), TORTOISE)
        self.assertEqual(self.cli.result("verify")["faults"], [])

    def test_settings_are_resolved_as_the_command_line_resolves_them(self):
        self.cli.write("megacontext.toml", 'bank = "of-the-file"\n')
        with self.open() as memory:
            self.assertEqual(memory.bank, "of-the-file")
            self.assertEqual(memory.store, str(self.cli.store))
        with unittest.mock.patch.dict(os.environ, {"MEGACONTEXT_BANK": "of-the-environment"}):
            with self.open() as memory:
                self.assertEqual(memory.bank, "of-the-environment")
            with self.open(bank="of-the-argument", settings={"budget": 64}) as memory:
                self.assertEqual(memory.bank, "of-the-argument")
                memory.remember(TORTOISE)
                self.assertEqual(memory.recall("Which animal?").budget, 64)

    def test_a_notebook_shows_quoted_text(self):
        with self.open() as memory:
            memory.remember("The bell <b>Big & Old</b> was cast in Lisbon.", name="<bell>")
            shown = memory.recall("Where was the bell cast?", answer=True)._repr_html_()
        self.assertIn("&lt;b&gt;Big &amp; Old&lt;/b&gt;", shown)
        self.assertIn("&lt;bell&gt;", shown)
        self.assertNotIn("<bell>", shown)


class Threads(package.PackageTestCase):
    def test_calls_of_several_threads_are_all_done(self):
        def tell_and_ask(memory, number, found):
            memory.remember(f"Parcel {number} went to town number {number}.", name=f"parcel-{number}")
            found[number] = memory.read(f"parcel-{number}").text

        found = {}
        with self.open() as memory:
            threads = [threading.Thread(target=tell_and_ask, args=(memory, number, found))
                       for number in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(len(memory.documents()), len(threads))
        self.assertEqual(found, {n: f"Parcel {n} went to town number {n}." for n in range(6)})

    def test_other_threads_run_while_one_waits_for_the_memory(self):
        # Python itself changes threads only where the running one lets it.
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1000)
        began, ended = threading.Event(), threading.Event()

        def read_long_text(memory):
            began.set()
            memory.remember(cli.made_up_text(1, 150), name="long")
            ended.set()

        with self.open() as memory:
            thread = threading.Thread(target=read_long_text, args=(memory,))
            thread.start()
            began.wait()
            had_ended = ended.is_set()
            thread.join()
        self.assertFalse(had_ended)

    def test_a_forked_process_is_told_to_open_its_own(self):
        with self.open() as memory:
            memory.remember(TORTOISE, name="anna")
            child = os.fork()
            if child == 0:
                try:
                    memory.status()
                except megacontext.Usage as error:
                    memory.close()
                    del memory
                    os._exit(0 if "forked" in str(error) else 2)
                os._exit(1)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            self.assertEqual(memory.read("anna").text, TORTOISE)


if __name__ == "__main__":
    cli.main()
