// SPDX-License-Identifier: Apache-2.0
// EPUB, DOCX and ODT: what a reader reads, where it stands, and archives that mean harm.
#include <gtest/gtest.h>

#include "documents/converters/converters.h"
#include "documents/converters/office.h"
#include "tests/documents/archive_writer.h"

namespace mc::documents {
namespace {

ConvertedText office_text(Kind kind, const std::string& content) {
    EXPECT_EQ(*detect_kind(content, "document"), kind);
    auto result = convert_here(kind, content, 1 << 20);
    EXPECT_TRUE(result) << (result ? "" : result.error().to_string());
    return result ? *result : ConvertedText{};
}

void expect_error(Kind kind, const std::string& content, const std::string& part) {
    const auto result = convert_here(kind, content, 1 << 20);
    ASSERT_FALSE(result) << part;
    EXPECT_EQ(result.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(result.error().to_string().find(part), std::string::npos)
        << result.error().to_string();
}

Place place_at(const ConvertedText& text, const std::string& words, const std::string& label) {
    return {text.text.find(words), label};
}

TEST(EpubTest, ChaptersStandInTheOrderOfTheSpineUnderTheirHeadings) {
    const ConvertedText book = office_text(
        Kind::kEpub, epub_of({{"front.xhtml", "<p>For M.</p>"},
                              {"c%201.xhtml", "<h1>One</h1><p>It began.</p>"},
                              {"c2.xhtml", "<p>It went on.</p><h2>Terms</h2><p>Rules.</p>"}},
                             {{"OEBPS/c 1.xhtml", "<h1>One</h1><p>It began.</p>"}}));
    EXPECT_EQ(book.text, "For M.\n\nOne\n\nIt began.\n\nIt went on.\n\nTerms\n\nRules.\n");
    EXPECT_EQ(book.places, (std::vector<Place>{{0, "part 1"},
                                               place_at(book, "One", "One"),
                                               place_at(book, "Terms", "One › Terms")}));
}

TEST(EpubTest, AProtectedBookSaysSo) {
    expect_error(Kind::kEpub,
                 epub_of({{"c1.xhtml", "<p>x</p>"}},
                         {{"META-INF/encryption.xml",
                           "<encryption><EncryptedData><CipherData><CipherReference "
                           "URI='OEBPS/c1.xhtml'/></CipherData></EncryptedData></encryption>"}}),
                 "protected (DRM)");
}

TEST(EpubTest, AnArchiveThatIsNoBookSaysWhatItLacks) {
    expect_error(Kind::kEpub, zip_of({{"mimetype", "application/epub+zip"}}),
                 "lacks its part META-INF/container.xml");
    expect_error(Kind::kEpub, "PK\x03\x04 and nothing more", "damaged archive");
    expect_error(Kind::kEpub, epub_of({{"c1.xhtml", "<img src='x.png'/>"}}), "no text");
}

constexpr const char* kDocxBody =
    "<w:p><w:pPr><w:pStyle w:val='berschrift1'/></w:pPr><w:r><w:t>Lease</w:t></w:r></w:p>"
    "<w:p><w:r><w:t xml:space='preserve'>The rent is </w:t></w:r><w:r><w:t>900 €.</w:t></w:r></w:p>"
    "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>water</w:t></w:r></w:p>"
    "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>heat</w:t></w:r></w:p>"
    "<w:p><w:pPr><w:pStyle w:val='Mine'/></w:pPr><w:r><w:t>Dates</w:t></w:r></w:p>"
    "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>from</w:t></w:r></w:p></w:tc>"
    "<w:tc><w:p><w:r><w:t>May</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    "<w:p><w:del><w:r><w:delText>not</w:delText></w:r></w:del><w:r><w:t>End</w:t><w:br/>"
    "<w:t>line</w:t></w:r></w:p>";

TEST(DocxTest, ParagraphsListsTablesAndHeadingsWhateverTheirStylesAreCalled) {
    const ConvertedText text = office_text(Kind::kDocx, docx_of(kDocxBody));
    EXPECT_EQ(text.text,
              "Lease\n\nThe rent is 900 €.\n\n- water\n- heat\n\nDates\n\n| from | May |\n\n"
              "End\nline\n");
    EXPECT_EQ(text.places,
              (std::vector<Place>{{0, "Lease"}, place_at(text, "Dates", "Lease › Dates")}));
}

TEST(DocxTest, FootnotesStandAtTheEnd) {
    const ConvertedText text =
        office_text(Kind::kDocx, docx_of("<w:p><w:r><w:t>Words.</w:t></w:r></w:p>",
                                         {{"word/footnotes.xml",
                                           "<w:footnotes xmlns:w='x'><w:footnote><w:p><w:r><w:t>A "
                                           "note.</w:t></w:r></w:p></w:footnote></w:footnotes>"}}));
    EXPECT_EQ(text.text, "Words.\n\nA note.\n");
}

TEST(OdtTest, ParagraphsListsTablesAndHeadings) {
    const ConvertedText text = office_text(
        Kind::kOdt,
        odt_of("<text:p text:style-name='Title'>Lease</text:p>"
               "<text:h text:outline-level='1'>Rent</text:h>"
               "<text:p>It is<text:s text:c='2'/>900 €<text:note><text:note-citation>1"
               "</text:note-citation><text:note-body><text:p>a month</text:p></text:note-body>"
               "</text:note>.</text:p>"
               "<text:list><text:list-item><text:p>water</text:p></text:list-item>"
               "<text:list-item><text:p>heat</text:p></text:list-item></text:list>"
               "<table:table><table:table-row><table:table-cell><text:p>from</text:p>"
               "</table:table-cell><table:table-cell table:number-columns-repeated='99999999'>"
               "<text:p>May</text:p></table:table-cell></table:table-row></table:table>"
               "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"));
    EXPECT_EQ(text.text,
              "Lease\n\nRent\n\nIt is 900 € [a month ].\n\n- water\n- heat\n\n| from | May |\n");
    EXPECT_EQ(text.places,
              (std::vector<Place>{{0, "Lease"}, place_at(text, "Rent", "Lease › Rent")}));
}

TEST(OdtTest, APasswordIsNamed) {
    expect_error(Kind::kOdt, odt_of("", {{"META-INF/manifest.xml", "<m><encryption-data/></m>"}}),
                 "has a password");
}

TEST(HostileArchiveTest, ABombIsNotUnpacked) {
    const std::string zeros(kUnpackedBytesMax + 1, ' ');
    expect_error(Kind::kDocx, zip_of({{"word/document.xml", "<d>" + zeros + "</d>"}}),
                 "unpacks to more");
}

TEST(HostileArchiveTest, ThousandsOfEntriesAreRefused) {
    Entries entries;
    for (int i = 0; i < 20'001; ++i) entries.emplace_back("word/" + std::to_string(i), "");
    expect_error(Kind::kDocx, zip_of(entries), "more than 20000 files");
}

TEST(HostileArchiveTest, EntitiesAreNotExpandedAndNothingOutsideIsRead) {
    std::string dtd = "<!DOCTYPE d [<!ENTITY a0 'lol'>";
    for (int i = 1; i < 12; ++i) {
        dtd += "<!ENTITY a" + std::to_string(i) + " '";
        for (int j = 0; j < 10; ++j) dtd += "&a" + std::to_string(i - 1) + ";";
        dtd += "'>";
    }
    dtd += "<!ENTITY host SYSTEM 'file:///etc/passwd'>]>";
    const std::string xml = dtd + "<d xmlns:w='x'><w:p><w:t>a &a11; &host; b</w:t></w:p></d>";
    const auto text = convert_here(Kind::kDocx, zip_of({{"word/document.xml", xml}}), 1 << 20);
    if (!text) return;  // refused is as good
    EXPECT_LT(text->text.size(), 100U);
    EXPECT_EQ(text->text.find("root"), std::string::npos);
}

TEST(HostileArchiveTest, XmlThatNestsTooDeepOrBreaksOffIsNamed) {
    std::string deep;
    for (int i = 0; i < 5000; ++i) deep += "<w>";
    expect_error(Kind::kDocx, zip_of({{"word/document.xml", deep}}), "word/document.xml is no XML");
    expect_error(Kind::kOdt, zip_of({{"content.xml", "<a><b></a>"}}), "content.xml is no XML");
}

}  // namespace
}  // namespace mc::documents
