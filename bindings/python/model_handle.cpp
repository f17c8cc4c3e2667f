// SPDX-License-Identifier: Apache-2.0
#include "bindings/python/model_handle.h"

#include "core/check.h"
#include "lm/token_logits.h"
#include "runtime/engine.h"

namespace mc::python {

Result<std::unique_ptr<ModelHandle>> ModelHandle::open(const SettingTexts& settings) {
    MC_ASSIGN(const Config config, resolve_arguments(settings));
    std::unique_ptr<ModelHandle> handle(new ModelHandle());
    MC_TRY(handle->thread_.run([&]() -> Result<void> {
        MC_ASSIGN(handle->model_, lm::BaseModel::open(runtime::model_options(config)));
        return {};
    }));
    return handle;
}

ModelHandle::~ModelHandle() {
    const auto done = thread_.run([&]() -> Result<void> {
        model_.reset();
        return {};
    });
    MC_CHECK(done.has_value(), done.error().to_string());
}

std::vector<TokenId> ModelHandle::encode(const std::string& bytes) const {
    return model_->tokenizer().encode(bytes);
}

Result<std::string> ModelHandle::decode(std::span<const TokenId> tokens) const {
    const lm::Tokenizer& tokenizer = model_->tokenizer();
    const TokenId id_end = tokenizer.vocabulary_size() + 256;  // byte tokens included
    for (const TokenId token : tokens)
        if (token < 0 || token >= id_end)
            return fail(ErrorCode::kInvalidInput,
                        "token id " + std::to_string(token) + " is outside the vocabulary");
    return tokenizer.decode(tokens);
}

Result<void> ModelHandle::logits_into(std::span<const TokenId> tokens, std::span<float> out) {
    return thread_.run([&] { return lm::logits_into(*model_, tokens, out); });
}

Result<std::vector<float>> ModelHandle::nll(std::span<const TokenId> tokens) {
    return thread_.run([&]() -> Result<std::vector<float>> {
        MC_ASSIGN(std::vector<float> scored, model_->new_sequence()->score(tokens));
        if (!scored.empty()) scored.erase(scored.begin());  // nothing predicts the first
        return scored;
    });
}

Result<std::string> ModelHandle::generate(const std::string& prompt,
                                          const lm::GenerateOptions& options) {
    return thread_.run([&]() -> Result<std::string> {
        std::vector<TokenId> tokens = {model_->tokenizer().bos()};
        const std::vector<TokenId> text = encode(prompt);
        tokens.insert(tokens.end(), text.begin(), text.end());
        const std::vector<lm::Segment> segments = {lm::Segment::of_tokens(std::move(tokens))};
        const auto sequence = model_->new_sequence();
        MC_TRY(sequence->append(segments));
        MC_ASSIGN(lm::Generated written, lm::generate(*model_, *sequence, options));
        return std::move(written.text);
    });
}

}  // namespace mc::python
