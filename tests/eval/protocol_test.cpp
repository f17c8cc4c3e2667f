// SPDX-License-Identifier: Apache-2.0
// What the model is asked under every condition.
#include "eval/delta_nll/protocol.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/eval/fake_scorer.h"

namespace mc::eval {
namespace {

// Every case that was scored, by condition, for one document.
std::map<std::string, std::vector<lm::ScoringCase>> cases_by_condition(
    const FakeScorer& scorer, const DeltaNllOptions& options) {
    const std::vector<Condition> conditions = conditions_of(options, scorer.facts());
    std::map<std::string, std::vector<lm::ScoringCase>> result;
    std::size_t next = 0;
    for (std::size_t begin = 0; begin < options.windows_per_document; begin += kBatchWindows) {
        const std::size_t count =
            std::min<std::size_t>(kBatchWindows, options.windows_per_document - begin);
        for (const Condition& condition : conditions)
            for (std::size_t w = 0; w < count; ++w)
                result[condition.name].push_back(scorer.scored[next++]);
    }
    EXPECT_EQ(next, scorer.scored.size());
    return result;
}

class ProtocolTest : public testing::Test {
  protected:
    void SetUp() override {
        options_ = small_options(folder_);
        options_.documents.pop_back();
        const auto report = run_delta_nll(scorer_, options_, {}, nullptr);
        ASSERT_TRUE(report) << report.error().to_string();
        report_ = *report;
        cases_ = cases_by_condition(scorer_, options_);
    }

