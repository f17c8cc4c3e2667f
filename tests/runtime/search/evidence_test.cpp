// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/evidence.h"

#include "tests/runtime/search/bank_fixture.h"

namespace mc::runtime {
namespace {

using Texts = std::vector<std::string>;

class EvidenceTest : public test::BankFixture {
  protected:
    // The passages that begin with these words, as a ranking in this order.
    std::vector<RankedPassage> ranking(const BankSearch& search, DocumentId document,
                                       std::initializer_list<std::string_view> beginnings) {
        std::vector<RankedPassage> ranked;
        const auto record = *nodes_->find_document(document);
        const auto passages = *search.index().passages_in(document, {0, record->token_count});
        for (const std::string_view beginning : beginnings)
            for (const Passage& passage : passages) {
                std::string text = text_of(passage);
                text.erase(0, text.find_first_not_of(" \n"));
                if (text.starts_with(beginning))
                    ranked.push_back({.passage = passage,
                                      .score = 1.0 / static_cast<double>(ranked.size() + 1),
                                      .words_rank = ranked.size() + 1});
            }
        return ranked;
    }

    Texts evidence(const BankSearch& search, std::span<const RankedPassage> ranked) {
        Texts texts;
        const auto stretches = *stretches_of(*text_, search.index(), ranked, ranked.size());
        for (const Stretch& stretch : stretches)
            texts.push_back(read_evidence(*text_, stretch)->text);
        return texts;
    }
};

constexpr std::string_view kStory =
    "The bell was cast in Lisbon. It hung in a tower. Rain fell for a week. Nobody came.\n\n"
    "He sold the clock of the old mill house. A dog barked.";

TEST_F(EvidenceTest, IsTheSentenceWithoutWhiteSpaceAtItsEnds) {
    const auto document = append("a", kStory);
    const auto search = open_search(nullptr);
    EXPECT_EQ(evidence(*search, ranking(*search, document, {"Rain"})),
              (Texts{"Rain fell for a week."}));
}

TEST_F(EvidenceTest, ASentenceThatLeansOnTheOneBeforeBringsItAlong) {
    const auto document = append("a", kStory);
    const auto search = open_search(nullptr);
    EXPECT_EQ(evidence(*search, ranking(*search, document, {"It hung"})),
              (Texts{"The bell was cast in Lisbon. It hung in a tower."}));
}

TEST_F(EvidenceTest, NothingIsBroughtFromAnotherParagraph) {
    const auto document = append("a", kStory);
    const auto search = open_search(nullptr);
    EXPECT_EQ(evidence(*search, ranking(*search, document, {"He sold"})),
              (Texts{"He sold the clock of the old mill house."}));
}

TEST_F(EvidenceTest, NeighboursAreOnePieceAtThePlaceOfTheBest) {
    const auto document = append("a", kStory);
    const auto search = open_search(nullptr);
    EXPECT_EQ(
        evidence(*search, ranking(*search, document, {"Nobody", "The bell", "Rain", "A dog"})),
        (Texts{"Rain fell for a week. Nobody came.", "The bell was cast in Lisbon.",
               "A dog barked."}));
}

TEST_F(EvidenceTest, APieceThatJoinsTwoOthersLeavesOne) {
    const auto document = append("a", kStory);
    const auto search = open_search(nullptr);
    EXPECT_EQ(evidence(*search, ranking(*search, document, {"The bell", "Rain", "It hung"})),
              (Texts{"The bell was cast in Lisbon. It hung in a tower. Rain fell for a week."}));
}

TEST_F(EvidenceTest, NamesTheBytesOfItsText) {
    const auto document = append("a", kStory);
    const auto search = open_search(nullptr);
    const auto stretches =
        *stretches_of(*text_, search->index(), ranking(*search, document, {"Rain", "He sold"}), 9);
    for (const Stretch& stretch : stretches) {
        const auto evidence = read_evidence(*text_, stretch);
        EXPECT_EQ(*text_->read_bytes(document, evidence->bytes), evidence->text);
    }
    EXPECT_EQ(stretches.front().why, "words rank 1");
}

TEST_F(EvidenceTest, BlocksBecomeThePassagesThatTheyLieIn) {
    const auto document = append("a", kStory);
    const auto search = open_search(nullptr);
    const BlockScores scores{{NodeId{document, Level(1), NodeIndex(0)}, 1.0}};
    const auto stretches = *stretches_of_blocks(search->index(), scores, {}, 5);
    ASSERT_EQ(stretches.size(), 1U);
    EXPECT_EQ(stretches.front().tokens.begin, 0U);
    const std::string text = read_evidence(*text_, stretches.front())->text;
    EXPECT_TRUE(text.ends_with('.')) << text;
    EXPECT_EQ(stretches.front().why, "chosen by the policy alone");
}

}  // namespace
}  // namespace mc::runtime
