// SPDX-License-Identifier: Apache-2.0
// The verbs of an agent's memory on a tiny model and a store on disk.
#include "runtime/memory.h"

#include <gtest/gtest.h>

#include "runtime/remember_request.h"
#include "runtime/remembering.h"
#include "tests/runtime/memory_fixture.h"

namespace mc::runtime {
namespace {

using MemoryTest = test::MemoryFixture;

TEST_F(MemoryTest, AnEmptyMemoryKnowsNothingAndThatIsNoError) {
    RecallRequest request;
    request.question = "Where is the bell?";
    const auto found = memory_->recall(request);
    ASSERT_TRUE(found) << found.error().to_string();
    EXPECT_FALSE(found->report.known);
    EXPECT_TRUE(found->report.evidence.empty());
}

TEST_F(MemoryTest, AMessageIsFoundAtOnceAndAfterReopening) {
    const auto first = say("chat", "anna", "The bell hangs in Lisbon.");
    EXPECT_EQ(first.outcome, IngestOutcome::kIngested);
    EXPECT_NE(best("Where is the bell?").find("Lisbon"), std::string::npos);
    const auto second = say("chat", "ben", "My tortoise is named Zebulon.");
    EXPECT_EQ(second.outcome, IngestOutcome::kExtended);
    EXPECT_EQ(second.document.id, first.document.id);
    EXPECT_NE(best("name of the tortoise").find("Zebulon"), std::string::npos);
    const std::string text =
        "anna: The bell hangs in Lisbon.\nben: My tortoise is named Zebulon.\n";
    EXPECT_EQ(whole("session/chat"), text);
    EXPECT_EQ(second.bytes, (ByteSpan{text.find("ben"), text.size()}));
    reopen();
    say("chat", "anna", "It is old.");
    EXPECT_EQ(whole("session/chat"), text + "anna: It is old.\n");
    EXPECT_NE(best("name of the tortoise", "chat").find("Zebulon"), std::string::npos);
}

TEST_F(MemoryTest, ManyMessagesMakeTheDocumentThatOneIngestMakes) {
    std::string text;
    for (int i = 0; i < 60; ++i) {
        const std::string message = "message number " + std::to_string(i) + " of many words";
        say("long", "anna", message);
        text += "anna: " + message + "\n";
        if (i == 30) reopen();
    }
    while (memory_->make_some_gists()) {
    }
    EXPECT_EQ(whole("session/long"), text);
    const auto session = BankSession::open(memory_->engine(), "default", false);
    const auto document = *(*session)->nodes().find_document_by_source("session/long");
    EXPECT_TRUE(document->complete);
    EXPECT_EQ(document->content_hash, xxh3_128(std::as_bytes(std::span(text))));
    const std::uint64_t blocks = document->token_count / kBlockSize;
    EXPECT_GT(blocks, 32U);
    for (std::uint64_t parent = 0; parent * kBlockSize < blocks; ++parent) {
        const auto group =
            *(*session)->nodes().find_gists(document->id, Level(1), NodeIndex(parent));
        ASSERT_TRUE(group);
        EXPECT_EQ(group->gists.size(), std::min(kBlockSize, blocks - parent * kBlockSize));
    }
}

std::string long_text() {
    std::string text;
    for (int i = 0; text.size() < 30'000; ++i)
        text += "Ship " + std::to_string(i * 7919) + " came in with grain. ";
    return text;
}

TEST_F(MemoryTest, ADocumentInStepsIsTheOneAtOnceWhateverIsAskedBetween) {
    RememberRequest request;
    request.text = long_text();
    request.name = "at once";
    const auto at_once = keep(request);
    request.name = "in steps";
    const auto work = memory_->begin_remember(request);
    ASSERT_TRUE(work) << work.error().to_string();
    int steps = 0;
    std::optional<Remembered> done;
    while (!done) {
        const std::uint64_t bytes_before = (*work)->progress().bytes_done;
        const auto step = (*work)->step();
        ASSERT_TRUE(step) << step.error().to_string();
        done = *step;
        ++steps;
        EXPECT_GT((*work)->progress().bytes_done, bytes_before);
        EXPECT_EQ((*work)->progress().bytes_total, request.text.size());
        say("chat", "anna", "Step " + std::to_string(steps) + " is done.");
        EXPECT_NE(best("Which step is done?", "chat").find("is done"), std::string::npos);
    }
    EXPECT_GT(steps, 2);
    EXPECT_EQ(done->outcome, IngestOutcome::kIngested);
    EXPECT_EQ(done->document.content_hash, at_once.document.content_hash);
    EXPECT_EQ(done->document.token_count, at_once.document.token_count);
    EXPECT_EQ(done->document.token_count, (*work)->progress().tokens_done);
    EXPECT_TRUE(done->document.complete);
    EXPECT_EQ(keep(request).outcome, IngestOutcome::kAlreadyThere);
}

TEST_F(MemoryTest, ADocumentLeftBetweenStepsIsGoneOnFromAndOneForgottenThereIsNot) {
    RememberRequest request;
    request.text = long_text();
    request.name = "left";
    for (const bool is_forgotten : {false, true}) {
        const auto work = memory_->begin_remember(request);
        ASSERT_TRUE(work);
        EXPECT_FALSE((*work)->step()->has_value());
        if (!is_forgotten) continue;
        ForgetRequest forget;
        forget.choice.documents = {"left"};
        forget.dry_run = false;
        ASSERT_TRUE(memory_->forget(forget));
        const auto step = (*work)->step();
        ASSERT_FALSE(step);
        EXPECT_EQ(step.error().code(), ErrorCode::kCancelled);
    }
    {
        const auto work = memory_->begin_remember(request);
        EXPECT_FALSE((*work)->step()->has_value());
    }
    reopen();
    EXPECT_EQ(keep(request).outcome, IngestOutcome::kResumed);
    request.text.resize(kRememberBytesMax + 1, 'x');
    EXPECT_NE(refusal(request).find("respond-async"), std::string::npos);
}

TEST_F(MemoryTest, ARepeatedKeyIsAnsweredAndNotRepeated) {
    const auto first = say("chat", "anna", "One.", "key-1");
    const auto second = say("chat", "anna", "Two.", "key-2");
    for (const bool after_reopening : {false, true}) {
        if (after_reopening) reopen();
        const auto again = say("chat", "anna", "One.", "key-1");
        EXPECT_EQ(again.outcome, IngestOutcome::kAlreadyThere);
        EXPECT_EQ(again.bytes, first.bytes);
        EXPECT_EQ(say("chat", "anna", "Two.", "key-2").bytes, second.bytes);
    }
    EXPECT_EQ(whole("session/chat"), "anna: One.\nanna: Two.\n");
    RememberRequest other;
    other.session = "chat";
    other.text = "Three.";
    other.idempotency_key = "key-1";
    EXPECT_NE(refusal(other).find("another message"), std::string::npos);

    RememberRequest note;
    note.text = "A note.";
    note.idempotency_key = "note-1";
    EXPECT_EQ(keep(note).outcome, IngestOutcome::kIngested);
    EXPECT_EQ(keep(note).outcome, IngestOutcome::kAlreadyThere);
    note.text = "A note. And more.";
    EXPECT_NE(refusal(note).find("another text"), std::string::npos);
}

TEST_F(MemoryTest, TheSameTextTwiceIsOneDocument) {
    RememberRequest request;
    request.text = "Anna keeps a tortoise.";
    const auto first = keep(request);
    EXPECT_EQ(keep(request).document.id, first.document.id);
    EXPECT_EQ(keep(request).outcome, IngestOutcome::kAlreadyThere);
    request.event_time = "2026-03-01";
    const auto dated = keep(request);
    EXPECT_NE(dated.document.id, first.document.id);
    EXPECT_EQ(dated.document.metadata.at("event_time"), "2026-03-01");
    request.name = "anna";
    request.metadata = {{"kind", "fact"}};
    EXPECT_EQ(keep(request).document.source_name, "anna");
    reopen();
    const auto read = memory_->read({"", "anna", {}, {}});
    EXPECT_EQ(read->document.metadata.at("kind"), "fact");
    request.text = "Something else.";
    EXPECT_NE(refusal(request).find("other content"), std::string::npos);
}

TEST_F(MemoryTest, WhatCannotBeKeptIsRefusedByField) {
    const auto with = [](auto change) {
        RememberRequest request;
        request.text = "x";
        change(request);
        return request;
    };
    using Request = RememberRequest;
    EXPECT_NE(refusal(with([](Request& r) { r.text = " \n"; })).find("text"), std::string::npos);
    EXPECT_NE(
        refusal(with([](Request& r) { r.text.assign(kRememberBytesMax + 1, 'x'); })).find("text"),
        std::string::npos);
    EXPECT_NE(refusal(with([](Request& r) { r.event_time = "yesterday"; })).find("event_time"),
              std::string::npos);
    EXPECT_NE(refusal(with([](Request& r) { r.role = "a"; })).find("role"), std::string::npos);
    EXPECT_NE(refusal(with([](Request& r) { r.name = "session/x"; })).find("name"),
              std::string::npos);
    EXPECT_NE(refusal(with([](Request& r) { r.session = "a\nb"; })).find("session"),
              std::string::npos);
    EXPECT_NE(refusal(with([](Request& r) {
                  r.session = "s";
                  r.metadata = {{"a", "b"}};
              })).find("metadata"),
              std::string::npos);
    EXPECT_NE(refusal(with([](Request& r) {
                  r.metadata = {{"megacontext.x", "b"}};
              })).find("metadata"),
              std::string::npos);
    EXPECT_NE(refusal(with([](Request& r) { r.bank = "../other"; })).find("bank"),
              std::string::npos);
}

TEST_F(MemoryTest, BanksDoNotSeeEachOther) {
    RememberRequest request;
    request.bank = "work";
    request.text = "The bell hangs in Lisbon.";
    const auto kept = keep(request);
    EXPECT_EQ(best("Where is the bell?"), "");
    EXPECT_FALSE(memory_->read({"", kept.document.source_name, {}, {}}));
    RecallRequest recall;
    recall.question = "Where is the bell?";
    recall.bank = "work";
    EXPECT_EQ(memory_->recall(recall)->report.evidence.size(), 1U);
    recall.bank = "nobody";
    EXPECT_FALSE(memory_->recall(recall));
}

TEST_F(MemoryTest, PassagesStayWithinTheTokensAskedFor) {
    for (int i = 0; i < 9; ++i) {
        RememberRequest request;
        request.text = "The bell number " + std::to_string(i) + " hangs in Lisbon.";
        keep(request);
    }
    RecallRequest recall;
    recall.question = "bell";
    recall.passages_max = 9;
    const auto all = memory_->recall(recall);
    ASSERT_TRUE(all);
    recall.tokens_max = all->token_count / 2;
    const auto half = memory_->recall(recall);
    ASSERT_TRUE(half) << half.error().to_string();
    EXPECT_LE(half->token_count, *recall.tokens_max);
    EXPECT_LT(half->report.evidence.size(), all->report.evidence.size());
    EXPECT_FALSE(half->report.evidence.empty());
    EXPECT_LE(half->report.cost, *recall.tokens_max);
}

TEST_F(MemoryTest, ForgettingIsADryRunUnlessTold) {
    RememberRequest request;
    request.name = "anna";
    request.text = "Anna keeps a tortoise.";
    keep(request);
    ForgetRequest forget;
    forget.choice.documents = {"anna"};
    EXPECT_EQ(memory_->forget(forget)->documents.size(), 1U);
    EXPECT_NE(best("tortoise"), "");
    forget.dry_run = false;
    EXPECT_EQ(memory_->forget(forget)->documents.size(), 1U);
    EXPECT_EQ(best("tortoise"), "");
    EXPECT_FALSE(memory_->forget(forget));
    forget.choice.all = true;
    EXPECT_EQ(memory_->forget(forget).error().code(), ErrorCode::kUsage);
}

TEST_F(MemoryTest, ReadGivesTheBytesAskedForAndStatusCounts) {
    RememberRequest request;
    request.name = "anna";
    request.text = "Anna keeps a tortoise.";
    keep(request);
    EXPECT_EQ(memory_->read({"", "anna", 5, 10})->text, "keeps");
    EXPECT_FALSE(memory_->read({"", "anna", 5, 1000}));
    EXPECT_FALSE(memory_->read({"", "anna", 9, 8}));
    const auto status = memory_->status();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->banks.size(), 1U);
    EXPECT_EQ(status->banks[0].byte_count, request.text.size());
    EXPECT_EQ(memory_->newest_documents("", 5)->front().source_name, "anna");
}

TEST(MessageKeysTest, KeepsTheLastAndReadsItsOwnRecord) {
    MessageKeys keys("");
    for (std::uint64_t i = 0; i < kMessageKeysMax + 1; ++i)
        keys.add("key " + std::to_string(i), "line", {i, i + 1});
    const MessageKeys again(keys.record());
    EXPECT_EQ(again.record(), keys.record());
    EXPECT_FALSE(*again.find("key 0", "line"));
    EXPECT_EQ(**again.find("key 1", "line"), (ByteSpan{1, 2}));
    EXPECT_FALSE(again.find("key 1", "another line"));
    EXPECT_EQ(MessageKeys("no such record").record(), "");
}

}  // namespace
}  // namespace mc::runtime
