// SPDX-License-Identifier: Apache-2.0
// What reaches the model under the conditions that take gists from elsewhere or change them.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "eval/delta_nll/document_gists.h"
#include "tests/eval/fake_scorer.h"
#include "tests/support/memory_node_store.h"
#include "tree/document_builder.h"

namespace mc::eval {
namespace {

// One case as it was scored; gists are copies, for coded and optimised ones are gone by then.
struct ShownCase {
    std::size_t document = 0;
    std::size_t window = 0;
    lm::ScoringCase asked;
    std::vector<Gist> gists;

    TokenId context_begin(const DeltaNllOptions& options) const {
        return asked.scored.front() - static_cast<TokenId>(options.context_tokens);
    }
};

using CasesByCondition = std::map<std::string, std::vector<ShownCase>>;

CasesByCondition run(FakeScorer& scorer, const DeltaNllOptions& options) {
    scorer.context_tokens = static_cast<TokenId>(options.context_tokens);
    const auto report = run_delta_nll(scorer, options, {}, nullptr);
    EXPECT_TRUE(report) << report.error().to_string();
    const auto conditions = conditions_of(options, scorer.facts());
    CasesByCondition cases;
    std::size_t next = 0;
    for (std::size_t d = 0; d < options.documents.size(); ++d)
        for (std::size_t begin = 0; begin < options.windows_per_document; begin += kBatchWindows)
            for (const Condition& condition : conditions)
                for (std::size_t w = begin; w < begin + kBatchWindows; ++w)
                    if (w < options.windows_per_document && condition.covers_window(w, options)) {
                        cases[condition.name].push_back(
                            {d, w, scorer.scored[next], scorer.shown[next]});
                        ++next;
                    }
    EXPECT_EQ(next, scorer.scored.size());
    return cases;
}

std::size_t document_of(TokenId token) {
    return static_cast<std::size_t>(token / FakeScorer::kPerDocument);
}

TEST(Covers, ShuffledOtherShowsAWholeWindowOfAnotherDocument) {
    const TestFolder folder;
    DeltaNllOptions options = small_options(folder);
    options.documents.push_back(folder.write("three.txt", std::string(5500, 'c')));
    FakeScorer scorer;
    const auto cases = run(scorer, options);
    std::set<TokenId> context_begins;
    for (const ShownCase& one : cases.at("full")) context_begins.insert(one.context_begin(options));
    ASSERT_EQ(cases.at("shuffled-other-kv-last").size(), 33U);
    for (const ShownCase& one : cases.at("shuffled-other-kv-last")) {
        ASSERT_EQ(one.gists.size(), 8U);
        const TokenId first = FakeScorer::source_of(one.gists.front());
        EXPECT_NE(document_of(first), one.document);
        EXPECT_TRUE(context_begins.contains(first));
        for (std::size_t g = 0; g < 8; ++g) {
            EXPECT_EQ(FakeScorer::source_of(one.gists[g]), first + static_cast<TokenId>(32 * g));
            EXPECT_EQ(one.gists[g].kv[2], 1);  // the second encoder's
        }
    }
    for (const ShownCase& one : cases.at("shuffled-kv-last"))
        EXPECT_EQ(document_of(FakeScorer::source_of(one.gists.front())), one.document);
    // Each window is encoded once by each encoder although two documents ask for it.
    EXPECT_EQ(scorer.encoded.size(), 2 * 33U);
}

TEST(Covers, GistsWithARawTailAreOldBlocksThenTheNewestTokens) {
    const TestFolder folder;
    const DeltaNllOptions options = long_options(folder);
    FakeScorer scorer({"kv-last"});
    const auto cases = run(scorer, options);
    ASSERT_EQ(cases.at("kv-last+last-64").size(), 6U);
    for (const ShownCase& one : cases.at("kv-last+last-64")) {
        ASSERT_EQ(one.asked.context.size(), 3U);  // BOS, gists, tail
        ASSERT_EQ(one.gists.size(), 224U - 2);
        EXPECT_EQ(FakeScorer::source_of(one.gists.front()), one.context_begin(options));
        const auto& tail = one.asked.context[2].tokens;
        ASSERT_EQ(tail.size(), 64U);
        EXPECT_EQ(FakeScorer::source_of(one.gists.back()) + 32, tail.front());
        EXPECT_EQ(tail.back(), one.asked.scored.front() - 1);
    }
    for (const ShownCase& one : cases.at("shuffled-kv-last+last-64")) {
        EXPECT_NE(FakeScorer::source_of(one.gists.front()), one.context_begin(options));
        EXPECT_EQ(one.asked.context[2].tokens.back(), one.asked.scored.front() - 1);
    }
}

TEST(Covers, LevelTwoShowsOneParentForEvery1024Tokens) {
    const TestFolder folder;
    const DeltaNllOptions options = long_options(folder);
    FakeScorer scorer({"kv-last"});
    const auto cases = run(scorer, options);
    for (const ShownCase& one : cases.at("kv-last-l2")) {
        ASSERT_EQ(one.gists.size(), 7U);
        for (std::size_t g = 0; g < 7; ++g) {
            EXPECT_EQ(one.gists[g].kv[3], FakeScorer::kParents);
            EXPECT_EQ(FakeScorer::source_of(one.gists[g]),
                      one.context_begin(options) + static_cast<TokenId>(1024 * g));
        }
    }
    for (const ShownCase& one : cases.at("shuffled-kv-last-l2")) {
        EXPECT_EQ(one.gists.front().kv[3], FakeScorer::kParents);
        EXPECT_NE(FakeScorer::source_of(one.gists.front()), one.context_begin(options));
    }
}

TEST(Covers, MixedShowsEveryTokenOnceCoarserTheOlderItIs) {
    const TestFolder folder;
    const DeltaNllOptions options = long_options(folder);
    FakeScorer scorer({"kv-last"});
    const auto cases = run(scorer, options);
    ASSERT_EQ(cases.at("kv-last-mixed").size(), 6U);
    for (const ShownCase& one : cases.at("kv-last-mixed")) {
        TokenId next = one.context_begin(options);
        for (const Gist& gist : one.gists) {
            EXPECT_EQ(FakeScorer::source_of(gist), next);
            const bool is_old = next < one.asked.scored.front() - 2048;
            EXPECT_EQ(gist.kv[3], is_old ? FakeScorer::kParents : FakeScorer::kEncoder);
            next += is_old ? 1024 : 32;
        }
        for (const TokenId token : one.asked.context.back().tokens) EXPECT_EQ(token, next++);
        EXPECT_EQ(next, one.asked.scored.front());
        EXPECT_EQ(one.asked.context.back().tokens.size(), 64U);
    }
}

// The scorer's encoder as an ingest asks it.
class ScorersEncoder final : public GistEncoder {
  public:
    explicit ScorersEncoder(FakeScorer& scorer) : scorer_(scorer) {}

