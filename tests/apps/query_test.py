#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Questions from the command line: evidence that can be checked, numbers that add up."""

import json

import cli

BELL = ("The bronze bell of the harbour was cast in Lisbon in 1755. It hung in the lighthouse for "
        "two hundred years, and the keeper rang it in fog.\n")
POLICIES = ("passages", "recency", "random", "uniform", "keep-high-nll", "bm25", "cosine", "hybrid")
BUDGET = 500


class Query(cli.CliTestCase):
    @classmethod
    def setUpClass(cls):
        """One store for all questions: none of them changes what the others see."""
        cls.cli = cli.Cli(cls.binary, cls.model)
        cls.addClassCleanup(cls.cli.close)
        cls.cli.write("words.txt", cli.made_up_text(seed=7, word_count=200) + "\n\n" + BELL + "\n" +
                      cli.made_up_text(seed=8, word_count=200))
        cls.cli.write("other.txt", cli.made_up_text(seed=9, word_count=100))
        cls.cli.results("ingest", "words.txt", "other.txt", "--stats")

    def setUp(self):
        pass  # in place of a home per test

    def ask(self, *arguments):
        return self.cli.result("query", "Where was the bronze bell cast?", "--budget", BUDGET,
                               *arguments)

    def test_the_evidence_holds_what_was_asked_for(self):
        report = self.ask()
        best = report["evidence"][0]
        self.assertEqual((best["document"], best["source"]), ("d1", "words.txt"))
        self.assertIn("Lisbon", best["text"])
        self.assertTrue(best["why"])

    def test_the_last_log_line_counts_what_the_run_did(self):
        done = self.cli.run("query", "Where was the bronze bell cast?", "--answer", "--json",
                            "--log-level", "info", "--log-json")
        answer = json.loads(done.stdout)["answer"]
        totals = json.loads(done.stderr.splitlines()[-1])
        self.assertEqual((totals["event"], totals["questions_total"]), ("totals", 1))
        self.assertEqual(totals["answer_tokens_total"], answer["new_tokens"])
        self.assertEqual(totals["answer_seconds_sum"], answer["seconds"])
        self.assertEqual((totals["ingest_tokens_total"], totals["commits_total"]), (0, 0))

    def test_evidence_is_the_bytes_that_it_names(self):
        for evidence in self.ask()["evidence"]:
            span = f"{evidence['bytes']['begin']}:{evidence['bytes']['end']}"
            read = self.cli.run("read", evidence["document"], "--bytes", span)
            self.assertEqual(read.stdout.decode(errors="replace"), evidence["text"])

    def test_every_policy_keeps_within_the_budget(self):
        for policy in POLICIES:
            with self.subTest(policy=policy):
                report = self.ask("--policy", policy)
                self.assertEqual(report["policy"], policy)
                self.assertLessEqual(report["cost"], BUDGET)
                if policy != "passages":  # whose window covers nothing but what it shows
                    self.assertGreater(report["covered_tokens"], report["cost"])

    def test_evidence_is_whole_sentences(self):
        best = self.ask()["evidence"][0]
        self.assertEqual(best["text"],
                         "The bronze bell of the harbour was cast in Lisbon in 1755.")
        self.assertEqual(best["level"], 0)

    def test_a_window_of_passages_leaves_out_what_does_not_help(self):
        report = self.ask()
        self.assertLess(report["cost"], 100)
        self.assertIn(None, [evidence["level"] for evidence in report["evidence"]])

    def test_each_passage_is_explained_by_why_it_is_read_or_left_out(self):
        considered = self.ask("--explain")["considered"]
        self.assertEqual([one["rank"] for one in considered], list(range(1, len(considered) + 1)))
        best = considered[0]
        self.assertEqual((best["choice"], best["read"], best["source"]), ("best", True, "words.txt"))
        self.assertAlmostEqual(best["score"], best["cosine"] + 0.8 * best["words"] ** 3, places=5)
        self.assertIn("far_below", [one["choice"] for one in considered])
        unlikely = self.cli.result("query", "Who won the chess tournament of 1987?", "--explain")
        self.assertEqual({one["choice"] for one in unlikely["considered"]}, {"unlikely"})
        shown = self.cli.run("query", "Where was the bronze bell cast?", "--explain").stdout.decode()
        self.assertRegex(shown, r"1\. read: it is the best +d1 words.txt")
        self.check_error(self.cli.run("query", "Where?", "--explain", "--policy", "bm25"),
                         2, "usage", "covers documents")

    def test_a_question_that_no_passage_speaks_to_is_not_answered(self):
        report = self.cli.result("query", "Who won the chess tournament of 1987?", "--answer")
        self.assertFalse(report["known"])
        self.assertEqual(report["answer"]["text"], "The memory does not tell.")
        self.assertEqual(report["answer"]["stop_reason"], "unknown")
        self.assertEqual(report["answer"]["new_tokens"], 0)

    def test_an_answer_names_its_evidence_and_ends_with_its_sentence(self):
        answer = self.ask("--answer")["answer"]
        self.assertIn("Lisbon", answer["text"])
        self.assertEqual(answer["sources"], [1])
        self.assertIn(answer["stop_reason"], ("sentence", "end_of_text"))
        shown = self.cli.run("query", "Where was the bronze bell cast?", "--answer").stdout.decode()
        self.assertIn("[1]", shown)

    def test_odd_questions_are_answered_or_refused_in_one_line(self):
        for question in ("?!... ,;", "the " * 3000, "bell AND (NOT \"x\" NEAR/3 y*", "拖拉机",
                         "<|im_start|>system bell<|im_end|>", "\U0001f469\u200d\U0001f680"):
            with self.subTest(question=question[:20]):
                done = self.cli.run("--json", "query", question)
                self.assertIn(done.returncode, (0, 3, 9), done.stderr)
                self.assertLessEqual(done.stderr.count(b"\n"), 1)

    def test_a_question_to_one_document_gets_evidence_of_that_document(self):
        report = self.ask("--document", "other.txt")
        self.assertEqual({e["document"] for e in report["evidence"]}, {"d2"})

    def test_filters_narrow_where_evidence_comes_from(self):
        for flags, sources in ((("--source", "other*"), {"other.txt"}),
                               (("--since", "2020-01-01"), {"words.txt", "other.txt"}),
                               (("--until", "2020-01-01"), set()),
                               (("--metadata", "kind=note"), set())):
            with self.subTest(flags=flags):
                report = self.ask("--evidence-count", 20, *flags)
                self.assertEqual({e["source"] for e in report["evidence"]}, sources)
        self.assertFalse(self.ask("--until", "2020-01-01")["known"])
        ask = ("query", "Where was the bell cast?")
        self.check_error(self.cli.run(*ask, "--since", "yesterday"), 3, "invalid_input", "since", "2026-03-01")
        self.check_error(self.cli.run(*ask, "--metadata", "kind"), 2, "usage", "KEY=VALUE")
        self.check_error(self.cli.run(*ask, "--session", "nobody"), 3, "invalid_input", "session/nobody")

    def test_the_number_of_pieces_of_evidence_is_bounded(self):
        self.assertEqual(len(self.ask("--evidence-count", 1)["evidence"]), 1)
        ranks = [evidence["rank"] for evidence in self.ask("--evidence-count", 4)["evidence"]]
        self.assertEqual(ranks, list(range(1, len(ranks) + 1)))

    def test_sampling_follows_the_seed(self):
        def answer(*arguments):
            return self.ask("--answer", "--max-tokens", 24, "--temperature", 1.5, *arguments)["answer"]
        first = answer("--seed", 3)
        self.assertEqual(first["text"], answer("--seed", 3)["text"])
        self.assertNotEqual(first["text"], answer("--seed", 4)["text"])
        greedy = self.ask("--answer", "--max-tokens", 24)["answer"]["text"]
        for narrow in (("--top-k", 1), ("--top-p", 1e-6), ("--min-p", 1)):
            with self.subTest(narrow=narrow):
                self.assertEqual(answer(*narrow)["text"], greedy)

    def test_an_answer_ends_before_a_stop_string(self):
        whole = self.ask("--answer", "--max-tokens", 24)["answer"]
        stop = whole["text"][5:9]
        cut = self.ask("--answer", "--max-tokens", 24, "--stop", "never\n", "--stop", stop)["answer"]
        self.assertEqual(cut["stop_reason"], "stop_string")
        self.assertEqual(cut["text"], whole["text"][:whole["text"].index(stop)])

    def test_sampling_out_of_range_is_a_usage_error(self):
        for flag, value, part in (("--top-p", "0", "top-p"), ("--temperature", "-1", "temperature"),
                                  ("--min-p", "2", "min-p"), ("--temperature", "warm", "not a number"),
                                  ("--max-tokens", "0", "max-tokens"), ("--stop", "", "--stop")):
            with self.subTest(flag=flag, value=value):
                done = self.cli.run("query", "who", "--answer", flag + "=" + value)
                self.check_error(done, 2, "usage", part)

    def test_an_answer_is_there_when_asked_for(self):
        self.assertIsNone(self.ask()["answer"])
        answer = self.ask("--answer", "--max-tokens", 8)["answer"]
        self.assertLessEqual(answer["new_tokens"], 8)
        self.assertGreater(answer["prompt_entries"], 0)

    def test_the_same_question_gets_the_same_report(self):
        def without_times(report):
            return {key: value for key, value in report.items() if not key.startswith("seconds")}
        self.assertEqual(without_times(self.ask("--policy", "random", "--seed", 3)),
                         without_times(self.ask("--policy", "random", "--seed", 3)))

    def test_documents_are_told_apart_by_bank(self):
        self.cli.result("ingest", "other.txt", "--bank", "second")
        report = self.ask("--bank", "second")
        self.assertEqual({e["source"] for e in report["evidence"]} - {"other.txt"}, set())
        self.check_error(self.cli.run("read", "words.txt", "--bank", "second"), 3, "invalid_input",
                         "words.txt")


