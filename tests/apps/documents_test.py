#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Documents as people have them: taken in as text, cited by page, chapter and message, given back byte for byte."""

import io
import json
import zipfile

import cli

HTML = """<!doctype html><html><head><title>Harbour</title><script>var hidden = "sesame";</script></head>
<body><nav>Home | Contact</nav><h1>Harbour rules</h1>
<p>Boats are moored at the north quay.</p>
<h2>Fees</h2><table><tr><th>Length</th><th>Fee</th></tr><tr><td>under 9 m</td><td>14 crowns</td></tr></table>
<h2>The lighthouse</h2><p>Old Penhaligon keeps the lighthouse lamp burning until dawn.</p></body></html>
"""


def pdf(pages):
    """A small PDF of lines in Helvetica."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>",
               "<< /Type /Pages /Kids [" + " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages))) +
               f"] /Count {len(pages)} >>",
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    for i, lines in enumerate(pages):
        content = "BT /F1 12 Tf 14 TL 72 720 Td\n" + "".join(f"({line}) Tj T*\n" for line in lines) + "ET\n"
        objects.append("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents "
                       f"{5 + 2 * i} 0 R /Resources << /Font << /F1 3 0 R >> >> >>")
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}endstream")
    file, table = "%PDF-1.4\n", "0000000000 65535 f \n"
    for number, content in enumerate(objects, 1):
        table += f"{len(file):010} 00000 n \n"
        file += f"{number} 0 obj\n{content}\nendobj\n"
    return (f"{file}xref\n0 {len(objects) + 1}\n{table}trailer\n<< /Root 1 0 R /Size {len(objects) + 1} >>\n"
            f"startxref\n{len(file)}\n%%EOF\n").encode()


def archive(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return buffer.getvalue()


def epub(chapters):
    items = "".join(f"<item id='c{i}' href='c{i}.xhtml'/>" for i in range(len(chapters)))
    spine = "".join(f"<itemref idref='c{i}'/>" for i in range(len(chapters)))
    parts = {f"c{i}.xhtml": f"<html xmlns='http://www.w3.org/1999/xhtml'><body>{body}</body></html>"
             for i, body in enumerate(chapters)}
    return archive({"mimetype": "application/epub+zip",
                    "META-INF/container.xml": "<c><rootfile full-path='book.opf'/></c>",
                    "book.opf": f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>",
                    **parts})


def docx(body):
    return archive({"word/document.xml": f"<w:document xmlns:w='urn:w'><w:body>{body}</w:body></w:document>",
                    "word/styles.xml": "<w:styles xmlns:w='urn:w'><w:style w:styleId='H1'>"
                                       "<w:name w:val='heading 1'/></w:style></w:styles>"})


def odt(body):
    return archive({"mimetype": "application/vnd.oasis.opendocument.text",
                    "content.xml": "<o:c xmlns:o='urn:o' xmlns:text='urn:t'><o:body>"
                                   f"{body}</o:body></o:c>"})


def mail(number, words):
    return (f"From a@example.org Thu Jan  1 00:00:00 1970\nFrom: Mara <mara@example.org>\nTo: me@example.org\n"
            f"Date: Mon, 02 Mar 2026 09:30:00 +0100\nSubject: News {number}\n\n{words}\n\n")


# Each says one thing that nothing else says: name, bytes, kind, question, words of the answer, place.
DOCUMENTS = [
    ("page.html", HTML.encode(), "html", "Who keeps the lighthouse lamp burning?", "Penhaligon",
     "Harbour rules › The lighthouse"),
    ("report.pdf", pdf([["The committee met in spring."], ["The treasurer of the club is Ottilie Brandt."]]),
     "pdf", "Who is the treasurer of the club?", "Ottilie Brandt", "page 2"),
    ("book.epub", epub(["<h1>The Storm</h1><p>It rained for nine days.</p>",
                        "<h1>The Cellar</h1><p>The cartographer hid the map under a barrel of salt.</p>"]),
     "epub", "Where did the cartographer hide the map?", "barrel of salt", "The Cellar"),
    ("lease.docx", docx("<w:p><w:pPr><w:pStyle w:val='H1'/></w:pPr><w:r><w:t>Deposit</w:t></w:r></w:p>"
                        "<w:p><w:r><w:t>The landlord returns the deposit within six weeks.</w:t></w:r></w:p>"),
     "docx", "When does the landlord return the deposit?", "six weeks", "Deposit"),
    ("recipe.odt", odt("<text:h text:outline-level='1'>Dough</text:h>"
                       "<text:p>The baker lets the rye dough rest for fourteen hours.</text:p>"),
     "odt", "How long does the baker let the rye dough rest?", "fourteen hours", "Dough"),
    ("inbox.mbox", (mail(1, "The meeting is moved to Tuesday.") +
                    mail(2, "The plumber repaired the boiler and charged 230 crowns.")).encode(),
     "mail", "How much did the plumber charge for the boiler?", "230 crowns", "message 2, News 2"),
    ("notes.md", b"# Garden\n\nIt is small.\n\n## Frost\n\nThe gardener wraps the fig tree in jute sacking.\n",
     "text", "In what does the gardener wrap the fig tree?", "jute sacking", "Garden › Frost"),
    ("chat.jsonl", "".join(json.dumps({"role": role, "content": words, "time": "2026-03-01"}) + "\n"
                           for role, words in (("user", "Do you remember our walk in the rain?"),
                                               ("assistant", "We slept at the hostel Zum Roten Igel."))).encode(),
     "chat", "At which hostel did we sleep?", "Zum Roten Igel", "message 2"),
]


class Documents(cli.CliTestCase):
    def test_every_kind_is_found_cited_and_given_back(self):
        for name, content, *_ in DOCUMENTS:
            self.cli.write(name, content)
        reports = self.cli.results("ingest", *(name for name, *_ in DOCUMENTS))
        self.assertEqual([report["kind"] for report in reports], [kind for _, _, kind, *_ in DOCUMENTS])
        for name, content, kind, question, words, place in DOCUMENTS:
            with self.subTest(kind):
                best = self.cli.result("query", question)["evidence"][0]
                self.assertEqual((best["source"], best["place"]), (name, place))
                self.assertIn(words, best["text"])
                self.assertIn(f"{name}, {place}", self.cli.run("query", question).stdout.decode())
                self.assertEqual(self.cli.run("read", name, "--original").stdout, content)
                text = self.cli.result("read", name)["text"]
                self.assertIn(words, text)
                for noise in ("<", "sesame", "Contact |", "\0"):
                    self.assertNotIn(noise, text.replace("<mara@example.org>", ""))
        self.assertEqual(self.cli.run("verify").returncode, 0)
        self.assertEqual({report["media_type"] for report in reports}, {"text/plain"})  # as what is read
        self.assertEqual(reports[1]["metadata"]["original_media_type"], "application/pdf")
        again = self.cli.results("ingest", *(name for name, *_ in DOCUMENTS))
        self.assertEqual({report["outcome"] for report in again}, {"already_there"})

    def test_a_mailbox_that_grows_is_extended_and_a_changed_page_replaced(self):
        box = self.cli.write("inbox", mail(1, "The meeting is on Tuesday."))
        page = self.cli.write("page.html", HTML)
        self.cli.results("ingest", "inbox", "page.html")
        box.write_text(box.read_text() + mail(2, "The boiler is repaired."))
        self.assertEqual(self.cli.result("ingest", "inbox")["outcome"], "extended")
        self.assertEqual(self.cli.run("read", "inbox", "--original").stdout, box.read_bytes())
        page.write_text(HTML.replace("sesame", "barley"))
        self.assertEqual(self.cli.result("ingest", "page.html")["outcome"], "already_there")
        self.assertEqual(self.cli.run("read", "page.html", "--original").stdout, page.read_bytes())
        page.write_text(HTML.replace("dawn", "noon"))
        self.check_error(self.cli.run("ingest", "page.html"), 3, "invalid_input", "--replace")
        self.assertIn(b"dawn", self.cli.run("read", "page.html", "--original").stdout)
        self.assertEqual(self.cli.result("ingest", "page.html", "--replace")["outcome"], "replaced")
        self.assertEqual(self.cli.run("read", "page.html", "--original").stdout, page.read_bytes())

    def test_what_cannot_be_converted_says_why_and_stops_no_folder(self):
        faults = {"scan.pdf": (pdf([[], []]), "has no text; it may be scanned"),
                  "half.pdf": (pdf([["words"]])[:40], "damaged"),
                  "app.html": (b"<html><script>run()</script></html>", "has no text"),
                  "half.epub": (epub(["<p>x</p>"])[:60], "damaged archive"),
                  "sheet.xlsx": (archive({"xl/workbook.xml": "<w/>"}), "is a ZIP archive"),
                  "chat.jsonl": (b'{"role":"user","content":"a"}\nnothing\n', "line 2"),
                  "bomb.docx": (self.bomb(), "unpacks to more")}
        for name, (content, why) in faults.items():
            self.cli.write(f"mixed/{name}", content)
            self.check_error(self.cli.run("ingest", f"mixed/{name}"), 3, "invalid_input", name, why)
        self.assertFalse(self.cli.store.exists())
        self.cli.write("mixed/good.html", HTML)
        reports = self.cli.results("ingest", "mixed")
        outcomes = {report["source"]: report["outcome"] for report in reports}
        self.assertEqual(outcomes, {"mixed/good.html": "ingested",
                                    **{f"mixed/{name}": "skipped" for name in faults}})
        for report in reports:
            if report["outcome"] == "skipped":
                self.assertIn(faults[report["source"].removeprefix("mixed/")][1], report["reason"])
        done = self.cli.run("ingest", "mixed")
        self.assertIn(f"1 of {len(faults) + 1} taken in or there already, {len(faults)} passed over",
                      done.stdout.decode().splitlines()[-1])

    @staticmethod
    def bomb():
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            with file.open("word/document.xml", "w") as part:
                for _ in range(520):
                    part.write(b" " * (1 << 20))
        return buffer.getvalue()

    def test_bytes_are_taken_as_they_are_when_that_is_asked_for(self):
        self.cli.write("page.html", HTML)
        report = self.cli.result("ingest", "page.html", "--binary")
        self.assertEqual((report["kind"], report["media_type"]), ("text", "text/plain"))
        self.assertEqual(self.cli.run("read", "page.html").stdout, HTML.encode())

    def test_what_was_converted_moves_along_and_is_forgotten(self):
        self.cli.write("page.html", HTML)
        self.cli.result("ingest", "page.html")
        self.cli.result("reindex", "--into", self.cli.home / "new", "--encoder", "kv-last")
        done = self.cli.run("read", "page.html", "--original", "--store", self.cli.home / "new")
        self.assertEqual(done.stdout, HTML.encode())
        self.cli.result("forget", "page.html", "--yes", "--purge")
        self.assertNotIn(b"sesame", (self.cli.store / "data.mdb").read_bytes())


if __name__ == "__main__":
    cli.main()
