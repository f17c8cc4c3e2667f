#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page at / as a browser sees it; skipped where there is no Chromium (Debian's package has it)."""

import html
import shutil
import signal
import subprocess
import sys
import urllib.parse

import agent
import cli

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

HOSTILE = "Anna keeps a tortoise. <img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


class Page(cli.CliTestCase):
    def setUp(self):
        super().setUp()
        self.server = agent.HttpProcess(self.cli)
        self.addCleanup(lambda: self.server.process.poll() is None and self.server.close(signal.SIGKILL))

    def dump(self, url):
        """The page's elements after it has run."""
        done = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                               f"--user-data-dir={self.cli.home / 'browser'}", "--virtual-time-budget=20000",
                               "--timeout=60000", "--dump-dom", url], capture_output=True, timeout=300, check=True,
                              env=self.cli.environment())
        return done.stdout.decode()

    def test_it_shows_what_the_memory_holds_and_runs_none_of_it(self):
        self.server.call("remember", text=HOSTILE, name="<b>anna</b>")
        text = "".join(f"Line {i} of the log says that ship {i * 7} came in.\n" for i in range(100))
        self.server.call("remember", text=text, name="log")
        linked = urllib.parse.urlencode({"document": "d2", "question": "Who keeps a tortoise?"})
        page = self.dump(f"{self.server.url}/#{linked}")
        self.assertIn("2 documents", page)
        self.assertIn(html.escape("<b>anna</b>", quote=False), page)
        self.assertNotIn("<b>anna", page)
        self.assertIn("<title>MegaContext</title>", page)  # no script of a document ran
        self.assertIn("L2/0", page)
        self.assertIn("raw", page)
        self.assertIn("Anna keeps a tortoise.", page)
        self.assertIn("words rank 1", page)
        self.assertRegex(page, r'class="strip"><span')
        self.assertRegex(page, r'role="alert"></span>')

    def test_without_a_key_where_one_is_needed_it_says_so(self):
        self.cli.result("serve", "key", "create", "somebody")
        self.assertIn("a key is needed", self.dump(self.server.url + "/"))


if __name__ == "__main__":
    if BROWSER is None:
        print("skipped: no Chromium; Debian's package is chromium")
        sys.exit(cli.SKIP)
    cli.main()