class Rivals(cli.CliTestCase):
    QUESTION = "Where does Ada Barlow live?"

    def test_banks_are_asked_together(self):
        for bank, text in (("work", "Anna Barlow keeps a tortoise."), ("home", "Ben Moss keeps a parrot.")):
            self.cli.result("ingest", "-", "--name", "animals", "--bank", bank, stdin=text.encode())
        question = "Who keeps a tortoise, who keeps a parrot?"
        for banks in (["--banks", "work,home"], ["--banks", "work", "--banks", "home"], ["--banks", "*"]):
            found = self.cli.result("query", question, *banks)["evidence"]
            self.assertEqual({one["bank"] for one in found} - {"default"}, {"work", "home"}, banks)
            self.assertEqual([one["score"] for one in found], sorted((one["score"] for one in found), reverse=True))
        shown = self.cli.run("query", question, "--banks", "home,work").stdout.decode()
        self.assertRegex(shown, r"(?m)^\d\. home d\d+ animals")
        self.check_error(self.cli.run("query", question, "--banks", "work,nobody"), 3, "invalid_input", "nobody")
        self.check_error(self.cli.run("query", question, "--banks", "work,home", "--policy", "bm25"), 2, "usage",
                         "passages")

    def test_a_passage_that_finds_no_room_says_so(self):
        self.cli.write("may.txt", "Ada Barlow lives in Oslo.")
        self.cli.write("june.txt", "Ada Barlow lives in Rome.")
        self.cli.results("ingest", "may.txt", "june.txt")
        roomy = self.cli.result("query", self.QUESTION, "--explain")
        self.assertEqual([one["read"] for one in roomy["considered"]], [True, True])
        self.assertIn(roomy["considered"][1]["choice"], ("near_best", "rival"))
        tight = self.cli.result("query", self.QUESTION, "--explain", "--budget", roomy["cost"] - 1)
        self.assertEqual([one["choice"] for one in tight["considered"]], ["best", "no_room"])
        self.assertFalse(tight["considered"][1]["read"])


if __name__ == "__main__":
    cli.main()
