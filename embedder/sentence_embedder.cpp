// SPDX-License-Identifier: Apache-2.0
#include "embedder/sentence_embedder.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>

#include "embedder/bert_encoder.h"
#include "embedder/bert_folder.h"

namespace mc::embedder {
namespace {

// Tokens of one pass through the layers: enough that weights are read seldom, few enough that
// activations stay in a core's cache.
constexpr std::size_t kBatchTokens = 240;

// Runs body(0), body(1), … side by side, body(0) on this thread; fewer where the system has no more
// threads to give.
template <class Body>
void run_side_by_side(std::size_t count, const Body& body) {
    std::vector<std::jthread> others;
    try {
        for (std::size_t i = 1; i < count; ++i) others.emplace_back([&body, i] { body(i); });
    } catch (const std::system_error&) {
        // Those that run take the work of those that do not.
    }
    body(0);
}

// Texts by length, so that those of a batch cost alike, in batches of kBatchTokens.
std::vector<std::vector<std::size_t>> batches_of(
    const std::vector<std::vector<std::int32_t>>& tokens) {
    std::vector<std::size_t> order(tokens.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t text) { return tokens[text].size(); });
    std::vector<std::vector<std::size_t>> batches;
    std::size_t room = 0;
    for (const std::size_t text : order) {
        if (batches.empty() || room < tokens[text].size()) {
            batches.emplace_back();
            room = std::max(kBatchTokens, tokens[text].size());
        }
        batches.back().push_back(text);
        room -= tokens[text].size();
    }
    return batches;
}

class SentenceEmbedder final : public TextEmbedder {
  public:
    SentenceEmbedder(std::unique_ptr<BertFolder> folder, NumberFormat format,
                     std::size_t thread_count)
        : folder_(std::move(folder)),
          encoder_(folder_->config(), folder_->tensors(), format),
          rooms_(thread_count),
          info_{folder_->name(), folder_->hash(), folder_->config().hidden_dim} {}

    const TextEmbedderInfo& info() const override { return info_; }

    Result<std::vector<float>> embed(std::span<const std::string> texts) override {
        std::vector<std::vector<std::int32_t>> tokens;
        for (const std::string& text : texts)
            tokens.push_back(folder_->word_piece().encode(text, folder_->config().tokens_max));
        const auto batches = batches_of(tokens);
        std::vector<float> out(texts.size() * info_.dim);
        std::atomic<std::size_t> next = 0;
        std::atomic<bool> is_finite = true;
        run_side_by_side(std::min(rooms_.size(), batches.size()), [&](std::size_t worker) {
            for (std::size_t i = next++; i < batches.size(); i = next++)
                if (!embed_batch(batches[i], tokens, rooms_[worker], out)) is_finite = false;
        });
        if (!is_finite)
            return fail(ErrorCode::kModel,
                        "embedder " + info_.name +
                            ": a text has no finite vector: the weights are damaged, or too large "
                            "for f16");
        return out;
    }

  private:
    bool embed_batch(const std::vector<std::size_t>& batch,
                     const std::vector<std::vector<std::int32_t>>& tokens, EncoderRoom& room,
                     std::vector<float>& out) const {
        std::vector<const std::vector<std::int32_t>*> texts;
        std::vector<float*> rows;
        for (const std::size_t text : batch) {
            texts.push_back(&tokens[text]);
            rows.push_back(out.data() + text * info_.dim);
        }
        return encoder_.embed(texts, room, rows);
    }

    std::unique_ptr<BertFolder> folder_;
    BertEncoder encoder_;
    std::vector<EncoderRoom> rooms_;  // one a thread
    TextEmbedderInfo info_;
};

}  // namespace

Result<std::unique_ptr<TextEmbedder>> open_sentence_embedder(const Path& folder,
                                                             const EmbedderOptions& options) {
    if (options.precision == Precision::kF16 && !has_f16_products())
        return fail(ErrorCode::kUsage, "embedder: this processor does not multiply f16");
    const bool takes_f16 = options.precision != Precision::kF32 && has_f16_products();
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    MC_ASSIGN(std::unique_ptr<BertFolder> files, BertFolder::open(folder));
    return std::make_unique<SentenceEmbedder>(
        std::move(files), takes_f16 ? NumberFormat::kF16 : NumberFormat::kF32,
        options.thread_count == 0 ? cores : options.thread_count);
}

Result<std::unique_ptr<TextEmbedder>> open_configured_embedder(const Config& config,
                                                               const Environment& environment) {
    const std::optional<Path> folder = embedder_folder(config, environment);
    if (!folder) return std::unique_ptr<TextEmbedder>();
    return open_sentence_embedder(*folder, {config.thread_count, Precision::kAuto});
}

}  // namespace mc::embedder
