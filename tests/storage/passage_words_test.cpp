// SPDX-License-Identifier: Apache-2.0
// What the words of a question find.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "storage/index/passage_words.h"
#include "tests/support/passage_fixture.h"

namespace mc::storage {
namespace {

class PassageWordsTest : public testing::Test {
  protected:
    void add(std::uint64_t document, const std::vector<std::string>& texts) {
        ASSERT_TRUE(index_->add(document_of(document, texts), {}));
    }

    std::vector<Passage> found(std::string_view question, std::size_t count = 10,
                               const std::vector<DocumentId>& documents = {}) {
        return passages_of(index_->search_words(question, count, ranges_of(documents)));
    }

    std::unique_ptr<PassageIndex> index_ =
        index_or_die(passage_options("words.sqlite", SqliteAccess::kMemory));
};

std::vector<std::string> tickets() {
    const std::vector<std::string> parts = {"the image upload", "the audit trail",
                                            "the mail gateway", "the report builder"};
    const std::vector<std::string> faults = {"shows a blank screen", "is slow", "crashes",
                                             "is wrong in every way", "sends twice"};
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < 60; ++i)
        lines.push_back("POL-" + std::to_string(340 + i) + ": " + parts[i % 4] + " " +
                        faults[i % 5] + " when a guest retries. Owner: Mara.");
    return lines;
}

TEST_F(PassageWordsTest, AnIdentifierOutvotesTheWordsAroundIt) {
    add(1, tickets());
    add(2, {"What is wrong?", "What is wrong in it is that it is wrong.", "POL 358 is in it.",
            "Device b9a6442e-9e7d-4b37-b936-d536243d3570 was installed in room 358.",
            "Device 537390e5-0fcf-41ca-8e75-2fdf1ece615d was installed in room 351."});
    for (std::uint64_t i = 0; i < 60; ++i) {
        const std::string name = "POL-" + std::to_string(340 + i);
        for (const std::string& question : {"What is wrong in " + name + "?", "who owns " + name})
            EXPECT_EQ(found(question, 1), std::vector{passage_at(1, i * 10)}) << question;
    }
    EXPECT_EQ(found("Where is device 537390e5-0fcf-41ca-8e75-2fdf1ece615d?", 1),
              std::vector{passage_at(2, 40)});
}

TEST_F(PassageWordsTest, AScoreIsTheShareOfTheQuestionThatAPassageHolds) {
    add(1, {"Mara keeps a tortoise called Bruno.", "Mara plays the bassoon on Thursdays.",
            "Nobody keeps a hare."});
    const auto hits = *index_->search_words("Who keeps a tortoise?", 9, {});
    ASSERT_EQ(hits.size(), 2u);
    EXPECT_EQ(hits[0].passage, passage_at(1, 0));
    EXPECT_GT(hits[0].score, 0.8F);
    EXPECT_LT(hits[1].score, 0.6F);
    EXPECT_NEAR((*index_->search_words("mara tortoise bruno", 1, {}))[0].score, 1, 1e-5);
    EXPECT_LT((*index_->search_words("mara zebra quagga", 1, {}))[0].score, 0.5F);
    EXPECT_TRUE(found("zebra").empty());
    EXPECT_TRUE(found("mara", 0).empty());
}

TEST_F(PassageWordsTest, OfEqualPassagesTheNewestComesFirstAndLongOnesLater) {
    ASSERT_TRUE(index_->add(std::vector<PassageText>{{passage_at(1, 0), "a fox"},
                                                     {passage_at(2, 0), "a fox"},
                                                     {passage_at(3, 0, 200), "a fox"}},
                            {}));
    EXPECT_EQ(found("fox"),
              (std::vector{passage_at(2, 0), passage_at(1, 0), passage_at(3, 0, 200)}));
}

TEST_F(PassageWordsTest, ASearchStaysWithinItsDocuments) {
    for (std::uint64_t document = 1; document <= 80; ++document)
        add(document, {"the fox of " + std::to_string(document), "no such animal"});
    EXPECT_EQ(found("fox", 9, {DocumentId(3)}), std::vector{passage_at(3, 0)});
    EXPECT_EQ(found("fox", 9, {DocumentId(9), DocumentId(3)}),
              (std::vector{passage_at(9, 0), passage_at(3, 0)}));
    std::vector<DocumentId> many;
    for (std::uint64_t document = 2; document <= 60; ++document) many.emplace_back(document);
    const auto some = found("fox", 100, many);
    EXPECT_EQ(some.size(), many.size());
    for (const Passage& passage : some) EXPECT_TRUE(passage.document <= DocumentId(60));
    EXPECT_TRUE(found("fox", 9, {DocumentId(81), DocumentId(1ULL << 40)}).empty());
}

TEST_F(PassageWordsTest, AWordOfNearlyEveryPassageIsLookedUpAmongThoseWithRarerOnes) {
    std::vector<PassageText> passages;
    for (std::uint64_t i = 0; i < 3 * kCandidatesMax; ++i)
        passages.push_back({passage_at(i + 1, 0), std::string(i % 2 == 0 ? "common" : "usual") +
                                                      " word " + std::to_string(i / 2)});
    ASSERT_TRUE(index_->add(passages, {}));
    EXPECT_EQ(found("the usual word 77", 2), (std::vector{passage_at(156, 0), passage_at(155, 0)}));
    EXPECT_EQ(found("the common word 77", 2),
              (std::vector{passage_at(155, 0), passage_at(156, 0)}));
    // Nothing but frequent words: the newest passages that hold them together.
    EXPECT_EQ(found("usual word", 1), std::vector{passage_at(3 * kCandidatesMax, 0)});
    EXPECT_EQ(found("word", 5).size(), 5u);
}

TEST_F(PassageWordsTest, ScriptsWithoutSpacesAreFound) {
    add(1, {"博物馆在1800年从青岛的一位商人手里买下了一件望远镜", "博物馆买下了一件打字机",
            "박물관은 망원경을 샀다", "พิพิธภัณฑ์ซื้อกล้องโทรทรรศน์"});
    EXPECT_EQ(found("打字机"), std::vector{passage_at(1, 10)});
    EXPECT_EQ(found("博物馆什么时候买下了望远镜", 1), std::vector{passage_at(1, 0)});
    EXPECT_EQ(found("镜"), std::vector{passage_at(1, 0)});
    EXPECT_EQ(found("망원경"), std::vector{passage_at(1, 20)});
    EXPECT_EQ(found("กล้อง", 1), std::vector{passage_at(1, 30)});
}

TEST_F(PassageWordsTest, NoQuestionIsAnError) {
    add(1, {"The quick brown fox jumps over the lazy dog", "near and not or"});
    for (const std::string& question :
         {std::string("\""), std::string("fox\" OR \"dog"), std::string("NEAR(fox dog)"),
          std::string("fox AND NOT dog"), std::string("terms:fox"), std::string("fox*"),
          std::string("^fox"), std::string("-fox"), std::string("{fox dog}: x"),
          std::string("(((( fox"), std::string("fox )"), std::string("fox + dog"),
          std::string("'; DROP TABLE fox"), std::string("fox\0dog", 7),
          std::string("\xff\xfe fox \x80"), std::string("<|im_start|>fox<|im_end|>")})
        EXPECT_EQ(found(question).empty(), question == "\"") << question;
    EXPECT_TRUE(found("").empty());
    EXPECT_TRUE(found(" ?! … <|> \xff").empty());
    std::string long_question = "fox ";
    for (int i = 0; i < 10'000; ++i) long_question += "word" + std::to_string(i) + " the ";
    EXPECT_EQ(found(long_question).size(), 1u);
    EXPECT_TRUE(found(std::string(100'000, 'a')).empty());
}

TEST_F(PassageWordsTest, RandomBytesAreAlwaysAnAnswerableQuestion) {
    add(1, tickets());
    add(2, {"博物馆在1800年", "🧑🏽‍🚀 v1.2.3 a@b.org"});
    const std::string hot = "\"*()^:-+{}' \n\tNOTANDORNEAR博物馆0123POL-";
    Rng rng(20260101);
    for (int i = 0; i < 2000; ++i) {
        std::string question;
        for (std::uint64_t n = rng.below(40); n > 0; --n)
            question.push_back(rng.below(2) == 0 ? hot[rng.below(hot.size())]
                                                 : static_cast<char>(rng.below(256)));
        const auto hits = index_->search_words(question, 3, {});
        ASSERT_TRUE(hits) << hits.error().to_string();
        for (const PassageHit& hit : *hits) EXPECT_TRUE(hit.score >= 0 && hit.score <= 1.0001F);
    }
}

}  // namespace
}  // namespace mc::storage
