// SPDX-License-Identifier: Apache-2.0
// What a session, or any document that is added to, said at a time: nothing that came later.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <ctime>

#include "core/span_math.h"
#include "runtime/versions.h"
#include "tests/runtime/memory_fixture.h"

namespace mc::runtime {
namespace {

std::string moment(std::int64_t time_us) {
    const std::time_t seconds = time_us / 1'000'000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> day{};
    std::strftime(day.data(), day.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 16> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%06lldZ",
                  static_cast<long long>(time_us % 1'000'000));
    return std::string(day.data()) + fraction.data();
}

class AsOfTest : public test::MemoryFixture {
  protected:
    // The time at which a message was in the memory.
    std::int64_t tell(const std::string& text, const std::string& role = "anna",
                      const std::string& session = "chat") {
        return say(session, role, text).document.updated_us;
    }

    std::string read_as_of(const std::string& document, std::int64_t time_us) {
        ReadRequest request;
        request.document = document;
        request.version.as_of = moment(time_us);
        const auto read = memory_->read(request);
        if (!read) return read.error().to_string();
        EXPECT_EQ(read->byte_count, read->text.size());
        return read->text;
    }

    // All evidence for a question, one after the other.
    std::string found_as_of(std::int64_t time_us, const std::string& question = "bell",
                            const RecallFilter& filter = {}) {
        RecallRequest request;
        request.question = question;
        request.filter = filter;
        request.filter.as_of = moment(time_us);
        request.passages_max = 50;
        const auto found = memory_->recall(request);
        EXPECT_TRUE(found) << found.error().to_string();
        std::string texts;
        if (found)
            for (const Evidence& one : found->report.evidence) texts += one.text + "|";
        return texts;
    }

