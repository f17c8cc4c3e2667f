// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/index_training_set.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "tree/read_window.h"

namespace mc::gistnet {
namespace {

static_assert(kBlocksPerWindow * kBlockSize == kWindowNewTokens);

constexpr std::uint64_t kNextTokensMin = 32;
constexpr std::uint64_t kFragmentTokens = 8;

}  // namespace

std::vector<PlannedWindow> plan_index_windows(const TrainingText& text, std::uint64_t count,
                                              std::uint64_t seed) {
    std::vector<PlannedWindow> all;
    for (std::size_t d = 0; d < text.size(); ++d)
        for (std::uint64_t begin = 0; begin + kWindowNewTokens + kNextTokensMax <= text[d].size();
             begin += kWindowNewTokens)
            all.push_back({d, begin});
    Rng rng(seed);
    for (std::size_t i = 0; i < all.size() && i < count; ++i)
        std::swap(all[i], all[i + rng.below(all.size() - i)]);
    if (all.size() > count) all.resize(count);
    return all;
}

IndexSetReader::IndexSetReader(const lm::TorchModel& model, std::vector<std::int64_t> layers,
                               at::Tensor token_weights, const TrainingText& text,
                               const WordCounts& counts, std::uint64_t seed)
    : model_(model),
      layers_(std::move(layers)),
      token_weights_(std::move(token_weights)),
      text_(text),
      counts_(counts),
      rng_(seed) {
    set_.first_question.push_back(0);
}

// Empty when the block has too few words for a question.
std::vector<TokenId> IndexSetReader::make_text(QuestionKind kind,
                                               const std::vector<TokenId>& document,
                                               std::uint64_t begin) {
    const auto tokens = [&](std::uint64_t first, std::uint64_t count) {
        const auto at = document.begin() + static_cast<std::ptrdiff_t>(first);
        return std::vector<TokenId>(at, at + static_cast<std::ptrdiff_t>(count));
    };
    switch (kind) {
        case QuestionKind::kNext:
            return tokens(begin + kBlockSize,
                          kNextTokensMin + rng_.below(kNextTokensMax - kNextTokensMin + 1));
        case QuestionKind::kFragment:
            return tokens(begin + rng_.below(kBlockSize - kFragmentTokens + 1), kFragmentTokens);
        case QuestionKind::kQuestion:
            break;
    }
    const std::string text = model_.tokenizer->decode(tokens(begin, kBlockSize));
    const auto question = make_question(text, counts_, training_questions(), rng_);
    return question ? model_.tokenizer->encode(*question) : std::vector<TokenId>();
}

void IndexSetReader::read(const PlannedWindow& window) {
    const std::vector<TokenId>& document = text_[window.document];
    const ReadWindow read =
        read_window_at(document, 0, {window.begin, window.begin + kWindowNewTokens});
    std::vector<std::vector<TokenId>> one = {{model_.tokenizer->bos()}};
    one[0].insert(one[0].end(), read.tokens.begin(), read.tokens.end());
    set_.tokens_read += one[0].size();
    const std::int64_t kept_begin = 1 + std::int64_t{read.context_count};
    const at::Tensor residuals = model_.read_residuals(one, kept_begin, layers_);
    blocks_.push_back(block_features(model_, token_weights_, residuals,
                                     std::span(read.tokens).subspan(read.context_count)));

    std::vector<std::vector<TokenId>> texts;
    const std::int64_t first_block =
        kBlocksPerWindow * static_cast<std::int64_t>(set_.document_of_window.size());
    for (std::int64_t b = 0; b < kBlocksPerWindow; ++b)
        for (const QuestionKind kind :
             {QuestionKind::kQuestion,
              b % 2 == 0 ? QuestionKind::kNext : QuestionKind::kFragment}) {
            std::vector<TokenId> text = make_text(
                kind, document, window.begin + static_cast<std::uint64_t>(b) * kBlockSize);
            if (text.empty()) continue;
            set_.tokens_read += text.size() + 1;
            texts.push_back(std::move(text));
            set_.block_of.push_back(first_block + b);
            set_.kinds.push_back(kind);
        }
    if (!texts.empty()) questions_.push_back(text_features(model_, token_weights_, layers_, texts));
    set_.document_of_window.push_back(window.document);
    set_.first_question.push_back(static_cast<std::int64_t>(set_.block_of.size()));
}

IndexTrainingSet IndexSetReader::take() {
    MC_CHECK(!blocks_.empty() && !questions_.empty(), "no window was read");
    set_.blocks = at::cat(blocks_).to(at::kCPU);
    set_.questions = at::cat(questions_).to(at::kCPU);
    return std::move(set_);
}

}  // namespace mc::gistnet
