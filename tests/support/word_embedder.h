// SPDX-License-Identifier: Apache-2.0
// TextEmbedder by hashing: each word has 64 signs of its own, a text's vector is their sum at unit
// length. Texts are as near as the words that they share, whatever their order and case; a text
// without words lies on the first axis.
#pragma once

#include <optional>

#include "tree/text_embedder.h"

namespace mc {

class WordEmbedder final : public TextEmbedder {
  public:
    static constexpr std::uint32_t kDim = 64;

    WordEmbedder();

    // Every later call but `calls` fails with kModel.
    void fail_after(std::uint64_t calls) { calls_left_ = calls; }

    // Texts embedded so far.
    std::uint64_t text_count() const { return text_count_; }

    const TextEmbedderInfo& info() const override { return info_; }

    Result<std::vector<float>> embed(std::span<const std::string> texts) override;

  private:
    TextEmbedderInfo info_;
    std::optional<std::uint64_t> calls_left_;
    std::uint64_t text_count_ = 0;
};

}  // namespace mc
