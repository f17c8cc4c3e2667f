// SPDX-License-Identifier: Apache-2.0
// A Scorer by arithmetic: every token id is its position and its document, so a test can see where
// tokens came from, and the NLL follows from what stands in the context. Records what it was asked.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/rng.h"
#include "core/span_math.h"
#include "eval/delta_nll/protocol.h"

namespace mc::eval {

class FakeScorer final : public Scorer {
  public:
    static constexpr TokenId kBos = 1'000'000'000;
    static constexpr std::uint32_t kHidden = 3;
    static constexpr TokenId kPerDocument = 200'000;  // token ids of a document

    // The last number of a gist says how it was made.
    enum Maker : std::uint16_t {
        kZero = 0,
        kEncoder = 1,
        kOptimizer = 2,
        kParents = 3,
        kGrandparents = 4,
    };

    explicit FakeScorer(std::vector<std::string> encoders = {"kv-mean", "kv-last"}) {
        facts_.model_name = "fake";
        facts_.model_hash = {1, 2};
        facts_.device = "arithmetic";
        facts_.gist_shape = {1, 1, 2, 0};  // four halves
        facts_.hidden_dim = kHidden;
        facts_.context_length = 8192;
        facts_.bos = kBos;
        for (const std::string& name : encoders)
            facts_.encoders.push_back({name, {3, name.size()}, facts_.gist_shape});
    }

    const ScorerFacts& facts() const override { return facts_; }

    // One token per byte; its id is its position, from a number on that the first letter gives.
    std::vector<TokenId> tokenize(std::string_view bytes) const override {
        std::vector<TokenId> tokens(bytes.size());
        for (std::size_t i = 0; i < tokens.size(); ++i)
            tokens[i] = (bytes[0] - 'a') * kPerDocument + static_cast<TokenId>(i);
        return tokens;
    }

    Result<std::vector<float>> embeddings_of(std::span<const TokenId> tokens) override {
        std::vector<float> embeddings;
        for (const TokenId token : tokens)
            for (std::uint32_t i = 0; i < kHidden; ++i)
                embeddings.push_back(static_cast<float>(token) + static_cast<float>(i) / 4);
        return embeddings;
    }

    // A gist that carries the position of its block's first token, and its encoder.
    Result<std::vector<std::vector<Gist>>> encode_windows(
        std::size_t encoder, std::span<const ReadWindow> windows) override {
        encoded.insert(encoded.end(), windows.begin(), windows.end());
        std::vector<std::vector<Gist>> gists;
        for (const ReadWindow& window : windows) {
            gists.emplace_back();
            for (std::size_t t = window.context_count; t < window.tokens.size(); t += kBlockSize)
                gists.back().push_back(gist_of(window.tokens[t], encoder));
        }
        return gists;
    }

    // A gist that carries the position of its span's first token.
    Result<std::vector<Gist>> encode_parents(std::size_t,
                                             std::span<const SiblingGists> families) override {
        std::vector<Gist> parents;
        for (const SiblingGists& family : families) {
            EXPECT_EQ(family.size(), kBlockSize);
            for (std::size_t i = 1; i < family.size(); ++i)
                EXPECT_EQ(source_of(family[i]) - source_of(family[i - 1]),
                          width_of(family.front()));
            const Gist& first = family.front();
            parents.push_back(first);
            parents.back().kv[3] = first.kv[3] == kEncoder ? kParents : kGrandparents;
        }
        return parents;
    }

    Result<std::vector<std::vector<Gist>>> optimize_gists(
        std::span<const OracleCase> cases) override {
        optimized.insert(optimized.end(), cases.begin(), cases.end());
        std::vector<std::vector<Gist>> result;
        for (const OracleCase& one : cases) {
            result.push_back(one.start);
            for (Gist& gist : result.back()) gist.kv[3] = kOptimizer;
        }
        return result;
    }

    Result<std::vector<std::vector<float>>> score_batch(
        std::span<const lm::ScoringCase> cases) override {
        ++calls;
        if (calls == fail_at_call) return fail(ErrorCode::kModel, "no power");
        scored.insert(scored.end(), cases.begin(), cases.end());
        for (const lm::ScoringCase& one : cases) {
            shown.emplace_back();
            for (const lm::Segment& segment : one.context)
                for (const Gist* gist : segment.gists) shown.back().push_back(*gist);
        }
        std::vector<std::vector<float>> result;
        for (const lm::ScoringCase& one : cases) {
            result.emplace_back();
            for (std::size_t t = 0; t < one.scored.size(); ++t)
                result.back().push_back((rule ? rule(one, t) : nll(one, t)) + offset);
            result.back().front() = std::numeric_limits<float>::quiet_NaN();
        }
        return result;
    }

    // Tokens that a gist stands for.
    static TokenId width_of(const Gist& gist) {
        return gist.kv[3] == kGrandparents ? 32768 : gist.kv[3] == kParents ? 1024 : 32;
    }

    static TokenId source_of(const Gist& gist) { return gist.kv[0] * 65536 + gist.kv[1]; }