    const EncoderInfo& info() const override { return scorer_.facts().encoders.front(); }

    Result<std::vector<std::vector<Gist>>> encode_windows(std::span<const ReadWindow> windows,
                                                          bool) override {
        return scorer_.encode_windows(0, windows);
    }

    Result<std::vector<Gist>> encode_parents(std::span<const SiblingGists> families) override {
        return scorer_.encode_parents(0, families);
    }

  private:
    FakeScorer& scorer_;
};

// What an ingest of exactly these tokens lets the encoder read.
std::vector<ReadWindow> ingest_reads(std::span<const TokenId> tokens) {
    FakeScorer scorer({"kv-last"});
    ScorersEncoder encoder(scorer);
    MemoryNodeStore store;
    const auto document = store.create_document({});
    const auto builder = DocumentBuilder::resume(store, *document, encoder, false);
    EXPECT_TRUE((*builder)->append(tokens));
    return scorer.encoded;
}

// `tokens`: of the context, as far as gists show it.
void expect_read_as_by_ingest(const DeltaNllOptions& options, std::uint64_t tokens) {
    FakeScorer scorer({"kv-last"});
    const auto protocol = plan_protocol(scorer, options);
    ASSERT_TRUE(protocol);
    const DocumentPlan& document = protocol->documents[0];
    DocumentGists gists(scorer, *protocol, document);
    ASSERT_TRUE(gists.make(0));
    std::size_t next = 0;
    for (const std::vector<TokenId>& window : document.windows)
        for (const ReadWindow& read : ingest_reads(std::span(window).first(tokens))) {
            ASSERT_LT(next, scorer.encoded.size());
            EXPECT_EQ(scorer.encoded[next].tokens, read.tokens);
            EXPECT_EQ(scorer.encoded[next].context_count, read.context_count);
            ++next;
        }
    EXPECT_EQ(scorer.encoded.size(), next);
}

TEST(Covers, AContextIsReadAsAnIngestReadsADocument) {
    const TestFolder folder;
    DeltaNllOptions options = small_options(folder);
    options.encoders = {"kv-last"};
    options.codecs = {};
    options.windows_per_document = 2;
    expect_read_as_by_ingest(options, 256);
    options.context_tokens = 2048;
    expect_read_as_by_ingest(options, 2048);
    expect_read_as_by_ingest(long_options(folder), 7168);
    expect_read_as_by_ingest(deep_options(folder), 2 * 32768);
}

TEST(Covers, LevelThreeShowsOneGistForEvery32768TokensAndTheTailRaw) {
    const TestFolder folder;
    const DeltaNllOptions options = deep_options(folder);
    FakeScorer scorer({"kv-last"});
    const auto cases = run(scorer, options);
    ASSERT_EQ(cases.at("kv-last-l3").size(), 4U);
    for (const ShownCase& one : cases.at("kv-last-l3")) {
        ASSERT_EQ(one.gists.size(), 2U);
        for (std::size_t g = 0; g < 2; ++g) {
            EXPECT_EQ(one.gists[g].kv[3], FakeScorer::kGrandparents);
            EXPECT_EQ(FakeScorer::source_of(one.gists[g]),
                      one.context_begin(options) + static_cast<TokenId>(32768 * g));
        }
        const auto& tail = one.asked.context.back().tokens;
        ASSERT_EQ(tail.size(), 64U);
        EXPECT_EQ(tail.back(), one.asked.scored.front() - 1);
    }
    for (const ShownCase& one : cases.at("shuffled-kv-last-l3")) {
        const TokenId first = FakeScorer::source_of(one.gists.front());
        EXPECT_EQ(document_of(first), one.document);
        EXPECT_NE(first, one.context_begin(options));
        EXPECT_EQ(one.asked.context.back().tokens.back(), one.asked.scored.front() - 1);
    }
    for (const ShownCase& one : cases.at("shuffled-other-kv-last-l3"))
        EXPECT_NE(document_of(FakeScorer::source_of(one.gists.front())), one.document);
}

TEST(Covers, DeepMixedShowsEveryTokenOnceCoarserTheOlderItIsAndRecentItsNewerPart) {
    const TestFolder folder;
    const DeltaNllOptions options = deep_options(folder);
    FakeScorer scorer({"kv-last"});
    const auto cases = run(scorer, options);
    for (const char* name : {"kv-last-mixed", "kv-last-recent"})
        for (const ShownCase& one : cases.at(name)) {
            const bool is_recent = name == std::string("kv-last-recent");
            TokenId next = one.context_begin(options) + (is_recent ? 32768 : 0);
            TokenId width = 32768;
            for (const Gist& gist : one.gists) {
                EXPECT_EQ(FakeScorer::source_of(gist), next);
                EXPECT_LE(FakeScorer::width_of(gist), width);
                width = FakeScorer::width_of(gist);
                next += width;
            }
            EXPECT_EQ(one.gists.size(), (is_recent ? 0U : 1U) + 30 + 64);
            for (const TokenId token : one.asked.context.back().tokens) EXPECT_EQ(token, next++);
            EXPECT_EQ(next, one.asked.scored.front());
        }
}

TEST(Covers, ADeepCodedConditionKeepsItsRawTail) {
    const TestFolder folder;
    DeltaNllOptions options = deep_options(folder);
    options.codecs = {"int8"};
    FakeScorer scorer({"kv-last"});
    const auto cases = run(scorer, options);
    ASSERT_EQ(cases.at("kv-last-l3:int8").size(), 4U);
    std::size_t changed = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const ShownCase& plain = cases.at("kv-last-l3")[i];
        const ShownCase& coded = cases.at("kv-last-l3:int8")[i];
        ASSERT_EQ(coded.gists.size(), plain.gists.size());
        EXPECT_EQ(coded.asked.context.back().tokens, plain.asked.context.back().tokens);
        for (std::size_t g = 0; g < plain.gists.size(); ++g)
            changed += coded.gists[g].kv == plain.gists[g].kv ? 0 : 1;
    }
    EXPECT_GT(changed, 0U);
}

TEST(Covers, ADeepRunIsMeasuredAgainstTheTailAloneAndTheLongestRawStretch) {
    const TestFolder folder;
    const DeltaNllOptions options = deep_options(folder);
    FakeScorer scorer({"kv-last"});
    // Gists of level 3 say half as much as the longest raw stretch, foreign ones a quarter.
    scorer.rule = [&](const lm::ScoringCase& one, std::size_t) {
        if (one.context.size() == 2) return one.context[1].tokens.size() == 64 ? 4.0F : 2.0F;
        const TokenId first = FakeScorer::source_of(*one.context[1].gists.front());
        return first == one.scored.front() - static_cast<TokenId>(options.context_tokens) ? 3.0F
                                                                                          : 3.5F;
    };
    const auto report = run_delta_nll(scorer, options, {}, nullptr);
    ASSERT_TRUE(report) << report.error().to_string();
    const ConditionMetrics* own = report->groups.back().find("kv-last-l3", "64");
    EXPECT_NEAR(own->recovery.value, 0.5, 1e-6);
    EXPECT_NEAR(own->specific_recovery.value, 1.0 / 3, 1e-6);
    EXPECT_NEAR(own->gain.value, 1.0, 1e-6);
    EXPECT_NEAR(own->specific_gain.value, 0.5, 1e-6);
    EXPECT_EQ(report->groups.back().find("last-7168", "64")->delta_nll.value, 0);
}

TEST(Covers, ACodedConditionShowsWhatAStoreWouldGiveBack) {
    const TestFolder folder;
    const DeltaNllOptions options = small_options(folder);
    FakeScorer scorer;
    const auto cases = run(scorer, options);
    const GistShape shape = scorer.facts().gist_shape;
    const auto codec = storage::GistCodec::kInt8;
    std::size_t changed = 0;
    for (std::size_t i = 0; i < cases.at("kv-mean").size(); ++i)
        for (std::size_t g = 0; g < 8; ++g) {
            const Gist& plain = cases.at("kv-mean")[i].gists[g];
            std::vector<std::byte> bytes(storage::encoded_gist_bytes(codec, shape));
            ASSERT_TRUE(storage::encode_gist(codec, shape, plain.kv, bytes));
            std::vector<std::uint16_t> expected(plain.kv.size());
            storage::decode_gist(codec, shape, bytes, expected);
            EXPECT_EQ(cases.at("kv-mean:int8")[i].gists[g].kv, expected);
            changed += expected == plain.kv ? 0 : 1;
        }
    EXPECT_GT(changed, 0U);  // or the codec was never used
}

TEST(Covers, TheOracleIsFittedOnTheFirstWindowsAndScoredOnThemAlone) {
    const TestFolder folder;
    DeltaNllOptions options = small_options(folder);
    options.oracle_windows = 9;
    FakeScorer scorer;
    const auto cases = run(scorer, options);
    ASSERT_EQ(cases.at("oracle").size(), 2U * 9);
    ASSERT_EQ(scorer.optimized.size(), 2U * 9);
    for (std::size_t i = 0; i < 18; ++i) {
        const ShownCase& one = cases.at("oracle")[i];
        EXPECT_EQ(one.window, i % 9);
        const OracleCase& fitted = scorer.optimized[i];
        EXPECT_EQ(fitted.horizon, one.asked.scored);
        EXPECT_EQ(fitted.context.front(), one.context_begin(options));
        EXPECT_EQ(fitted.context.size(), 256U);
        ASSERT_EQ(one.gists.size(), 8U);
        for (std::size_t g = 0; g < 8; ++g) {
            EXPECT_EQ(one.gists[g].kv[3], FakeScorer::kOptimizer);
            EXPECT_EQ(FakeScorer::source_of(one.gists[g]), FakeScorer::source_of(fitted.start[g]));
            EXPECT_EQ(fitted.start[g].kv[2], 1);  // of the last encoder
        }
    }
}

TEST(Covers, TheOracleHasGroupsOfItsOwnWithEveryConditionOnItsWindows) {
    const TestFolder folder;
    DeltaNllOptions options = small_options(folder);
    options.oracle_windows = 9;
    FakeScorer scorer;
    const auto report = run_delta_nll(scorer, options, {}, nullptr);
    ASSERT_TRUE(report);
    ASSERT_EQ(report->groups.size(), 6U);
    for (std::size_t g = 0; g < 6; ++g) {
        const GroupMetrics& group = report->groups[g];
        const bool is_oracle = g >= 3;
        EXPECT_EQ(group.subset, is_oracle ? "oracle" : "");
        EXPECT_EQ(group.is_pool, g % 3 == 2);
        EXPECT_EQ(group.window_count, (is_oracle ? 9U : 11U) * (group.is_pool ? 2 : 1));
        EXPECT_EQ(group.find("oracle", "64") != nullptr, is_oracle);
        EXPECT_NE(group.find("kv-last", "64"), nullptr);
    }
    EXPECT_NEAR(report->groups[5].find("oracle", "64")->recovery.value, 1.75 / 2, 1e-4);
    EXPECT_NEAR(report->groups[5].find("oracle", "64")->specific_recovery.value, 1.25 / 1.5, 1e-4);
    const std::string results = report->results_json;
    EXPECT_NE(results.find("\"delta-nll-oracle/"), std::string::npos);
    EXPECT_NE(results.find("\"delta-nll-oracle\""), std::string::npos);
    EXPECT_NE(report->table.find("## pooled, oracle (18 windows)"), std::string::npos);
}

}  // namespace
}  // namespace mc::eval
