// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/leads.h"

#include <array>

#include "tests/runtime/search/bank_fixture.h"

namespace mc::runtime {
namespace {

using Texts = std::vector<std::string>;

class LeadsTest : public test::BankFixture {
  protected:
    // What the question's best passage leads to.
    Texts leads(const std::string& question, std::span<const PassageRange> ranges = {}) {
        const auto search = open_search(&embedder_);
        const auto hits = search->find(question, 5, ranges);
        EXPECT_TRUE(hits);
        const auto ranking = rank_passages(hits->by_words, hits->by_vectors, {});
        const auto led =
            follow_leads(*text_, *search, question, std::span(ranking).first(1), ranges);
        EXPECT_TRUE(led);
        Texts texts;
        for (const RankedPassage& one : *led) texts.push_back(text_of(one.passage));
        return texts;
    }
};

TEST_F(LeadsTest, APassageLeadsToWhatIsToldOfWhomItNames) {
    append("a", "The rain had stopped at last. Cecil Penhaligon hurried to the garage.");
    append("b", "Cecil Penhaligon took the lantern. Nobody saw him go.");
    EXPECT_EQ(leads("Where is the lantern?"), Texts{"Cecil Penhaligon hurried to the garage."});
}

TEST_F(LeadsTest, TheNewestOfEqualsIsTaken) {
    append("a", "Ada Barlow went to the attic.");
    append("b", "Ada Barlow took the lantern.");
    append("c", "Ada Barlow went to the cellar.");
    append("d", "Bert Moss went to the garden.");
    EXPECT_EQ(leads("Where is the lantern?"), Texts{"Ada Barlow went to the cellar."});
}

TEST_F(LeadsTest, WhatALeadNamesIsFollowedToo) {
    append("a", "Ada Barlow took the lantern.");
    append("b", "Ada Barlow met Bert Moss.");
    append("c", "Bert Moss went to the garden.");
    EXPECT_EQ(leads("Where is the lantern?"),
              (Texts{"Ada Barlow met Bert Moss.", "Bert Moss went to the garden."}));
}

TEST_F(LeadsTest, ANameOfTheQuestionOrOfManyPassagesLeadsNowhere) {
    append("a", "Ada Barlow took the lantern.");
    append("b", "Ada Barlow went to the attic.");
    EXPECT_EQ(leads("Where did Ada Barlow take the lantern?"), Texts{});
    for (int i = 0; i < 20; ++i)
        append("n" + std::to_string(i), "Ada Barlow sang verse " + std::to_string(i) + ".");
    EXPECT_EQ(leads("Where is the lantern?"), Texts{});
}

TEST_F(LeadsTest, OtherDocumentsAreNotLookedAt) {
    const DocumentId document = append("a", "Ada Barlow took the lantern.");
    append("b", "Ada Barlow went to the attic.");
    EXPECT_EQ(leads("Where is the lantern?", std::array{PassageRange{document}}), Texts{});
}

}  // namespace
}  // namespace mc::runtime
