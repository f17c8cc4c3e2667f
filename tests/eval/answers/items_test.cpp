// SPDX-License-Identifier: Apache-2.0
// Laws of generated items, for every family.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "eval/answers/answer_record.h"
#include "eval/answers/families.h"
#include "tests/eval/answers/item_fixture.h"

namespace mc::eval {
namespace {

constexpr std::size_t kItems = 40;

template <class Law>
void for_every_family(const Law& law) {
    for (const auto& [name, tokenizer] : test::all_tokenizers()) {
        const SentencePool pool = test::made_up_pool(*tokenizer);
        for (const std::string_view family : family_names()) {
            SCOPED_TRACE(std::string(family) + ", " + name);
            const ItemSources sources{*tokenizer, pool};
            const auto set = make_items(family, kItems, 7, sources);
            ASSERT_TRUE(set) << set.error().to_string();
            law(*set, sources);
        }
    }
}

std::string text_of(const ItemSet& set) {
    std::string text;
    for (const AnswerItem& item : set.items) {
        text += item.question + item.lead + std::to_string(item.right);
        for (const Fact& fact : item.facts) text += fact.text;
        for (const std::string& candidate : item.candidates) text += candidate;
    }
    return text;
}

TEST(Items, EqualSeedsGiveEqualItemsAndOthersDoNot) {
    for_every_family([](const ItemSet& set, const ItemSources& sources) {
        EXPECT_EQ(text_of(set), text_of(*make_items(set.family, kItems, 7, sources)));
        EXPECT_NE(text_of(set), text_of(*make_items(set.family, kItems, 8, sources)));
    });
}

TEST(Items, CandidatesAreDistinctAndOfEqualTokenCount) {
    for_every_family([](const ItemSet& set, const ItemSources& sources) {
        if (set.family == kWholeDocument)
            ASSERT_GE(set.items.size(), 6U);  // as many as the documents have
        else
            ASSERT_EQ(set.items.size(), kItems);
        for (const AnswerItem& item : set.items) {
            EXPECT_GE(item.candidates.size(), 4U);
            EXPECT_LE(item.candidates.size(), 6U);
            EXPECT_LT(item.right, item.candidates.size());
            const std::set<std::string> unique(item.candidates.begin(), item.candidates.end());
            EXPECT_EQ(unique.size(), item.candidates.size());
            for (const std::string& candidate : item.candidates) {
                EXPECT_EQ(candidate[0], ' ');
                EXPECT_EQ(sources.tokenizer.encode(candidate).size(),
                          sources.tokenizer.encode(item.candidates[0]).size());
            }
        }
    });
}

TEST(Items, TheRightCandidateIsSpreadOverAllPlaces) {
    for_every_family([](const ItemSet& set, const ItemSources&) {
        std::set<std::size_t> places;
        for (const AnswerItem& item : set.items) places.insert(item.right);
        EXPECT_GE(places.size(), set.items.size() < kItems ? 2U : 4U);
    });
}

TEST(Items, TheFactSaysTheAnswerOnceAndTheQuestionSaysNoCandidate) {
    for_every_family([](const ItemSet& set, const ItemSources&) {
        for (const AnswerItem& item : set.items) {
            if (item.facts.empty()) continue;  // a whole document is asked about
            const Fact& fact = item.facts.back();
            EXPECT_EQ(" " + fact.value, item.candidates[item.right]);
            EXPECT_NE(fact.text.find(fact.value), std::string::npos) << fact.text;
            EXPECT_EQ(fact.text.find(fact.value), fact.text.rfind(fact.value)) << fact.text;
            for (const std::string& candidate : item.candidates) {
                EXPECT_FALSE(holds_text(item.question, candidate.substr(1))) << item.question;
                EXPECT_FALSE(holds_text(item.lead, candidate.substr(1))) << item.lead;
                const bool is_right = candidate == item.candidates[item.right];
                EXPECT_EQ(holds_text(fact.text, candidate.substr(1)), is_right) << fact.text;
            }
        }
    });
}

TEST(Items, NoSlotIsLeftOpen) {
    for_every_family([](const ItemSet& set, const ItemSources&) {
        EXPECT_EQ(text_of(set).find_first_of("{}"), std::string::npos);
    });
}

TEST(Items, EveryItemIsInOneGroup) {
    for_every_family([](const ItemSet& set, const ItemSources&) {
        std::vector<std::size_t> seen;
        for (const FactGroup& group : set.groups)
            seen.insert(seen.end(), group.items.begin(), group.items.end());
        std::ranges::sort(seen);
        for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
        EXPECT_EQ(seen.size(), set.items.size());
    });
}

TEST(Items, FactsTakeEveryPlaceOfABlock) {
    for_every_family([](const ItemSet& set, const ItemSources&) {
        std::set<BlockPlace> places;
        for (const AnswerItem& item : set.items) places.insert(item.place);
        EXPECT_EQ(places.size(), kBlockPlaces.size());
    });
}

TEST(Items, AMemoryOfKeysHasSoManyOfOneKind) {
    const auto tokenizer = lm::test::make_toy_tokenizer();
    const SentencePool pool;
    for (const auto& [family, pairs] :
         {std::pair{"key-value-1", 1U}, std::pair{"key-value-16", 16U},
          std::pair{"key-value-128", 128U}}) {
        const auto set = make_items(family, 16, 1, {*tokenizer, pool});
        ASSERT_TRUE(set);
        std::set<std::string> topics;
        for (const FactGroup& group : set->groups) {
            EXPECT_EQ(group.items.size() + group.others.size(), pairs);
            EXPECT_TRUE(topics.insert(group.topic).second) << group.topic;
        }
    }
}

TEST(Items, EveryDocumentOfOneSentenceIsAboutSomebodyElse) {
    const auto tokenizer = lm::test::make_toy_tokenizer();
    const auto set = make_items(kOneSentence, 20, 3, {*tokenizer, SentencePool()});
    ASSERT_TRUE(set);
    const std::vector<std::string> others = other_sentences(*set, 2000, Rng(4));
    EXPECT_EQ(others.size(), 1980U);
    const std::set<std::string> unique(others.begin(), others.end());
    EXPECT_EQ(unique.size(), others.size());
    for (const FactGroup& group : set->groups)
        for (const std::string& other : others)
            EXPECT_FALSE(other.starts_with(group.topic)) << other;
}

TEST(Items, AnUnknownFamilyIsRefusedWithTheKnownOnes) {
    const auto tokenizer = lm::test::make_toy_tokenizer();
    const auto set = make_items("riddles", 4, 1, {*tokenizer, SentencePool()});
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().code(), ErrorCode::kUsage);
    EXPECT_NE(set.error().message().find("single-fact"), std::string::npos);
}

}  // namespace
}  // namespace mc::eval
