// SPDX-License-Identifier: Apache-2.0
#include "lm/tokenizer/tokenizer.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "formats/model_folder.h"
#include "lm/tokenizer/tokenizer_bpe.h"
#include "lm/tokenizer/tokenizer_parts.h"
#include "lm/tokenizer/tokenizer_split.h"
#include "lm/tokenizer/tokenizer_vocabulary.h"

namespace mc::lm {
namespace {

// Bytes per token of ordinary text: how much room to make at first.
constexpr std::size_t kBytesPerTokenGuess = 4;

// Reads "left right" lines in the byte alphabet, highest priority first.
Result<BpeMerges> read_merges(const TokenizerParts& parts, const Vocabulary& vocabulary) {
    const std::vector<std::string>& lines = parts.merges;
    BpeMerges merges(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto error = [&](std::string_view what) {
            return fail(ErrorCode::kInvalidInput, parts.file_name + ": " + parts.merges_field +
                                                      "[" + std::to_string(i) + "] " +
                                                      std::string(what));
        };
        const std::size_t space = lines[i].find(' ');
        if (space == std::string::npos) return error("is not two tokens with a space between");
        const auto left = Vocabulary::bytes_of_spelling(lines[i].substr(0, space));
        const auto right = Vocabulary::bytes_of_spelling(lines[i].substr(space + 1));
        if (!left || !right) return error("is not in the byte alphabet");
        const auto left_id = vocabulary.find(*left);
        const auto right_id = vocabulary.find(*right);
        const auto merged_id = vocabulary.find(*left + *right);
        if (!left_id || !right_id || !merged_id)
            return error("names a token that the vocabulary lacks");
        if (!merges.add(*left_id, *right_id, *merged_id)) return error("repeats an earlier merge");
    }
    return merges;
}

}  // namespace

struct Tokenizer::Impl {
    Impl(std::unique_ptr<Vocabulary> v, BpeMerges m, std::unique_ptr<SplitPattern> p)
        : vocabulary(std::move(v)), merges(std::move(m)), pattern(std::move(p)) {}

    void encode_by_merges(std::string_view bytes, BpeScratch& scratch,
                          std::vector<TokenId>& tokens) const {
        for (const char byte : bytes)
            BpeMerges::append_symbol(scratch,
                                     vocabulary->byte_token(static_cast<unsigned char>(byte)));
        merges.merge(scratch, tokens);
    }

    // Most pre-tokens of real text are one token each. Finding those in a table first is right
    // only for tokens that the merges give back when their bytes are encoded alone, unless the
    // tokenizer puts whole tokens before merges.
    void index_whole_tokens(bool prefers_whole_tokens) {
        BpeScratch scratch;
        std::vector<TokenId> tokens;
        for (TokenId id = 0; id < vocabulary->size(); ++id) {
            const std::string_view bytes = vocabulary->bytes_of(id);
            if (vocabulary->find(bytes) != id) continue;
            tokens.clear();
            encode_by_merges(bytes, scratch, tokens);
            if (prefers_whole_tokens || tokens == std::vector<TokenId>{id})
                whole_tokens.emplace(bytes, id);
        }
    }

    // Appends the tokens of every pre-token that is final; returns the bytes that they stand for.
    std::size_t encode_front(std::string_view text, bool is_whole,
                             std::vector<TokenId>& tokens) const {
        Splitter splitter(*pattern, text, is_whole);
        BpeScratch scratch;
        while (const auto piece = splitter.next()) {
            if (!piece->is_valid_utf8) {
                tokens.push_back(
                    vocabulary->byte_token(static_cast<unsigned char>(piece->bytes[0])));
                continue;
            }
            const auto whole = whole_tokens.find(piece->bytes);
            if (whole != whole_tokens.end())
                tokens.push_back(whole->second);
            else
                encode_by_merges(piece->bytes, scratch, tokens);
        }
        return splitter.position();
    }

