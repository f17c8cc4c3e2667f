// SPDX-License-Identifier: Apache-2.0
// Laws of the repetition probe, with a scorer whose gists know exactly what the test says.
#include "eval/repetition/repetition_probe.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/repetition/repetition_metrics.h"
#include "tests/eval/fake_scorer.h"

namespace mc::eval {
namespace {

// What a gist of its own block tells of a token: its NLL, given the block and the place in it.
using Knowledge = std::function<float(std::size_t block, std::size_t position, TokenId token)>;

// After nothing and after foreign gists nobody knows anything.
float ignorance(TokenId token) {
    return 4 + static_cast<float>((token * 7919) % 101) / 100;
}

// Raw text is known perfectly; own gists tell what `knowledge` says.
std::function<float(const lm::ScoringCase&, std::size_t)> rule_of(Knowledge knowledge) {
    return [knowledge](const lm::ScoringCase& one, std::size_t t) {
        const TokenId token = one.scored[t];
        if (one.context.size() == 1) return ignorance(token);
        const lm::Segment& segment = one.context[1];
        if (!segment.tokens.empty()) return 0.0F;
        const Gist& gist = *segment.gists[t / kBlockSize];
        const TokenId block_begin = one.scored[t / kBlockSize * kBlockSize];
        if (FakeScorer::source_of(gist) != block_begin) return ignorance(token);
        return knowledge(t / kBlockSize, t % kBlockSize, token);
    };
}

class Repetition : public testing::Test {
  protected:
    GistProbeOptions options() const {
        GistProbeOptions options;
        options.documents = {folder_.write("one.txt", std::string(5000, 'a')),
                             folder_.write("two.txt", std::string(6000, 'b'))};
        options.output = folder_.path();
        options.windows_per_document = 11;  // two batches, the second not full
        options.encoders = {"kv-last"};
        return options;
    }

    Result<RepetitionFindings> run(const GistProbeOptions& asked,
                                   const std::atomic<bool>* cancelled = nullptr) {
        MC_ASSIGN(const auto documents, plan_repetition(scorer_, asked));
        MC_ASSIGN(const auto log,
                  ScoreLog::open(folder_.path() / "tokens.jsonl", R"({"task":"gist-probes"})"));
        return run_repetition(scorer_, asked, documents, *log, {}, cancelled);
    }

    std::vector<RepetitionGroup> groups_for(Knowledge knowledge) {
        scorer_.rule = rule_of(std::move(knowledge));
        const auto findings = run(options());
        EXPECT_TRUE(findings) << findings.error().to_string();
        return repetition_metrics(findings->scores, 1);
    }

