// SPDX-License-Identifier: Apache-2.0
// Laws of memories: every fact stands in the text where the plan says, at its place of a block.
#include "eval/answers/memory_plan.h"

#include <gtest/gtest.h>

#include <set>

#include "core/span_math.h"
#include "eval/answers/families.h"
#include "tests/eval/answers/item_fixture.h"

namespace mc::eval {
namespace {

std::string text_at(const lm::Tokenizer& tokenizer, const MemoryText& memory,
                    const PlacedFact& placed, TokenSpan span) {
    const auto tokens = tokenizer.encode(memory.documents[placed.document].text);
    return tokenizer.decode(std::span(tokens).subspan(span.begin, span.count()));
}

class MemoryPlan : public testing::Test {
  protected:
    ItemSet items(std::string_view family, std::size_t count) const {
        return *make_items(family, count, 3, {*tokenizer_, pool_});
    }

    std::unique_ptr<lm::Tokenizer> tokenizer_ = lm::test::make_toy_tokenizer();
    SentencePool pool_ = test::made_up_pool(*tokenizer_);
};

TEST(MemoryPlanOfEveryTokenizer, EveryFactStandsWhereItIsSaidToStand) {
    for (const auto& [name, tokenizer] : test::all_tokenizers()) {
        const SentencePool pool = test::made_up_pool(*tokenizer);
        for (const std::string_view family :
             {"single-fact", "key-value-1", "key-value-16", "people", "cloze"}) {
            SCOPED_TRACE(std::string(family) + ", " + name);
            const ItemSet set = *make_items(family, 12, 3, {*tokenizer, pool});
            const auto memories = plan_memories(set, pool, 6000, Rng(9), *tokenizer);
            ASSERT_TRUE(memories) << memories.error().to_string();
            std::set<std::size_t> seen;
            for (const MemoryText& memory : *memories)
                for (const PlacedItem& placed : memory.items) {
                    const AnswerItem& item = set.items[placed.item];
                    seen.insert(placed.item);
                    ASSERT_EQ(placed.facts.size(), item.facts.size());
                    for (std::size_t f = 0; f < item.facts.size(); ++f) {
                        const PlacedFact& fact = placed.facts[f];
                        EXPECT_EQ(text_at(*tokenizer, memory, fact, fact.fact),
                                  " " + item.facts[f].text);
                        EXPECT_NE(
                            text_at(*tokenizer, memory, fact, fact.value).find(item.facts[f].value),
                            std::string::npos);
                    }
                    const TokenSpan first = placed.facts.front().fact;
                    EXPECT_EQ(first.begin % kBlockSize, block_offset(item.place, first.count()));
                }
            EXPECT_EQ(seen.size(), set.items.size());
        }
    }
}

TEST_F(MemoryPlan, AStoryIsToldInItsOrder) {
    const ItemSet set = items("people", 12);
    const auto memories = plan_memories(set, pool_, 8000, Rng(9), *tokenizer_);
    ASSERT_TRUE(memories);
    for (const MemoryText& memory : *memories) {
        const std::string& text = memory.documents.front().text;
        for (const PlacedItem& placed : memory.items) {
            const FactGroup& group = set.groups[placed.item];
            std::size_t last = 0;
            for (const auto* part : {&group.others, &set.items[placed.item].facts})
                for (const Fact& fact : *part) {
                    const std::size_t at = text.find(fact.text);
                    ASSERT_NE(at, std::string::npos);
                    EXPECT_GE(at, last) << fact.text;
                    last = at;
                }
        }
    }
}

TEST_F(MemoryPlan, EveryWholeDocumentIsInOneMemoryAmongAsManyAsFit) {
    const ItemSet set = items(kWholeDocument, 5);
    ASSERT_EQ(set.items.size(), 5U);
    EXPECT_TRUE(plan_document_memories(set, pool_, 3999, Rng(1), *tokenizer_)->empty());
    const auto memories = plan_document_memories(set, pool_, 12000, Rng(1), *tokenizer_);
    ASSERT_TRUE(memories);
    ASSERT_EQ(memories->size(), 2U);
    for (const MemoryText& memory : *memories) {
        EXPECT_EQ(memory.documents.size(), 3U);
        for (const PlacedItem& placed : memory.items)
            EXPECT_EQ(memory.documents[*placed.document].text, set.items[placed.item].document);
        for (const MemoryDocument& document : memory.documents)
            EXPECT_GE(tokenizer_->encode(document.text).size(), kWholeDocumentTokens - 100);
    }
}

TEST(BlockPlaces, AFactAcrossABoundaryHasABlocksEndInItsMiddle) {
    for (const std::uint64_t tokens : {2ULL, 11ULL, 30ULL, 70ULL}) {
        const std::uint64_t middle = block_offset(BlockPlace::kAcross, tokens) + tokens / 2;
        EXPECT_EQ(middle % kBlockSize, 0U) << tokens;
    }
}

TEST_F(MemoryPlan, AMemoryIsAsLongAsAskedForWithinASentence) {
    const ItemSet set = items("single-fact", 10);
    for (const std::uint64_t length : {2000ULL, 5000ULL, 20000ULL}) {
        const auto memories = plan_memories(set, pool_, length, Rng(2), *tokenizer_);
        ASSERT_TRUE(memories);
        for (const MemoryText& memory : *memories) {
            const auto tokens = tokenizer_->encode(memory.documents.front().text).size();
            EXPECT_EQ(memory.tokens, tokens);
            EXPECT_NEAR(static_cast<double>(tokens), static_cast<double>(length), 200);
        }
    }
}

TEST_F(MemoryPlan, FactsTakeAtMostHalfOfAMemory) {
    const ItemSet set = items("single-fact", 24);
    const auto memories = plan_memories(set, pool_, 1000, Rng(2), *tokenizer_);
    ASSERT_TRUE(memories);
    EXPECT_GT(memories->size(), 1U);
    for (const MemoryText& memory : *memories) {
        std::uint64_t facts = 0;
        for (const PlacedItem& placed : memory.items) facts += placed.facts.front().fact.count();
        EXPECT_LE(facts, 500U);
    }
    // A group of 128 keys does not fit.
    const ItemSet keys = items("key-value-128", 8);
    EXPECT_TRUE(plan_memories(keys, pool_, 1000, Rng(2), *tokenizer_)->empty());
}

TEST_F(MemoryPlan, GroupsOfOneTopicNeverShareAMemory) {
    const ItemSet set = items("key-value-1", 70);  // more than there are kinds
    const auto memories = plan_memories(set, pool_, 20000, Rng(2), *tokenizer_);
    ASSERT_TRUE(memories);
    for (const MemoryText& memory : *memories) {
        std::set<std::string> topics;
        for (const PlacedItem& placed : memory.items)
            EXPECT_TRUE(topics.insert(set.groups[placed.item].topic).second);
    }
}

TEST_F(MemoryPlan, EqualSeedsGiveEqualMemories) {
    const ItemSet set = items("single-fact", 10);
    const auto text = [&](std::uint64_t seed) {
        return plan_memories(set, pool_, 4000, Rng(seed), *tokenizer_)
            ->front()
            .documents.front()
            .text;
    };
    EXPECT_EQ(text(2), text(2));
    EXPECT_NE(text(2), text(3));
}

TEST_F(MemoryPlan, OneSentenceDocumentsHoldTheItemsFactsAndOthers) {
    const ItemSet set = items(kOneSentence, 12);
    const auto memory = plan_sentence_memory(set, 100, Rng(2), *tokenizer_);
    ASSERT_TRUE(memory);
    EXPECT_EQ(memory->documents.size(), 100U);
    EXPECT_EQ(memory->items.size(), 12U);
    for (const PlacedItem& item : memory->items) {
        const Fact& fact = set.items[item.item].facts.front();
        const PlacedFact& placed = item.facts.front();
        EXPECT_EQ(text_at(*tokenizer_, *memory, placed, placed.fact), fact.text);
        EXPECT_NE(text_at(*tokenizer_, *memory, placed, placed.value).find(fact.value),
                  std::string::npos);
    }
    EXPECT_EQ(plan_sentence_memory(set, 11, Rng(2), *tokenizer_).error().code(), ErrorCode::kUsage);
}

}  // namespace
}  // namespace mc::eval