    std::unique_ptr<Vocabulary> vocabulary;
    BpeMerges merges;
    std::unique_ptr<SplitPattern> pattern;
    std::unordered_map<std::string_view, TokenId> whole_tokens;
    TokenId bos = 0;
    TokenId eos = 0;
    TokenId stand_in = 0;
    std::string chat_template;
    Hash128 hash;
};

Result<std::unique_ptr<Tokenizer>> Tokenizer::make(TokenizerParts parts) {
    auto pattern = SplitPattern::make(parts.pre_tokenizer);
    if (!pattern) return fail(std::move(pattern.error()).add_context(parts.file_name));
    MC_ASSIGN(auto vocabulary, Vocabulary::make(parts));
    MC_ASSIGN(BpeMerges merges, read_merges(parts, *vocabulary));
    auto impl =
        std::make_unique<Impl>(std::move(vocabulary), std::move(merges), std::move(*pattern));
    const Vocabulary& words = *impl->vocabulary;
    impl->bos = parts.bos;
    impl->eos = parts.eos;
    impl->stand_in = words.find("\xef\xbf\xbd").value_or(words.byte_token('?'));
    if (impl->stand_in >= words.size())
        return fail(ErrorCode::kInvalidInput,
                    parts.file_name + ": " + parts.tokens_field + " spells neither U+FFFD nor '?'");
    impl->hash = parts.hash();
    impl->chat_template = std::move(parts.chat_template);
    impl->index_whole_tokens(parts.prefers_whole_tokens);
    return std::unique_ptr<Tokenizer>(new Tokenizer(std::move(impl)));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_gguf(const GgufFile& file) {
    MC_ASSIGN(TokenizerParts parts, read_gguf_tokenizer(file));
    return make(std::move(parts));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_folder(const ModelFolder& folder,
                                                          std::uint64_t vocabulary_size) {
    MC_ASSIGN(TokenizerParts parts, read_folder_tokenizer(folder, vocabulary_size));
    return make(std::move(parts));
}

Result<std::unique_ptr<Tokenizer>> Tokenizer::open(const Path& model) {
    std::error_code error;
    if (!std::filesystem::is_directory(model, error)) {
        MC_ASSIGN(const auto file, GgufFile::open(model));
        return from_gguf(*file);
    }
    MC_ASSIGN(const auto folder, ModelFolder::open(model));
    MC_ASSIGN(const std::uint64_t vocabulary_size, folder->config().get_uint("vocab_size"));
    return from_folder(*folder, vocabulary_size);
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Tokenizer::~Tokenizer() = default;

std::vector<TokenId> Tokenizer::encode(std::string_view bytes) const {
    std::vector<TokenId> tokens;
    tokens.reserve(bytes.size() / kBytesPerTokenGuess + 1);
    const std::size_t encoded = impl_->encode_front(bytes, true, tokens);
    MC_CHECK(encoded == bytes.size(), "encode left bytes behind");
    return tokens;
}

std::string Tokenizer::decode(std::span<const TokenId> tokens) const {
    std::string bytes;
    bytes.reserve(tokens.size() * kBytesPerTokenGuess);
    for (const TokenId token : tokens) bytes += bytes_of(token);
    return bytes;
}

std::string_view Tokenizer::bytes_of(TokenId token) const {
    return impl_->vocabulary->bytes_of(token);
}

TokenId Tokenizer::vocabulary_size() const {
    return impl_->vocabulary->size();
}

TokenId Tokenizer::blank_token() const {
    return impl_->vocabulary->blank_token();
}

TokenId Tokenizer::bos() const {
    return impl_->bos;
}

TokenId Tokenizer::eos() const {
    return impl_->eos;
}

TokenId Tokenizer::stand_in_token() const {
    return impl_->stand_in;
}

std::optional<TokenId> Tokenizer::find_control(std::string_view spelling) const {
    return impl_->vocabulary->find_control(spelling);
}

bool Tokenizer::is_control(TokenId token) const {
    return impl_->vocabulary->is_control(token);
}

const std::string& Tokenizer::chat_template() const {
    return impl_->chat_template;
}

Hash128 Tokenizer::hash() const {
    return impl_->hash;
}

std::vector<TokenId> StreamEncoder::push(std::string_view bytes) {
    std::vector<TokenId> tokens;
    held_ += bytes;
    if (held_.size() < retry_bytes_ && held_.size() <= kHeldBackBytesMax) return tokens;
    held_.erase(0, tokenizer_.impl_->encode_front(held_, false, tokens));
    MC_CHECK(held_.size() <= kHeldBackBytesMax, "the splitter decides within its window");
    // A long run that is still open is looked at again only once it has grown by a part of itself:
    // pushing it byte by byte then stays linear.
    retry_bytes_ = held_.size() + held_.size() / kHeldBackGrowth + 1;
    return tokens;
}

std::vector<TokenId> StreamEncoder::finish() {
    std::vector<TokenId> tokens;
    tokenizer_.impl_->encode_front(held_, true, tokens);
    held_.clear();
    retry_bytes_ = 0;
    return tokens;
}

}  // namespace mc::lm
