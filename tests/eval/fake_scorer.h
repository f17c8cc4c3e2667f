// SPDX-License-Identifier: Apache-2.0
// A Scorer by arithmetic: every token id is its position, so a test can see where tokens came from,
// and the NLL follows from what stands in the context. Records what it was asked.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/span_math.h"
#include "eval/protocol.h"

namespace mc::eval {

class FakeScorer final : public Scorer {
  public:
    static constexpr TokenId kBos = 1'000'000'000;
    static constexpr std::uint32_t kHidden = 3;

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

    // One token per byte; its id is its position.
    std::vector<TokenId> tokenize(std::string_view bytes) const override {
        std::vector<TokenId> tokens(bytes.size());
        for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<TokenId>(i);
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
            for (std::size_t t = 0; t < window.tokens.size(); t += kBlockSize)
                gists.back().push_back(gist_of(window.tokens[t], encoder));
        }
        return gists;
    }

    Result<std::vector<std::vector<float>>> score_batch(
        std::span<const lm::ScoringCase> cases) override {
        ++calls;
        if (calls == fail_at_call) return fail(ErrorCode::kModel, "no power");
        scored.insert(scored.end(), cases.begin(), cases.end());
        std::vector<std::vector<float>> result;
        for (const lm::ScoringCase& one : cases) {
            result.emplace_back();
            for (std::size_t t = 0; t < one.scored.size(); ++t)
                result.back().push_back(nll(one, t) + offset);
            result.back().front() = std::numeric_limits<float>::quiet_NaN();
        }
        return result;
    }

    static TokenId source_of(const Gist& gist) { return gist.kv[0] * 65536 + gist.kv[1]; }

    std::vector<ReadWindow> encoded;
    std::vector<lm::ScoringCase> scored;
    std::size_t calls = 0;
    std::size_t fail_at_call = 0;  // 0: never
    float offset = 0;              // added to every NLL

    ScorerFacts& mutable_facts() { return facts_; }

  private:
    static Gist gist_of(TokenId token, std::size_t encoder) {
        Gist gist;
        gist.kv = {static_cast<std::uint16_t>(token / 65536),
                   static_cast<std::uint16_t>(token % 65536), static_cast<std::uint16_t>(encoder),
                   1};
        return gist;
    }

    // none 4, full 2, own gists 3, foreign gists 3.5, vectors 10, zero gists 4.25, n raw tokens
    // 4 - n / 256 × 2; and a ripple by token and window that is equal for every condition.
    static float nll(const lm::ScoringCase& one, std::size_t t) {
        const TokenId first = one.scored.front();
        const float ripple = 0.01F * static_cast<float>((first * 7 + static_cast<TokenId>(t)) % 11);
        if (one.context.size() == 1) return 4 + ripple;
        const lm::Segment& segment = one.context[1];
        if (!segment.vectors.empty()) return 10 + ripple;
        if (!segment.tokens.empty())
            return 4 - static_cast<float>(segment.tokens.size()) / 128 + ripple;
        const Gist& gist = *segment.gists.front();
        if (gist.kv[3] == 0) return 4.25F + ripple;
        const auto width = static_cast<TokenId>(segment.gists.size() * kBlockSize);
        return (source_of(gist) == first - width ? 3.0F : 3.5F) + ripple;
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

inline DeltaNllOptions small_options(const TestFolder& folder) {
    DeltaNllOptions options;
    options.documents = {folder.write("one.txt", std::string(5000, 'a')),
                         folder.write("two.txt", std::string(6000, 'b'))};
    options.output = folder.path() / "out";
    options.windows_per_document = 11;  // two batches, the second not full
    return options;
}

}  // namespace mc::eval
