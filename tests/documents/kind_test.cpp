// SPDX-License-Identifier: Apache-2.0
#include "documents/kind.h"

#include <gtest/gtest.h>

namespace mc::documents {
namespace {

using std::string_literals::operator""s;

std::optional<Kind> kind_of(std::string_view content, std::string_view name) {
    const auto kind = detect_kind(content, name);
    EXPECT_TRUE(kind) << name;
    return kind ? *kind : std::nullopt;
}

TEST(KindTest, NamesLeadBack) {
    for (const Kind kind : all_kinds()) {
        EXPECT_EQ(kind_from_name(kind_name(kind)), kind);
        EXPECT_FALSE(media_type_of(kind).empty());
    }
    EXPECT_FALSE(kind_from_name("text"));
}

TEST(KindTest, ContentDecidesBeforeTheName) {
    EXPECT_EQ(kind_of("%PDF-1.7\n…", "notes.txt"), Kind::kPdf);
    EXPECT_EQ(kind_of("%PDF-1.7\n…", "page.html"), Kind::kPdf);
    EXPECT_EQ(kind_of("<!DOCTYPE html><p>a", "page.html"), Kind::kHtml);
    EXPECT_EQ(kind_of("\xef\xbb\xbf <!-- saved -->\n<HTML lang=en>", "page"), Kind::kHtml);
    EXPECT_EQ(kind_of("<?xml version='1.0'?>\n<html xmlns='x'>", "c1.xhtml"), Kind::kHtml);
    EXPECT_EQ(kind_of("\xff\xfe<\0h\0t\0m\0l\0>\0"s, "page.htm"), Kind::kHtml);
    EXPECT_EQ(kind_of("<p>part of a page</p>", "part.html"), Kind::kHtml);
    EXPECT_EQ(kind_of("Plain words of a page without a tag.", "page.html"), std::nullopt);
}

TEST(KindTest, NotesAndProgramsThatBeginLikeADocumentAreText) {
    EXPECT_EQ(kind_of("<html><?php echo 1 ?>", "index.php"), std::nullopt);
    EXPECT_EQ(kind_of("<html> is the first tag of a page.\n", "notes.md"), std::nullopt);
    EXPECT_EQ(kind_of("From: me\nTo: you\nSubject: x\n\nHello", "draft.txt"), std::nullopt);
    EXPECT_EQ(kind_of("# A heading\n\n<p align=center>x</p>", "README.md"), std::nullopt);
    EXPECT_EQ(kind_of("{\"role\":\"user\",\"content\":\"x\"}", "one.json"), std::nullopt);
    EXPECT_EQ(kind_of("Author: me\nTitle: x\n\nHello", "README"), std::nullopt);
}

TEST(KindTest, MailAndChatsAreKnownByTheirFirstLines) {
    EXPECT_EQ(kind_of("Subject: x\r\nFrom: a@b.c\r\n\r\nHello", "one.eml"), Kind::kMail);
    EXPECT_EQ(kind_of("From a@b.c Thu Jan  1 00:00:00 1970\nFrom: a@b.c\nTo: d@e.f\n\nHi", "inbox"),
              Kind::kMail);
    EXPECT_EQ(kind_of("From here on it is a story.\nOnce: upon\n", "story"), std::nullopt);
    EXPECT_EQ(kind_of("{\"role\":\"user\",\"content\":\"hello\"}\n{}", "chat.jsonl"), Kind::kChat);
    EXPECT_EQ(kind_of("{\"messages\":[]}", "set.jsonl"), Kind::kChat);
    EXPECT_EQ(kind_of("{\"id\":1,\"content\":\"no one says this\"}", "log.jsonl"), std::nullopt);
    EXPECT_EQ(kind_of("{not json", "log.jsonl"), std::nullopt);
}

TEST(KindTest, AMediaTypeNamesAKind) {
    for (const Kind kind : all_kinds()) EXPECT_EQ(kind_from_media_type(media_type_of(kind)), kind);
    EXPECT_EQ(kind_from_media_type("Text/HTML ; charset=utf-8"), Kind::kHtml);
    EXPECT_EQ(kind_from_media_type("application/mbox"), Kind::kMail);
    for (const char* other : {"", "text/plain", "text/htm", "application/zip", "image/png"})
        EXPECT_EQ(kind_from_media_type(other), std::nullopt) << other;
}

TEST(KindTest, ArchivesAreTakenByWhatIsInThem) {
    std::string epub = "PK\x03\x04";
    epub.append(26, '\0').append("mimetypeapplication/epub+zip");
    EXPECT_EQ(kind_of(epub, "book"), Kind::kEpub);
    EXPECT_EQ(kind_of("PK\x03\x04…word/document.xml…", "x.zip"), Kind::kDocx);
    const auto other = detect_kind("PK\x03\x04…xl/workbook.xml…", "sheet.xlsx");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(other.error().message().find("sheet.xlsx is a ZIP archive"), std::string::npos);
    EXPECT_FALSE(detect_kind("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1…", "old.doc"));
}

}  // namespace
}  // namespace mc::documents
