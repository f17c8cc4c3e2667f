// SPDX-License-Identifier: Apache-2.0
// Laws of every condition's cover, whatever the context and the options.
#include "eval/delta_nll/conditions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/span_math.h"

namespace mc::eval {
namespace {

DeltaNllOptions options_of(std::uint32_t context, std::uint32_t levels) {
    DeltaNllOptions options;
    options.documents = {"one", "two"};
    options.context_tokens = context;
    options.levels = levels;
    options.oracle_windows = 2;
    return options;
}

constexpr GistShape kShape{30, 3, 64, 0};

std::vector<NamedCodec> codecs_of(const DeltaNllOptions& options) {
    return *named_codecs(options.codecs, kShape, {});
}

ScorerFacts facts_of(std::size_t encoder_count) {
    ScorerFacts facts;
    facts.gist_shape = kShape;
    facts.context_length = 8192;
    facts.encoders.resize(encoder_count);
    return facts;
}

std::map<std::string, Condition> by_name(const DeltaNllOptions& options) {
    std::map<std::string, Condition> result;
    const auto conditions =
        conditions_for(options, codecs_of(options), facts_of(options.encoders.size()));
    EXPECT_TRUE(conditions);
    for (const Condition& condition : *conditions) result[condition.name] = condition;
    return result;
}

// Contexts and levels that are measured.
const std::vector<DeltaNllOptions> kDeepProtocols = {
    options_of(32768 + 64, 3), options_of(3 * 32768 + 64, 3), options_of(8 * 32768 + 64, 3)};
const std::vector<DeltaNllOptions> kProtocols = [] {
    std::vector<DeltaNllOptions> all = {options_of(64, 1),   options_of(256, 1),
                                        options_of(512, 1),  options_of(1024, 2),
                                        options_of(2048, 2), options_of(7168, 2)};
    all.insert(all.end(), kDeepProtocols.begin(), kDeepProtocols.end());
    return all;
}();

TEST(Conditions, PartsFollowEachOtherUpToTheHorizonAndFromTheBeginningUnlessOfTheNewest) {
    for (const DeltaNllOptions& options : kProtocols)
        for (const auto& [name, condition] : by_name(options)) {
            if (name == "none") continue;
            ASSERT_FALSE(condition.parts.empty()) << name;
            const bool is_newest = name.starts_with("last-") || name.ends_with("-recent");
            std::uint64_t covered = is_newest ? condition.parts.front().span.begin : 0;
            for (const Part& part : condition.parts) {
                EXPECT_EQ(part.span.begin, covered) << name;  // every token exactly once
                EXPECT_GT(part.span.count(), 0U) << name;
                covered = part.span.end;
                if (part.kind != PartKind::kTokens) {
                    EXPECT_TRUE(is_block_aligned(part.span, part.level)) << name;
                }
            }
            EXPECT_EQ(covered, options.context_tokens) << name;
        }
}

TEST(Conditions, EveryControlIsThereAndShowsForeignGistsInTheSameCover) {
    for (const DeltaNllOptions& options : kProtocols) {
        const auto conditions = by_name(options);
        for (const auto& [name, condition] : conditions) {
            const bool shows_own =
                condition.needs(PartKind::kGists) && !name.starts_with(kShuffledPrefix);
            EXPECT_EQ(!condition.control.empty(), shows_own) << name;
            if (!shows_own) continue;
            const auto control = conditions.find(condition.control);
            ASSERT_NE(control, conditions.end()) << name;
            EXPECT_EQ(control->second.origin, GistOrigin::kOtherWindow) << name;
            EXPECT_EQ(control->second.encoder, condition.encoder) << name;
            EXPECT_EQ(control->second.entries(), condition.entries()) << name;
        }
    }
}

TEST(Conditions, EntriesOfTheLongCovers) {
    const auto two_thousand = by_name(options_of(2048, 2));
    EXPECT_EQ(two_thousand.at("kv-last").entries(), 64U);
    EXPECT_EQ(two_thousand.at("kv-last+last-64").entries(), 62U + 64);
    EXPECT_EQ(two_thousand.at("kv-last-l2").entries(), 2U);
    EXPECT_FALSE(two_thousand.contains("kv-last-mixed"));  // nothing is older than its reach
    EXPECT_TRUE(two_thousand.contains("last-256"));
    const auto seven_thousand = by_name(options_of(7168, 2));
    EXPECT_EQ(seven_thousand.at("kv-last-l2").entries(), 7U);
    EXPECT_EQ(seven_thousand.at("kv-last-mixed").entries(), 5U + 62 + 64);
    EXPECT_EQ(by_name(options_of(1024, 2)).at("kv-last-l2").entries(), 1U);
}

TEST(Conditions, DeepContextsEndRawAndFitTheModel) {
    for (const DeltaNllOptions& options : kDeepProtocols)
        for (const auto& [name, condition] : by_name(options)) {
            const Part& last = condition.parts.back();
            EXPECT_EQ(last.kind, PartKind::kTokens) << name;
            EXPECT_LE(last.span.begin, options.context_tokens - kRawTail) << name;
            EXPECT_LE(1 + condition.entries() + options.horizon_tokens, 8192U) << name;
        }
}

TEST(Conditions, EntriesOfTheDeepCovers) {
    const auto one = by_name(options_of(32768 + 64, 3));
    EXPECT_EQ(one.at("none").entries(), 64U);
    EXPECT_EQ(one.at("kv-last-l3").entries(), 1U + 64);
    EXPECT_EQ(one.at("kv-last-l2").entries(), 32U + 64);
    EXPECT_EQ(one.at("kv-last-l1").entries(), 1024U + 64);
    EXPECT_EQ(one.at("kv-last-mixed").entries(), 30U + 64 + 64);
    EXPECT_EQ(one.at("zero").entries(), 1U + 64);
    EXPECT_EQ(one.at("last-7168").entries(), 7168U);
    EXPECT_FALSE(one.contains("kv-last-recent"));  // it would be the mixed cover
    const auto three = by_name(options_of(3 * 32768 + 64, 3));
    EXPECT_EQ(three.at("kv-last-mixed").entries(), 2U + 30 + 64 + 64);
    EXPECT_EQ(three.at("kv-last-recent").entries(), 30U + 64 + 64);
    EXPECT_FALSE(three.contains("full"));
    EXPECT_TRUE(three.contains("kv-last-l1"));
    // 8,192 gists of level 1 and a tail are more than the model reads.
    EXPECT_FALSE(by_name(options_of(8 * 32768 + 64, 3)).contains("kv-last-l1"));
}

TEST(Conditions, RawControlsAreFixedNumbersOfTokens) {
    const auto raw_of = [](std::uint32_t context) {
        std::vector<std::uint32_t> raw;
        for (const auto& [name, condition] : by_name(options_of(context, 1)))
            if (name.starts_with("last-")) raw.push_back(condition.raw_tokens_alone());
        std::sort(raw.begin(), raw.end());
        return raw;
    };
    using Numbers = std::vector<std::uint32_t>;
    EXPECT_EQ(raw_of(64), (Numbers{8, 16, 32}));
    EXPECT_EQ(raw_of(256), (Numbers{8, 16, 32, 64, 128}));
    EXPECT_EQ(raw_of(2048), (Numbers{8, 16, 32, 64, 128, 256}));
}

TEST(Conditions, GistsOfAnotherDocumentNeedOne) {
    DeltaNllOptions options = options_of(256, 1);
    EXPECT_EQ(by_name(options).at("shuffled-other-kv-mean").origin, GistOrigin::kOtherDocument);
    options.documents.pop_back();
    EXPECT_FALSE(by_name(options).contains("shuffled-other-kv-mean"));
}

TEST(Conditions, TheOracleStartsFromTheLastEncoderAndCoversTheFirstWindows) {
    const DeltaNllOptions options = options_of(256, 1);
    const Condition oracle = by_name(options).at("oracle");
    EXPECT_EQ(oracle.encoder, 1U);
    EXPECT_EQ(oracle.control, "shuffled-kv-last");
    EXPECT_TRUE(oracle.covers_window(1, options));
    EXPECT_FALSE(oracle.covers_window(2, options));
    EXPECT_TRUE(by_name(options).at("kv-last").covers_window(2, options));
}

TEST(Conditions, EncodersAreCalledByTheirLabel) {
    EXPECT_EQ(encoder_label("kv-last"), "kv-last");
    EXPECT_EQ(encoder_label("auto"), "gistnet");
    EXPECT_EQ(encoder_label("models/a.safetensors"), "gistnet");
    EXPECT_EQ(encoder_label("b.safetensors"), "gistnet");
    EXPECT_EQ(encoder_label("mine=models/a=b.safetensors"), "mine");
    EXPECT_EQ(encoder_source("mine=models/a=b.safetensors"), "models/a=b.safetensors");
    EXPECT_EQ(encoder_source("auto"), "auto");
    DeltaNllOptions options = options_of(256, 1);
    options.encoders = {"kv-mean", "gistnet=a.safetensors"};
    const auto conditions = by_name(options);
    EXPECT_TRUE(conditions.contains("gistnet"));
    EXPECT_TRUE(conditions.contains("shuffled-other-gistnet"));
    EXPECT_TRUE(conditions.contains("gistnet:int8"));
}

TEST(Conditions, BytesPerTokenFollowLevelAndCodec) {
    DeltaNllOptions options = options_of(1024, 2);
    options.codecs = {"int8", "int4"};
    const auto conditions = by_name(options);
    const auto codecs = codecs_of(options);
    const auto bytes_of = [&](const char* name) {
        return gist_bytes_per_token(conditions.at(name), kShape, codecs);
    };
    EXPECT_EQ(bytes_of("kv-last"), 720.0);
    EXPECT_EQ(bytes_of("kv-last-l2"), 720.0 / 32);
    EXPECT_EQ(bytes_of("kv-last:int8"), (11520.0 + 360) / 32);
    EXPECT_EQ(bytes_of("kv-last:int4"), 11520.0 * 18 / 32 / 32);
    EXPECT_EQ(bytes_of("kv-last+last-64"), std::nullopt);
    EXPECT_EQ(bytes_of("shuffled-kv-last"), std::nullopt);
    EXPECT_EQ(bytes_of("zero"), std::nullopt);
}

TEST(Conditions, ACodebookIsMeasuredOnItsOwnEncoderAlone) {
    DeltaNllOptions options = options_of(256, 1);
    options.codecs.clear();
    std::vector<NamedCodec> codecs(1);
    codecs[0].name = "pq";
    codecs[0].encoder_hash = Hash128{7, 7};
    ScorerFacts facts = facts_of(2);
    facts.encoders[1].hash = {7, 7};
    std::vector<std::string> coded;
    const auto conditions = *conditions_for(options, codecs, facts);
    for (const Condition& condition : conditions)
        if (condition.codec) coded.push_back(condition.name);
    EXPECT_EQ(coded, std::vector<std::string>{"kv-last:pq"});
}

TEST(Conditions, UnknownCodecsAndCodebooksThatAreNotThereAreRefused) {
    const std::vector<EncoderInfo> encoders(1);
    const auto code_of = [&](const std::string& setting) {
        const auto refused = named_codecs(std::vector<std::string>{setting}, kShape, encoders);
        return refused ? std::nullopt : std::optional(refused.error().code());
    };
    EXPECT_EQ(code_of("int3"), ErrorCode::kUsage);
    EXPECT_EQ(code_of("mine=no-such-file.safetensors"), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace mc::eval