    TestFolder folder_;
    FakeScorer scorer_{{"kv-last"}};
};

TEST_F(Repetition, GistsThatKnowTheTextHaveShareOneEverywhere) {
    for (const RepetitionGroup& group :
         groups_for([](std::size_t, std::size_t, TokenId) { return 0.0F; }))
        for (const RepetitionRow& row : group.rows) {
            if (row.condition != "kv-last") continue;
            EXPECT_NEAR(row.share.value, 1, 1e-9) << row.slice;
            EXPECT_NEAR(row.probability.value, 1, 1e-9) << row.slice;
            EXPECT_LT(group.find("shuffled-kv-last", row.slice)->probability.value, 0.02);
        }
}

TEST_F(Repetition, GistsThatAreIgnoredHaveShareZeroEverywhere) {
    for (const RepetitionGroup& group :
         groups_for([](std::size_t, std::size_t, TokenId token) { return ignorance(token); })) {
        for (const RepetitionRow& row : group.rows)
            if (row.condition == "kv-last") {
                EXPECT_NEAR(row.share.value, 0, 1e-9) << row.slice;
            }
        for (const RepetitionContrast& contrast : group.contrasts)
            EXPECT_NEAR(contrast.share.value, 0, 1e-9) << contrast.name;
    }
}

TEST_F(Repetition, WhatIsLostAtTheBoundaryShowsThereAndNowhereElse) {
    const auto group = groups_for([](std::size_t, std::size_t position, TokenId token) {
                           return position < 4 ? ignorance(token) : 0.0F;
                       }).front();
    EXPECT_NEAR(group.find("kv-last", "first4")->share.value, 0, 1e-9);
    EXPECT_NEAR(group.find("kv-last", "middle")->share.value, 1, 1e-9);
    EXPECT_NEAR(group.find("kv-last", "last4")->share.value, 1, 1e-9);
    EXPECT_NEAR(group.find_contrast("kv-last", "first4-middle")->share.value, -1, 1e-9);
    EXPECT_NEAR(group.find_contrast("kv-last", "first4-middle")->share.high, -1, 1e-9);
    EXPECT_NEAR(group.find_contrast("kv-last", "last4-middle")->share.value, 0, 1e-9);
    EXPECT_NEAR(group.find("kv-last", "position4")->share.value, 0, 1e-9);
    EXPECT_NEAR(group.find("kv-last", "position5")->share.value, 1, 1e-9);
    EXPECT_NEAR(group.find("kv-last", "block1")->share.value,
                group.find("kv-last", "block8")->share.value, 0.05);
}

TEST_F(Repetition, WhatIsLostIfSurprisingShowsInTheLastFifth) {
    const auto group = groups_for([](std::size_t, std::size_t, TokenId token) {
                           return ignorance(token) > 4.5F ? ignorance(token) : 0.0F;
                       }).front();
    EXPECT_NEAR(group.find("kv-last", "quintile1")->share.value, 1, 1e-9);
    EXPECT_NEAR(group.find("kv-last", "quintile2")->share.value, 1, 1e-9);
    EXPECT_NEAR(group.find("kv-last", "quintile5")->share.value, 0, 1e-9);
    EXPECT_NEAR(group.find_contrast("kv-last", "quintile5-quintile1")->share.value, -1, 1e-9);
    for (int q = 1; q < 5; ++q)
        EXPECT_LT(group.find("none", "quintile" + std::to_string(q))->nll.value,
                  group.find("none", "quintile" + std::to_string(q + 1))->nll.value);
}

TEST_F(Repetition, WhatIsLostAlongTheWayShowsInTheLaterBlocks) {
    const auto group = groups_for([](std::size_t block, std::size_t, TokenId token) {
                           return block >= 3 ? ignorance(token) : 0.0F;
                       }).front();
    for (std::size_t b = 0; b < 8; ++b)
        EXPECT_NEAR(group.find("kv-last", "block" + std::to_string(b + 1))->share.value,
                    b >= 3 ? 0 : 1, 1e-9);
    EXPECT_NEAR(group.find_contrast("kv-last", "block8-block1")->share.value, -1, 1e-9);
    EXPECT_GT(group.find("kv-last", "all")->share.value, 0.3);
    EXPECT_LT(group.find("kv-last", "all")->share.value, 0.45);
}

TEST_F(Repetition, TheSameTokensAreScoredAfterNothingThemselvesOwnAndForeignGists) {
    ASSERT_TRUE(run(options()));
    const std::vector<DocumentPlan> documents = *plan_repetition(scorer_, options());
    std::size_t next = 0;
    for (const DocumentPlan& document : documents)
        for (std::size_t begin = 0; begin < 11; begin += 8)
            for (std::size_t c = 0; c < 4; ++c)
                for (std::size_t w = begin; w < std::min<std::size_t>(begin + 8, 11); ++w, ++next) {
                    const lm::ScoringCase& one = scorer_.scored[next];
                    const std::vector<TokenId>& window = document.windows[w];
                    EXPECT_EQ(one.scored, window);
                    EXPECT_EQ(one.context[0].tokens, std::vector<TokenId>{FakeScorer::kBos});
                    ASSERT_EQ(one.context.size(), c == 0 ? 1U : 2U);
                    if (c == 1) {
                        EXPECT_EQ(one.context[1].tokens, window);
                    }
                    if (c < 2) continue;
                    const std::size_t source = c == 2 ? w : document.shuffled_source[w];
                    EXPECT_NE(document.shuffled_source[w], w);
                    const std::vector<Gist>& shown = scorer_.shown[next];
                    ASSERT_EQ(shown.size(), 8U);
                    for (std::size_t b = 0; b < 8; ++b)
                        EXPECT_EQ(FakeScorer::source_of(shown[b]),
                                  document.windows[source][b * kBlockSize]);
                }
    EXPECT_EQ(next, scorer_.scored.size());
    EXPECT_EQ(scorer_.encoded.size(), 22U);  // each window once, without left context
}

TEST_F(Repetition, EveryGistOfTheRunIsHandedOnInOrder) {
    const auto findings = run(options());
    const std::vector<DocumentPlan> documents = *plan_repetition(scorer_, options());
    ASSERT_EQ(findings->gists.size(), 1U);
    ASSERT_EQ(findings->gists[0].size(), 22U * 8);
    EXPECT_EQ(FakeScorer::source_of(findings->gists[0][11 * 8 + 1]), documents[1].windows[0][32]);
}

TEST_F(Repetition, TheFirstTokenIsInNoNumber) {
    // Behind gists the model scores it as NaN: whatever it is elsewhere, nothing may change.
    const auto knows_half = [](std::size_t block, std::size_t position, TokenId token) {
        return block == 0 && position == 0 ? 1e6F : ignorance(token) / 2;
    };
    const auto group = groups_for(knows_half).front();
    for (const char* slice : {"all", "first4", "block1", "position1"})
        EXPECT_LT(group.find("kv-last", slice)->nll.value, 3) << slice;
}

TEST_F(Repetition, APoolOfTwoDocumentsHasValuesAndNoIntervals) {
    const auto groups =
        groups_for([](std::size_t, std::size_t, TokenId token) { return ignorance(token) / 2; });
    ASSERT_EQ(groups.size(), 3U);
    EXPECT_TRUE(groups[2].is_pool);
    EXPECT_EQ(groups[2].window_count, 22U);
    const auto all = [](const RepetitionGroup& group) { return group.find("kv-last", "all"); };
    EXPECT_NEAR(all(groups[2])->nll.value,
                (all(groups[0])->nll.value + all(groups[1])->nll.value) / 2, 1e-9);
    EXPECT_TRUE(std::isnan(all(groups[2])->share.low));
    EXPECT_LE(all(groups[0])->nll.low, all(groups[0])->nll.value);
    EXPECT_GE(all(groups[0])->nll.high, all(groups[0])->nll.value);
    EXPECT_LT(all(groups[0])->nll.low, all(groups[0])->nll.high);
}

TEST_F(Repetition, AnInterruptedRunIsACleanError) {
    const std::atomic<bool> cancelled = true;
    const auto findings = run(options(), &cancelled);
    ASSERT_FALSE(findings);
    EXPECT_EQ(findings.error().code(), ErrorCode::kCancelled);
    EXPECT_TRUE(scorer_.scored.empty());
}

TEST_F(Repetition, OptionsThatCannotBeAreRefusedBeforeAnythingIsAsked) {
    const auto refused = [&](void (*spoil)(GistProbeOptions&)) {
        GistProbeOptions asked = options();
        spoil(asked);
        return run(asked).error().code();
    };
    EXPECT_EQ(refused([](GistProbeOptions& o) { o.documents.clear(); }), ErrorCode::kUsage);
    EXPECT_EQ(refused([](GistProbeOptions& o) { o.windows_per_document = 1; }), ErrorCode::kUsage);
    EXPECT_EQ(refused([](GistProbeOptions& o) { o.windows_per_document = 100; }),
              ErrorCode::kInvalidInput);
    EXPECT_EQ(refused([](GistProbeOptions& o) { o.encoders.clear(); }), ErrorCode::kUsage);
    EXPECT_EQ(refused([](GistProbeOptions& o) {
                  o.encoders = {"a=kv-last", "a=kv-mean"};
              }),
              ErrorCode::kUsage);
    EXPECT_EQ(refused([](GistProbeOptions& o) { o.documents[1] = o.documents[0]; }),
              ErrorCode::kInvalidInput);
    scorer_.mutable_facts().context_length = 512;
    EXPECT_EQ(refused([](GistProbeOptions&) {}), ErrorCode::kUsage);
    EXPECT_EQ(scorer_.calls, 0U);
}

}  // namespace
}  // namespace mc::eval
