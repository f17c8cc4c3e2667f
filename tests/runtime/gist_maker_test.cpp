// SPDX-License-Identifier: Apache-2.0
// Text first, its gists later: what is found before they are made, and that they are the same ones.
#include "runtime/gist_maker.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "formats/half_float.h"
#include "tests/runtime/memory_fixture.h"
#include "tree/tree_check.h"

namespace mc::runtime {
namespace {

std::string story(int lines, const std::string& word = "bell") {
    std::string text;
    for (int i = 0; i < lines; ++i)
        text += "The " + word + " number " + std::to_string(i) + " rang over the harbour.\n";
    return text;
}

class GistMakerTest : public test::MemoryFixture {
  protected:
    DocumentRecord remember(const std::string& name, const std::string& text) {
        RememberRequest request;
        request.name = name;
        request.text = text;
        return keep(request).document;
    }

    std::unique_ptr<NodeStore> nodes() { return *memory_->engine().store().bank_store("default"); }

    DocumentRecord record(DocumentId id) { return **nodes()->find_document(id); }

    int make_all() {
        int steps = 0;
        while (memory_->make_some_gists()) ++steps;
        return steps;
    }

    void expect_whole(DocumentId id) {
        const auto store = nodes();
        EXPECT_EQ(tokens_without_gists(record(id)), 0U);
        const auto sound =
            check_tree(*store, id, memory_->engine().store().meta().identity.encoder.shape);
        EXPECT_TRUE(sound) << sound.error().to_string();
    }

    std::vector<float> numbers_of(DocumentId id, Level level, NodeIndex parent) {
        const auto group = *nodes()->find_gists(id, level, parent);
        std::vector<float> numbers;
        for (const Gist& gist : group->gists)
            std::ranges::transform(gist.kv, std::back_inserter(numbers), storage::half_to_float);
        return numbers;
    }

    void expect_same_gists(DocumentId a, DocumentId b, float tolerance) {
        const std::uint64_t end = record(a).gist_end;
        ASSERT_EQ(end, record(b).gist_end);
        for (Level level(1); level <= top_level(end); ++level.value)
            for (std::uint64_t i = 0; i * kBlockSize < node_count(end, level); ++i) {
                const auto ours = numbers_of(a, level, NodeIndex(i));
                const auto theirs = numbers_of(b, level, NodeIndex(i));
                ASSERT_EQ(ours.size(), theirs.size());
                for (std::size_t k = 0; k < ours.size(); ++k)
                    ASSERT_NEAR(ours[k], theirs[k], tolerance) << "level " << int(level.value);
            }
    }
};

TEST_F(GistMakerTest, TextIsFoundAndReadBeforeItHasGists) {
    const auto document = remember("bells", story(90));
    EXPECT_EQ(record(document.id).gist_end, 0U);
    EXPECT_EQ(memory_->status()->banks[0].tokens_without_gists, tail_begin(document.token_count));
    EXPECT_NE(best("Did bell number 71 ring?").find("71"), std::string::npos);
    EXPECT_EQ(whole("bells"), story(90));
    const auto sound =
        check_tree(*nodes(), document.id, memory_->engine().store().meta().identity.encoder.shape);
    EXPECT_TRUE(sound) << sound.error().to_string();
}

TEST_F(GistMakerTest, StepsMakeWhatOneGoMakes) {
    const auto by_steps = remember("by steps", story(90));
    const std::uint64_t blocks = by_steps.token_count / kBlockSize;
    ASSERT_GT(blocks, 40U);
    EXPECT_EQ(make_all(), static_cast<int>((blocks + 1) / 2));
    expect_whole(by_steps.id);
    const auto at_once = remember("at once", story(90));
    const auto session = *BankSession::open(memory_->engine(), "default", false);
    EXPECT_EQ(*make_gists(*session, at_once.id), blocks + blocks / kBlockSize);
    expect_whole(at_once.id);
    expect_same_gists(by_steps.id, at_once.id, 2e-2F);
    EXPECT_EQ(*make_gists(*session, at_once.id), 0U);
}

TEST_F(GistMakerTest, AnotherProcessGoesOn) {
    const auto document = remember("bells", story(60));
    ASSERT_TRUE(memory_->make_some_gists());
    ASSERT_TRUE(memory_->make_some_gists());
    EXPECT_EQ(record(document.id).gist_end, 128U);
    reopen();
    EXPECT_EQ(record(document.id).gist_end, 128U);
    make_all();
    expect_whole(document.id);
}

TEST_F(GistMakerTest, TextMayComeAndGoBetweenSteps) {
    const auto book = remember("book", story(60));
    ASSERT_TRUE(memory_->make_some_gists());
    for (int i = 0; i < 12; ++i) {
        say("chat", "anna", "message number " + std::to_string(i) + " of several words");
        memory_->make_some_gists();
    }
    const auto gone = remember("gone", story(40, "lamp"));
    ForgetRequest forget;
    forget.dry_run = false;
    forget.choice.documents = {"gone"};
    ASSERT_TRUE(memory_->forget(forget));
    make_all();
    expect_whole(book.id);
    expect_whole((*nodes()->find_document_by_source("session/chat"))->id);
    EXPECT_FALSE(*nodes()->find_document(gone.id));
}

TEST_F(GistMakerTest, WhatIsForgottenInBetweenIsInNoGist) {
    const std::string secret = "The code of the vault is 48213. ";
    const std::string rest = story(40);
    const auto told = remember("told", secret + rest);
    ASSERT_TRUE(memory_->make_some_gists());
    ForgetRequest forget;
    forget.dry_run = false;
    forget.choice.documents = {"told"};
    forget.choice.bytes = {{0, secret.size()}};
    ASSERT_TRUE(memory_->forget(forget));
    make_all();
    expect_whole(told.id);
    // As where the text was forgotten before any gist was made.
    const auto other = remember("other", "The code of the house is 77777. " + rest);
    forget.choice.documents = {"other"};
    ASSERT_TRUE(memory_->forget(forget));
    make_all();
    ASSERT_EQ(record(other.id).token_count, record(told.id).token_count);
    expect_same_gists(told.id, other.id, 2e-2F);
}

TEST_F(GistMakerTest, WindowsThatCoverDocumentsSayWhatTheyWant) {
    config_.policy = "hybrid";
    config_.budget_entries = 256;
    reopen();
    remember("bells", story(90));
    RecallRequest request;
    request.question = "Did bell number 71 ring?";
    const auto refused = memory_->recall(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(refused.error().to_string().find("megacontext gists"), std::string::npos);
    make_all();
    const auto found = memory_->recall(request);
    EXPECT_TRUE(found) << found.error().to_string();
}

TEST_F(GistMakerTest, AnInterruptLeavesWhatIsMade) {
    const auto document = remember("bells", story(500));
    ASSERT_GT(document.token_count, kTokensPerCommit + kBlockSize);
    const auto session = *BankSession::open(memory_->engine(), "default", false);
    const std::atomic<bool> cancelled = true;
    GistOptions options;
    options.cancelled = &cancelled;
    const auto stopped = make_gists(*session, document.id, options);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code(), ErrorCode::kCancelled);
    EXPECT_EQ(record(document.id).gist_end, kTokensPerCommit);
    EXPECT_EQ(documents_without_gists(session->nodes())->size(), 1U);
}

}  // namespace
}  // namespace mc::runtime
