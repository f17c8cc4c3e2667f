// SPDX-License-Identifier: Apache-2.0
// Mail and exports of chats: one message after the other, each a place.
#include <gtest/gtest.h>

#include "documents/converters/converters.h"

namespace mc::documents {
namespace {

ConvertedText message_text(Kind kind, const std::string& content) {
    auto result = convert_here(kind, content, 1 << 20);
    EXPECT_TRUE(result) << (result ? "" : result.error().to_string());
    return result ? *result : ConvertedText{};
}

constexpr const char* kMessage =
    "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\n"
    "To: Mara <mara@example.org>\r\n"
    "Date: Mon, 02 Mar 2026 09:30:00 +0100\r\n"
    "Subject: =?utf-8?B?TMO8bmNo?=\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=\"b\"\r\n"
    "\r\n"
    "--b\r\n"
    "Content-Type: multipart/alternative; boundary=\"c\"\r\n\r\n"
    "--c\r\n"
    "Content-Type: text/plain; charset=iso-8859-1\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    "At the caf=E9, at noon=\r\n today.\r\n"
    "--c\r\n"
    "Content-Type: text/html\r\n\r\n<p>At the café</p>\r\n"
    "--c--\r\n"
    "--b\r\n"
    "Content-Type: application/pdf; name=\"menu.pdf\"\r\n"
    "Content-Disposition: attachment; filename=\"menu.pdf\"\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n"
    "--b--\r\n";

TEST(MailTest, HeadersAndTextAreDecodedAndAttachmentsNamed) {
    const ConvertedText mail = message_text(Kind::kMail, kMessage);
    EXPECT_EQ(mail.text,
              "From: Jürgen <j@example.org>\nTo: Mara <mara@example.org>\n"
              "Date: 2026-03-02 09:30 +0100\nSubject: Lünch\n\n"
              "At the café, at noon today.\n\n[attachment: menu.pdf]\n");
    EXPECT_EQ(mail.places, (std::vector<Place>{{0, "message 1, Lünch"}}));
}

TEST(MailTest, AMessageOfHtmlAloneIsText) {
    EXPECT_EQ(message_text(Kind::kMail,
                           "From: a@b.c\nSubject: x\nContent-Type: text/html; charset=utf-8\n"
                           "Content-Transfer-Encoding: base64\n\n"
                           "PHA+SMOkbGxvPC9wPjxzY3JpcHQ+MTwvc2NyaXB0Pg==\n")
                  .text,
              "From: a@b.c\nSubject: x\n\nHällo\n");
}

TEST(MailTest, AMailboxIsMessageAfterMessage) {
    std::string box;
    for (int i = 1; i <= 3; ++i)
        box += "From a@b.c Thu Jan  1 00:00:00 1970\nFrom: a@b.c\nSubject: No. " +
               std::to_string(i) + "\n\nText " + std::to_string(i) + "\n\n";
    const ConvertedText mail = message_text(Kind::kMail, box);
    ASSERT_EQ(mail.places.size(), 3U);
    EXPECT_EQ(mail.places[2],
              (Place{mail.text.find("From: a@b.c\nSubject: No. 3"), "message 3, No. 3"}));
    EXPECT_TRUE(mail.text.ends_with("Subject: No. 3\n\nText 3\n")) << mail.text;
}

TEST(MailTest, AMailboxThatGrowsGoesOnAsText) {
    const std::string one = "From a@b.c Thu Jan  1 00:00:00 1970\nFrom: a@b.c\nSubject: 1\n\nA\n\n";
    const std::string two = "From a@b.c Thu Jan  1 00:00:00 1970\nFrom: a@b.c\nSubject: 2\n\nB\n";
    const std::string before = message_text(Kind::kMail, one).text;
    EXPECT_TRUE(message_text(Kind::kMail, one + two).text.starts_with(before));
}

TEST(MailTest, MessagesInsideMessagesEndSomewhere) {
    std::string mail = "From: a@b.c\nSubject: x\n";
    for (int i = 0; i < 2000; ++i) mail += "Content-Type: message/rfc822\n\nSubject: y\n";
    const auto result = convert_here(Kind::kMail, mail + "\nDeep\n", 1 << 20);
    EXPECT_TRUE(result || result.error().code() == ErrorCode::kInvalidInput);
}

TEST(ChatTest, MessagesAreLinesAsInASession) {
    const ConvertedText chat = message_text(
        Kind::kChat,
        "{\"role\":\"user\",\"content\":\"Where is the lantern?\",\"time\":\"2026-03-01\"}\n\n"
        "{\"author\":{\"role\":\"assistant\"},\"content\":{\"parts\":[\"In the\\nboat house.\"]},"
        "\"create_time\":1772359200.5}\n"
        "{\"role\":\"tool\",\"content\":\"\"}\n"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Thanks\"}]}");
    EXPECT_EQ(chat.text,
              "[2026-03-01] user: Where is the lantern?\n"
              "[2026-03-01T10:00:00Z] assistant: In the\nboat house.\nuser: Thanks\n");
    EXPECT_EQ(chat.places, (std::vector<Place>{{0, "message 1"},
                                               {chat.text.find("[2026-03-01T"), "message 2"},
                                               {chat.text.find("user: Th"), "message 4"}}));
}

TEST(ChatTest, ConversationsHoldMessages) {
    const ConvertedText chat =
        message_text(Kind::kChat,
                     "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"bot\","
                     "\"content\":\"b\"}]}\n"
                     "{\"messages\":[{\"role\":\"user\",\"content\":\"c\"}]}\n");
    EXPECT_EQ(chat.text, "user: a\nbot: b\n\nuser: c\n");
    EXPECT_EQ(chat.places.back().label, "conversation 2, message 1");
}

TEST(ChatTest, ABrokenLineIsNamed) {
    for (const std::string& line :
         {std::string("{\"role\":"), std::string("[1]"), std::string(100'000, '['),
          std::string("{\"a\":") + std::string(1000, '[') + std::string(1000, ']') + "}"}) {
        const auto result =
            convert_here(Kind::kChat, "{\"role\":\"a\",\"content\":\"b\"}\n" + line, 1 << 20);
        ASSERT_FALSE(result);
        EXPECT_NE(result.error().message().find("its line 2"), std::string::npos);
    }
}

}  // namespace
}  // namespace mc::documents