    std::vector<ReadWindow> encoded;
    std::vector<OracleCase> optimized;
    std::vector<lm::ScoringCase> scored;
    // Copies of the gists of every case in `scored`, in order: what its pointers showed.
    std::vector<std::vector<Gist>> shown;
    std::size_t calls = 0;
    std::size_t fail_at_call = 0;  // 0: never
    float offset = 0;              // added to every NLL
    // In place of the arithmetic below, when there is one.
    std::function<float(const lm::ScoringCase&, std::size_t t)> rule;
    TokenId context_tokens = 256;

    ScorerFacts& mutable_facts() { return facts_; }

  private:
    static Gist gist_of(TokenId token, std::size_t encoder) {
        Gist gist;
        gist.kv = {static_cast<std::uint16_t>(token / 65536),
                   static_cast<std::uint16_t>(token % 65536), static_cast<std::uint16_t>(encoder),
                   kEncoder};
        return gist;
    }

    // none 4, full 2, own gists 3, foreign gists 3.5, of level 2 both 0.25 more, optimised ones
    // 2.25, a raw tail behind gists 0.5 less, vectors 10, zero gists 4.25, n raw tokens
    // 4 - n / 256 × 2; and a ripple by token and window that is equal for every condition.
    float nll(const lm::ScoringCase& one, std::size_t t) const {
        const TokenId first = one.scored.front();
        const float ripple = 0.01F * static_cast<float>((first * 7 + static_cast<TokenId>(t)) % 11);
        if (one.context.size() == 1) return 4 + ripple;
        const lm::Segment& segment = one.context[1];
        if (!segment.vectors.empty()) return 10 + ripple;
        if (!segment.tokens.empty())
            return 4 -
                   2 * static_cast<float>(segment.tokens.size()) /
                       static_cast<float>(context_tokens) +
                   ripple;
        const Gist& gist = *segment.gists.front();
        if (gist.kv[3] == kZero) return 4.25F + ripple;
        if (gist.kv[3] == kOptimizer) return 2.25F + ripple;
        const float level = gist.kv[3] == kParents ? 0.25F : 0.0F;
        const float tail = one.context.back().tokens.empty() ? 0.0F : 0.5F;
        return (source_of(gist) == first - context_tokens ? 3.0F : 3.5F) + level - tail + ripple;
    }

    ScorerFacts facts_;
};

// Folder of one test, removed with it.
class TestFolder {
  public:
    TestFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "mc-eval-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }

    ~TestFolder() { std::filesystem::remove_all(path_); }

    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    const Path& path() const { return path_; }

    Path write(const std::string& name, const std::string& content) const {
        EXPECT_TRUE(replace_file(path_ / name, std::as_bytes(std::span(content))));
        return path_ / name;
    }

    std::string read(const Path& name) const {
        const auto content = read_file(path_ / name, 1 << 26);
        EXPECT_TRUE(content) << name;
        return content ? *content : "";
    }

  private:
    Path path_;
};

// Text of characters that print, for models whose words mean nothing.
inline std::string printable_text(std::uint64_t seed) {
    Rng rng(seed);
    std::string text;
    for (int i = 0; i < 3000; ++i) text += static_cast<char>(' ' + rng.below(95));
    return text;
}

// As a run of these options plans them.
inline std::vector<Condition> conditions_of(const DeltaNllOptions& options,
                                            const ScorerFacts& facts) {
    const auto codecs = named_codecs(options.codecs, facts.gist_shape, facts.encoders);
    EXPECT_TRUE(codecs) << codecs.error().to_string();
    return *conditions_for(options, *codecs, facts);
}

inline DeltaNllOptions small_options(const TestFolder& folder) {
    DeltaNllOptions options;
    options.documents = {folder.write("one.txt", std::string(5000, 'a')),
                         folder.write("two.txt", std::string(6000, 'b'))};
    options.output = folder.path() / "out";
    options.windows_per_document = 11;  // two batches, the second not full
    return options;
}

// Windows of 7,168 tokens with everything that they can be shown as.
inline DeltaNllOptions long_options(const TestFolder& folder) {
    DeltaNllOptions options;
    options.documents = {folder.write("one.txt", std::string(25000, 'a')),
                         folder.write("two.txt", std::string(26000, 'b'))};
    options.output = folder.path() / "out";
    options.windows_per_document = 3;
    options.context_tokens = 7168;
    options.encoders = {"kv-last"};
    options.codecs = {};
    options.levels = 2;
    return options;
}

// Windows of 65,600 tokens, which no model here reads whole.
inline DeltaNllOptions deep_options(const TestFolder& folder) {
    DeltaNllOptions options = long_options(folder);
    options.documents = {folder.write("one.txt", std::string(140000, 'a')),
                         folder.write("two.txt", std::string(150000, 'b'))};
    options.windows_per_document = 2;
    options.context_tokens = 2 * 32768 + 64;
    options.levels = 3;
    return options;
}

}  // namespace mc::eval
