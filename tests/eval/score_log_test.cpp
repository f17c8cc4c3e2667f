// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/score_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/eval/fake_scorer.h"

namespace mc::eval {
namespace {

const std::string kConfiguration = R"({"task":"delta-nll","seed":1,"windows":4})";

ScoreLine line_of(std::size_t window, double nll) {
    return {"d \"1\"",
            window,
            100 * window,
            "kv-last",
            {std::numeric_limits<double>::quiet_NaN(), rounded_nll(nll)}};
}

TEST(ScoreLog, GivesBackExactlyWhatWasAppended) {
    const TestFolder folder;
    const Path path = folder.path() / "tokens.jsonl";
    const std::vector<ScoreLine> lines = {line_of(0, 3.14159265), line_of(1, 1e-9)};
    ASSERT_TRUE((*ScoreLog::open(path, kConfiguration))->append(lines));
    const auto log = ScoreLog::open(path, kConfiguration);
    ASSERT_TRUE(log) << log.error().to_string();
    ASSERT_EQ((*log)->lines().size(), 2U);
    const ScoreLine& first = (*log)->lines()[0];
    EXPECT_EQ(first.document, "d \"1\"");
    EXPECT_TRUE(std::isnan(first.nll[0]));
    EXPECT_EQ(first.nll[1], lines[0].nll[1]);
    EXPECT_NE(folder.read("tokens.jsonl").find("\"nll\":[null,3.14159]"), std::string::npos);
    EXPECT_EQ((*log)->lines()[1].start, 100U);
}

TEST(ScoreLog, DropsATornLastLineAtEveryByte) {
    const TestFolder folder;
    const Path path = folder.path() / "tokens.jsonl";
    const std::vector<ScoreLine> first = {line_of(0, 1)};
    const std::vector<ScoreLine> second = {line_of(1, 2)};
    ASSERT_TRUE((*ScoreLog::open(path, kConfiguration))->append(first));
    const std::string whole_prefix = folder.read("tokens.jsonl");
    ASSERT_TRUE((*ScoreLog::open(path, kConfiguration))->append(second));
    const std::string all = folder.read("tokens.jsonl");
    for (std::size_t cut = whole_prefix.size(); cut < all.size(); ++cut) {
        folder.write("tokens.jsonl", all.substr(0, cut));
        auto log = ScoreLog::open(path, kConfiguration);
        ASSERT_TRUE(log) << cut;
        EXPECT_EQ((*log)->lines().size(), 1U);
        ASSERT_TRUE((*log)->append(second));
        EXPECT_EQ(folder.read("tokens.jsonl"), all);
    }
}

TEST(ScoreLog, TornHeaderStartsAfresh) {
    const TestFolder folder;
    folder.write("tokens.jsonl", "{\"format\":\"mega");
    ASSERT_TRUE(ScoreLog::open(folder.path() / "tokens.jsonl", kConfiguration));
    EXPECT_EQ(folder.read("tokens.jsonl").find("{\"format\":\"megacontext-delta-nll\""), 0U);
}

TEST(ScoreLog, AnotherConfigurationIsRefusedAndNamed) {
    const TestFolder folder;
    const Path path = folder.path() / "tokens.jsonl";
    ASSERT_TRUE(ScoreLog::open(path, kConfiguration));
    const std::string before = folder.read("tokens.jsonl");
    const auto log = ScoreLog::open(path, R"({"task":"delta-nll","seed":2,"windows":4})");
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(log.error().message().find("(seed)"), std::string::npos) << log.error().message();
    EXPECT_EQ(folder.read("tokens.jsonl"), before);
}

TEST(ScoreLog, EverySuiteHasAFormatOfItsOwn) {
    const TestFolder folder;
    const Path path = folder.path() / "tokens.jsonl";
    const std::string probes = R"({"task":"gist-probes","seed":1,"windows":4})";
    ASSERT_TRUE((*ScoreLog::open(path, probes))->append(std::vector{line_of(0, 1)}));
    const std::string before = folder.read("tokens.jsonl");
    EXPECT_EQ(before.find("{\"format\":\"megacontext-gist-probes\""), 0U);
    EXPECT_EQ((*ScoreLog::open(path, probes))->lines().size(), 1U);
    const auto other = ScoreLog::open(path, kConfiguration);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(other.error().message().find("not a log of delta-nll"), std::string::npos);
    EXPECT_EQ(folder.read("tokens.jsonl"), before);
}

TEST(ScoreLog, ForeignFileIsRefusedUntouched) {
    const TestFolder folder;
    folder.write("tokens.jsonl", "dear diary\nmore\n");
    EXPECT_EQ(ScoreLog::open(folder.path() / "tokens.jsonl", kConfiguration).error().code(),
              ErrorCode::kInvalidInput);
    EXPECT_EQ(folder.read("tokens.jsonl"), "dear diary\nmore\n");
}

TEST(ScoreLog, DamagedLineIsCorruptionWithItsNumber) {
    const TestFolder folder;
    const Path path = folder.path() / "tokens.jsonl";
    ASSERT_TRUE(ScoreLog::open(path, kConfiguration));
    const std::string header = folder.read("tokens.jsonl");
    for (const std::string bad :
         {"{", "[]", "{}", "null",
          R"({"document":1,"window":0,"start":0,"condition":"x","nll":[]})",
          R"({"document":"d","window":-1,"start":0,"condition":"x","nll":[]})",
          R"({"document":"d","window":0,"start":0,"condition":"x","nll":["a"]})"}) {
        folder.write("tokens.jsonl", header + bad + "\n");
        const auto log = ScoreLog::open(path, kConfiguration);
        ASSERT_FALSE(log) << bad;
        EXPECT_EQ(log.error().code(), ErrorCode::kCorruption);
        EXPECT_NE(log.error().to_string().find("line 2"), std::string::npos);
    }
}

TEST(ScoreLog, OneWriterAtATime) {
    const TestFolder folder;
    const Path path = folder.path() / "tokens.jsonl";
    const auto first = ScoreLog::open(path, kConfiguration);
    ASSERT_TRUE(first);
    EXPECT_EQ(ScoreLog::open(path, kConfiguration).error().code(), ErrorCode::kLocked);
}

}  // namespace
}  // namespace mc::eval
