// SPDX-License-Identifier: Apache-2.0
// Documents of every kind that were cut, or of which bytes were flipped: text, or an error that
// says what is wrong; never an end of ours, and within the limits.
#include <gtest/gtest.h>

#include <iostream>

#include "core/utf8.h"
#include "documents/conversion.h"
#include "tests/documents/archive_writer.h"
#include "tests/documents/pdf_writer.h"
#include "tests/fuzz/mutations.h"

namespace mc::documents {
namespace {

constexpr int kMutationsPerKind = 160;  // each is a process

// What a document of a kind says, in its own markup.
std::string sound_text(Kind kind) {
    switch (kind) {
        case Kind::kHtml:
            return "<!doctype html><html><head><meta charset=utf-8><title>T</title></head><body>"
                   "<h1>A</h1><table><tr><td>b<td>ü</table><ul><li>c</ul><pre>d\n e</pre></body>";
        case Kind::kPdf:
            return pdf_of({{"The ferry leaves", "at nine."}, {"It returns."}});
        case Kind::kEpub:
            return "<h1>One</h1><p>It <b>began</b>.</p><table><tr><td>a</td></tr></table>";
        case Kind::kDocx:
            return "<w:p><w:pPr><w:pStyle w:val='Mine'/></w:pPr><w:r><w:t>Words</w:t></w:r></w:p>"
                   "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc></w:tr></w:tbl>";
        case Kind::kOdt:
            return "<text:h text:outline-level='1'>H</text:h><text:p>Words<text:s/></text:p>"
                   "<text:list><text:list-item><text:p>a</text:p></text:list-item></text:list>";
        case Kind::kMail:
            return "From a@b.c Thu Jan  1 00:00:00 1970\nFrom: a@b.c\nSubject: =?utf-8?q?=C3=A4?=\n"
                   "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; "
                   "charset=latin1\nContent-Transfer-Encoding: base64\n\nSGFsbG8=\n--b--\n";
        case Kind::kChat:
            return "{\"role\":\"user\",\"content\":\"a\",\"time\":1772359200}\n"
                   "{\"role\":\"bot\",\"content\":[{\"text\":\"b\"}]}\n";
    }
    return {};
}

// The document that holds such markup.
std::string document_of(Kind kind, const std::string& text) {
    switch (kind) {
        case Kind::kEpub:
            return epub_of({{"c1.xhtml", text}});
        case Kind::kDocx:
            return docx_of(text);
        case Kind::kOdt:
            return odt_of(text);
        default:
            return text;
    }
}

// Of every two, one is damaged inside and one as a whole; of every four, one is cut.
std::string damaged_document(Kind kind, int number, Rng& rng) {
    const std::string text = sound_text(kind);
    if (number % 2 == 0) return document_of(kind, test::mutate(text, rng));
    const std::string whole = document_of(kind, text);
    return number % 4 == 1 ? whole.substr(0, rng.below(whole.size())) : test::mutate(whole, rng);
}

class DocumentMutationTest : public testing::TestWithParam<Kind> {};

TEST_P(DocumentMutationTest, ADamagedDocumentIsTextOrAnError) {
    const Kind kind = GetParam();
    const std::string whole = document_of(kind, sound_text(kind));
    ConversionLimits limits;
    limits.text_bytes_max = 1 << 16;
    limits.seconds_max = 20;
    limits.memory_bytes_max = 512 << 20;
    const auto intact = convert(kind, whole, "document", limits);
    ASSERT_TRUE(intact) << intact.error().to_string();
    constexpr std::uint64_t kSeed = 20261130;
    std::cout << "seed " << kSeed << "\n";
    Rng rng(kSeed);
    int texts = 0;
    for (int i = 0; i < kMutationsPerKind; ++i) {
        const std::string damaged = damaged_document(kind, i, rng);
        const auto converted = convert(kind, damaged, "document", limits);
        if (converted) {
            ++texts;
            EXPECT_FALSE(find_invalid_utf8(converted->text));
            EXPECT_TRUE(are_places(converted->places));
        } else {
            EXPECT_EQ(converted.error().code(), ErrorCode::kInvalidInput);
            EXPECT_FALSE(converted.error().message().empty());
            // Survivable, but none of these few is to end a converter.
            EXPECT_EQ(converted.error().message().find("its converter ended by"), std::string::npos)
                << converted.error().to_string();
        }
    }
    std::cout << texts << " of " << kMutationsPerKind << " were text all the same\n";
}

INSTANTIATE_TEST_SUITE_P(Kinds, DocumentMutationTest, testing::ValuesIn(all_kinds()),
                         [](const auto& one) { return std::string(kind_name(one.param)); });

}  // namespace
}  // namespace mc::documents