    TestFolder folder_;
    FakeScorer scorer_;
    DeltaNllOptions options_;
    DeltaNllReport report_;
    std::map<std::string, std::vector<lm::ScoringCase>> cases_;
};

TEST_F(ProtocolTest, EveryConditionOfTheProtocolIsThere) {
    const std::set<std::string> expected = {"none",        "full",
                                            "kv-mean",     "shuffled-kv-mean",
                                            "kv-last",     "shuffled-kv-last",
                                            "zero",        "last-8",
                                            "last-16",     "embedding-mean",
                                            "last-32",     "last-64",
                                            "last-128",    "kv-mean:int8",
                                            "kv-last:int8"};
    std::set<std::string> found;
    for (const auto& [name, cases] : cases_) {
        found.insert(name);
        EXPECT_EQ(cases.size(), 11U) << name;
    }
    EXPECT_EQ(found, expected);
}

TEST_F(ProtocolTest, BosStandsFirstAndTheSameTokensAreScoredEverywhere) {
    for (const auto& [name, cases] : cases_)
        for (std::size_t w = 0; w < cases.size(); ++w) {
            EXPECT_EQ(cases[w].context.front().tokens, std::vector<TokenId>{FakeScorer::kBos});
            EXPECT_EQ(cases[w].context.size(), name == "none" ? 1U : 2U);
            EXPECT_EQ(cases[w].scored, cases_["none"][w].scored);
            EXPECT_EQ(cases[w].scored.size(), 96U);
        }
}

TEST_F(ProtocolTest, FullIsThe256TokensBeforeTheHorizonAndLastNItsEnd) {
    const std::map<std::string, std::size_t> raw = {{"full", 256},   {"last-8", 8},
                                                    {"last-16", 16}, {"last-32", 32},
                                                    {"last-64", 64}, {"last-128", 128}};
    for (const auto& [name, count] : raw)
        for (const lm::ScoringCase& one : cases_[name]) {
            const std::vector<TokenId>& tokens = one.context[1].tokens;
            ASSERT_EQ(tokens.size(), count);
            for (std::size_t i = 0; i < count; ++i)
                EXPECT_EQ(tokens[i], one.scored[0] - static_cast<TokenId>(count - i));
        }
}

TEST_F(ProtocolTest, HorizonTokensNeverReachAContextOrAnEncoder) {
    // Windows are disjoint and token ids are positions: no id may occur on both sides.
    std::set<TokenId> horizon;
    for (const lm::ScoringCase& one : scorer_.scored)
        horizon.insert(one.scored.begin(), one.scored.end());
    for (const lm::ScoringCase& one : scorer_.scored)
        for (const lm::Segment& segment : one.context)
            for (const TokenId token : segment.tokens) EXPECT_FALSE(horizon.contains(token));
    for (const ReadWindow& window : scorer_.encoded)
        for (const TokenId token : window.tokens) EXPECT_FALSE(horizon.contains(token));
    EXPECT_EQ(horizon.size(), 11U * 96);
}

TEST_F(ProtocolTest, GistsComeFromTheWindowsOwnContextReadInOnePass) {
    for (const ReadWindow& window : scorer_.encoded) {
        EXPECT_EQ(window.tokens.size(), 256U);
        EXPECT_EQ(window.context_count, 0U);
    }
    EXPECT_EQ(scorer_.encoded.size(), 2 * 11U);  // each window once per encoder
    for (const char* name : {"kv-mean", "kv-last"})
        for (const lm::ScoringCase& one : cases_[name]) {
            ASSERT_EQ(one.context[1].gists.size(), 8U);
        }
}

TEST_F(ProtocolTest, EmbeddingMeanIsTheMeanOfEveryBlock) {
    for (const lm::ScoringCase& one : cases_["embedding-mean"]) {
        const std::vector<float>& vectors = one.context[1].vectors;
        ASSERT_EQ(vectors.size(), 8U * FakeScorer::kHidden);
        for (std::size_t b = 0; b < 8; ++b) {
            const double first = one.scored[0] - 256.0 + 32.0 * static_cast<double>(b);
            EXPECT_NEAR(vectors[b * FakeScorer::kHidden], first + 15.5, 0.01);
            EXPECT_NEAR(vectors[b * FakeScorer::kHidden + 2], first + 15.5 + 0.5, 0.01);
        }
    }
}

TEST_F(ProtocolTest, MetricsFollowFromWhatTheFakeAnswers) {
    ASSERT_EQ(report_.groups.size(), 1U);
    const GroupMetrics& group = report_.groups.front();
    for (const char* slice : {"16", "32", "64", "33-96", "top10"}) {
        const ConditionMetrics* own = group.find("kv-last", slice);
        EXPECT_NEAR(own->recovery.value, 0.5, 1e-4) << slice;               // 4 → 3 of 4 → 2
        EXPECT_NEAR(own->specific_recovery.value, 1.0 / 3, 1e-4) << slice;  // 3.5 → 3 of 3.5 → 2
        EXPECT_NEAR(group.find("shuffled-kv-last", slice)->recovery.value, 0.25, 1e-4);
        EXPECT_NEAR(group.find("last-128", slice)->recovery.value, 0.5, 1e-4);
        EXPECT_NEAR(group.find("embedding-mean", slice)->recovery.value, -3.0, 1e-4);
        EXPECT_NEAR(group.find("zero", slice)->recovery.value, -0.125, 1e-4);
    }
}

TEST(Protocol, AnotherSeedTakesOtherWindowsAndOtherControls) {
    const TestFolder folder;
    const FakeScorer scorer;
    DeltaNllOptions options = small_options(folder);
    const auto one = plan_protocol(scorer, options);
    const auto again = plan_protocol(scorer, options);
    options.seed = 2;
    const auto other = plan_protocol(scorer, options);
    EXPECT_EQ(one->documents[0].starts, again->documents[0].starts);
    EXPECT_EQ(one->documents[0].shuffled_source, again->documents[0].shuffled_source);
    EXPECT_NE(one->documents[0].starts, other->documents[0].starts);
    EXPECT_NE(one->documents[0].shuffled_source, other->documents[0].shuffled_source);
}

TEST(Protocol, WindowsOfADocumentDoNotDependOnTheOtherDocuments) {
    const TestFolder folder;
    const FakeScorer scorer;
    DeltaNllOptions options = small_options(folder);
    const auto both = plan_protocol(scorer, options);
    std::swap(options.documents[0], options.documents[1]);
    const auto swapped = plan_protocol(scorer, options);
    EXPECT_EQ(both->documents[0].starts, swapped->documents[1].starts);
    EXPECT_EQ(both->documents[1].shuffled_source, swapped->documents[0].shuffled_source);
}

struct BadOptions {
    const char* what;
    void (*spoil)(DeltaNllOptions&, const TestFolder&);
    ErrorCode code;
};

TEST(Protocol, OptionsThatCannotBeAreRefused) {
    const std::vector<BadOptions> cases = {
        {"no documents", [](DeltaNllOptions& o, const TestFolder&) { o.documents.clear(); },
         ErrorCode::kUsage},
        {"one window", [](DeltaNllOptions& o, const TestFolder&) { o.windows_per_document = 1; },
         ErrorCode::kUsage},
        {"too many windows",
         [](DeltaNllOptions& o, const TestFolder&) { o.windows_per_document = 1001; },
         ErrorCode::kUsage},
        {"an encoder twice",
         [](DeltaNllOptions& o, const TestFolder&) {
             o.encoders = {"kv-last", "kv-last"};
         },
         ErrorCode::kUsage},
        {"ragged context", [](DeltaNllOptions& o, const TestFolder&) { o.context_tokens = 250; },
         ErrorCode::kUsage},
        {"short horizon", [](DeltaNllOptions& o, const TestFolder&) { o.horizon_tokens = 15; },
         ErrorCode::kUsage},
        {"context beyond the model",
         [](DeltaNllOptions& o, const TestFolder&) { o.context_tokens = 8192; }, ErrorCode::kUsage},
        {"four levels", [](DeltaNllOptions& o, const TestFolder&) { o.levels = 4; },
         ErrorCode::kUsage},
        {"level 3 of less than a gist",
         [](DeltaNllOptions& o, const TestFolder&) {
             o.levels = 3;
             o.context_tokens = 64;
         },
         ErrorCode::kUsage},
        {"level 3 without a raw tail",
         [](DeltaNllOptions& o, const TestFolder&) {
             o.levels = 3;
             o.context_tokens = 32768;
         },
         ErrorCode::kUsage},
        {"an oracle of level 3",
         [](DeltaNllOptions& o, const TestFolder& f) {
             o = deep_options(f);
             o.oracle_windows = 1;
         },
         ErrorCode::kUsage},
        {"missing file",
         [](DeltaNllOptions& o, const TestFolder& f) { o.documents[1] = f.path() / "none"; },
         ErrorCode::kInvalidInput},
        {"folder", [](DeltaNllOptions& o, const TestFolder& f) { o.documents[1] = f.path(); },
         ErrorCode::kInvalidInput},
        {"empty file",
         [](DeltaNllOptions& o, const TestFolder& f) { o.documents[1] = f.write("empty", ""); },
         ErrorCode::kInvalidInput},
        {"short file",
         [](DeltaNllOptions& o, const TestFolder& f) {
             o.documents[1] = f.write("short", std::string(11 * 352 - 1, 'x'));
         },
         ErrorCode::kInvalidInput},
        {"same content twice",
         [](DeltaNllOptions& o, const TestFolder&) { o.documents[1] = o.documents[0]; },
         ErrorCode::kInvalidInput}};
    for (const BadOptions& bad : cases) {
        const TestFolder folder;
        FakeScorer scorer;
        DeltaNllOptions options = small_options(folder);
        bad.spoil(options, folder);
        const auto report = run_delta_nll(scorer, options, {}, nullptr);
        ASSERT_FALSE(report) << bad.what;
        EXPECT_EQ(report.error().code(), bad.code) << bad.what;
        EXPECT_FALSE(std::filesystem::exists(options.output)) << bad.what;
        EXPECT_EQ(scorer.calls, 0U) << bad.what;
    }
}

}  // namespace
}  // namespace mc::eval