    static bool holds(const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    }
};

TEST_F(AsOfTest, ASessionSaysWhatHadBeenSaidByThen) {
    const std::int64_t first = tell("The bell hangs in Lisbon.");
    const std::int64_t second = tell("The bell is cracked.", "ben");
    tell("The bell is mended.");
    for (const bool after_reopening : {false, true}) {
        if (after_reopening) reopen();
        EXPECT_EQ(read_as_of("session/chat", first), "anna: The bell hangs in Lisbon.\n");
        EXPECT_EQ(read_as_of("session/chat", second - 1), "anna: The bell hangs in Lisbon.\n");
        EXPECT_EQ(read_as_of("session/chat", second),
                  "anna: The bell hangs in Lisbon.\nben: The bell is cracked.\n");
        EXPECT_EQ(found_as_of(first), "anna: The bell hangs in Lisbon.|");
        RecallFilter filter;
        filter.session = "chat";
        const std::string found = found_as_of(second, "bell", filter);
        EXPECT_TRUE(holds(found, "Lisbon"));
        EXPECT_TRUE(holds(found, "cracked"));
        EXPECT_FALSE(holds(found, "mended"));
        EXPECT_TRUE(holds(best("bell mended"), "mended"));  // now as before
    }
}

TEST_F(AsOfTest, WhatIsCutOffIsCutWithinAPassageToo) {
    // Neither named nor dated, and a line that seems wrapped: the next message goes on in the same
    // passage.
    const std::string begin =
        "the bell that had hung in the tower by the sea for so long was bought";
    const std::int64_t first = tell(begin, "");
    tell("by a thief who hid it in a barn behind the mill of his uncle in Lisbon.", "");
    ASSERT_TRUE(holds(best("bell"), "thief"));
    EXPECT_EQ(found_as_of(first), begin + "|");
    EXPECT_EQ(found_as_of(first, "thief Lisbon"), "");
    ASSERT_TRUE(holds(best("bell"), "thief"));
}

TEST_F(AsOfTest, ManyMessagesOfSeveralSessionsAreToldApart) {
    std::vector<std::int64_t> times;
    std::vector<std::string> texts(3);
    std::vector<std::string> expected;
    for (int i = 0; i < 60; ++i) {
        const std::string session = "s" + std::to_string(i % 3);
        const std::string message = "bell number " + std::to_string(i) + " rang.";
        times.push_back(tell(message, "anna", session));
        texts[static_cast<std::size_t>(i % 3)] += "anna: " + message + "\n";
        expected.push_back(texts[0]);
    }
    while (memory_->make_some_gists()) {
    }
    for (std::size_t i = 0; i < times.size(); i += 7)
        EXPECT_EQ(read_as_of("session/s0", times[i]), expected[i]) << i;
    const std::string found = found_as_of(times[30], "bell number 30 and 31");
    EXPECT_TRUE(holds(found, "bell number 30 rang"));
    EXPECT_FALSE(holds(found, "bell number 31 rang"));
}

TEST_F(AsOfTest, AWindowOfWholeDocumentsEndsThereToo) {
    std::int64_t then = 0;
    for (int i = 0; i < 40; ++i) {
        const std::int64_t time = tell("The bell of " + std::to_string(i) + " rang.");
        if (i == 20) then = time;
    }
    while (memory_->make_some_gists()) {
    }
    const auto session = BankSession::open(memory_->engine(), "default", false);
    ASSERT_TRUE(session);
    RecallFilter filter;
    filter.as_of = moment(then);
    const auto scope = resolve(filter, {&(*session)->text()});
    ASSERT_TRUE(scope) << scope.error().to_string();
    ASSERT_EQ(scope->shortened.size(), 1U);
    const DocumentRecord& short_one = scope->shortened.front();
    for (const std::string policy : {"passages", "bm25", "recency", "uniform"}) {
        QueryOptions options;
        options.policy = policy;
        options.scope = *scope;
        options.background_entries = 4;
        FocusSession focus(**session);
        const auto report = focus.ask("Which bell rang?", options);
        ASSERT_TRUE(report) << policy << ": " << report.error().to_string();
        ASSERT_FALSE(report->evidence.empty()) << policy;
        EXPECT_LE(report->covered_tokens, short_one.token_count) << policy;
        for (const Evidence& one : report->evidence)
            EXPECT_LE(one.tokens.end, short_one.token_count) << policy;
        if (focus.window() != nullptr) {
            EXPECT_EQ(report->covered_tokens, short_one.token_count) << policy;
            continue;
        }
        for (const NodeId node : focus.answer_window()->background)
            EXPECT_LE(span_of(node).end, short_one.token_count);
    }
}

TEST_F(AsOfTest, ADocumentThatGrewSaysWhatItSaidAndItsFileOfThenIsGone) {
    RememberRequest request;
    request.name = "log.txt";
    request.text = "The bell rang once.\n";
    const std::int64_t first = keep(request).document.updated_us;
    request.text += "The bell rang twice.\n";
    keep(request);
    EXPECT_EQ(read_as_of("log.txt", first), "The bell rang once.\n");
    EXPECT_EQ(found_as_of(first), "The bell rang once.|");
    request.name = "chat.jsonl";
    request.text = "";
    request.media_type = "application/jsonl";
    request.file = "{\"role\":\"anna\",\"content\":\"The bell is old.\"}\n";
    const auto before = memory_->remember(request);
    if (!before) GTEST_SKIP() << before.error().to_string();  // without the converter
    request.file += "{\"role\":\"ben\",\"content\":\"It is new.\"}\n";
    keep(request);
    ReadRequest read;
    read.document = "chat.jsonl";
    read.version.as_of = moment(before->document.updated_us);
    const auto text = memory_->read(read);
    ASSERT_TRUE(text) << text.error().to_string();
    EXPECT_FALSE(holds(text->text, "new"));
    read.original = true;
    const auto original = memory_->read(read);
    ASSERT_FALSE(original);
    EXPECT_TRUE(holds(original.error().to_string(), "added to since"));
}

TEST_F(AsOfTest, APartThatIsForgottenIsNoAddition) {
    tell("The bell hangs in Lisbon.");
    const std::int64_t then = tell("The bell is cracked.");
    ForgetRequest forget;
    forget.choice.documents = {"session/chat"};
    forget.choice.bytes.push_back({6, 20});
    forget.dry_run = false;
    const auto forgotten = memory_->forget(forget);
    ASSERT_TRUE(forgotten) << forgotten.error().to_string();
    const std::string now = whole("session/chat");
    tell("The bell is mended.");
    EXPECT_EQ(read_as_of("session/chat", then), now);
}

}  // namespace
}  // namespace mc::runtime
