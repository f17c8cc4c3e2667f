// SPDX-License-Identifier: Apache-2.0
#include "lm/tokenizer/tokenizer_vocabulary.h"

#include <utility>

#include "core/check.h"

namespace mc::lm {
namespace {

constexpr std::uint64_t kByteCount = 256;

// GPT-2's byte alphabet ends at U+0143: 68 bytes that do not print are moved to U+0100 and up.
constexpr std::size_t kAlphabetEnd = 0x144;

constexpr bool prints(std::size_t byte) {
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

// Byte of each character of the alphabet; -1 for characters outside it.
constexpr std::array<int, kAlphabetEnd> make_alphabet() {
    std::array<int, kAlphabetEnd> bytes{};
    for (int& byte : bytes) byte = -1;
    std::size_t moved = kByteCount;
    for (std::size_t byte = 0; byte < kByteCount; ++byte)
        bytes[prints(byte) ? byte : moved++] = static_cast<int>(byte);
    return bytes;
}

constexpr std::array<int, kAlphabetEnd> kByteOfCharacter = make_alphabet();
static_assert(kByteOfCharacter[0x120] == ' ' && kByteOfCharacter[0x10a] == '\n');
static_assert(kByteOfCharacter[kAlphabetEnd - 1] == 0xad);

}  // namespace

std::optional<std::string> Vocabulary::bytes_of_spelling(std::string_view spelling) {
    std::string bytes;
    bytes.reserve(spelling.size());
    for (std::size_t i = 0; i < spelling.size(); ++i) {
        // The alphabet's characters take one or two bytes of UTF-8.
        std::size_t character = static_cast<unsigned char>(spelling[i]);
        if (character >= 0x80) {
            if ((character & 0xe0U) != 0xc0 || i + 1 == spelling.size()) return std::nullopt;
            const std::size_t second = static_cast<unsigned char>(spelling[++i]);
            if ((second & 0xc0U) != 0x80) return std::nullopt;
            character = (character & 0x1fU) << 6 | (second & 0x3fU);
            if (character < 0x80) return std::nullopt;
        }
        if (character >= kAlphabetEnd || kByteOfCharacter[character] < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(kByteOfCharacter[character]));
    }
    return bytes;
}

Result<std::unique_ptr<Vocabulary>> Vocabulary::make(const TokenizerParts& parts) {
    std::unique_ptr<Vocabulary> vocabulary(new Vocabulary());
    MC_TRY(vocabulary->add(parts));
    vocabulary->index();
    for (std::uint64_t i = 0; i < parts.tokens.size(); ++i) {
        const auto id = static_cast<TokenId>(i);
        if (vocabulary->is_spellable_[i] && vocabulary->find(vocabulary->bytes_of(id)) != id)
            return fail(ErrorCode::kInvalidInput, parts.file_name + ": " + parts.tokens_field +
                                                      "[" + std::to_string(i) +
                                                      "] repeats an earlier token");
    }
    return vocabulary;
}

Result<void> Vocabulary::add(const TokenizerParts& parts) {
    static_assert(kGgufArrayLengthMax + kByteCount < 1ULL << 31, "ids fit TokenId");
    size_ = static_cast<TokenId>(parts.tokens.size());
    for (std::uint64_t i = 0; i < parts.tokens.size(); ++i) {
        begins_.push_back(arena_.size());
        const bool is_normal = static_cast<TokenType>(parts.types[i]) == TokenType::kNormal;
        const auto bytes = is_normal ? bytes_of_spelling(parts.tokens[i]) : std::nullopt;
        if (bytes && bytes->empty())
            return fail(ErrorCode::kInvalidInput, parts.file_name + ": " + parts.tokens_field +
                                                      "[" + std::to_string(i) + "] is empty");
        arena_ += bytes ? *bytes : parts.tokens[i];
        is_control_.push_back(!is_normal);
        is_spellable_.push_back(bytes.has_value());
    }
    for (std::uint64_t byte = 0; byte < kByteCount; ++byte) {
        begins_.push_back(arena_.size());
        arena_.push_back(static_cast<char>(byte));
    }
    begins_.push_back(arena_.size());  // of the blank token,
    begins_.push_back(arena_.size());  // which is empty
    return {};
}

// Requires: the arena is complete, since the keys point into it.
void Vocabulary::index() {
    by_bytes_.reserve(static_cast<std::size_t>(size_));
    for (TokenId id = 0; id < size_; ++id) {
        const auto i = static_cast<std::size_t>(id);
        if (is_spellable_[i]) by_bytes_.emplace(bytes_of(id), id);
        if (is_control_[i]) controls_.emplace(bytes_of(id), id);
    }
    for (std::size_t byte = 0; byte < kByteCount; ++byte) {
        const TokenId fallback = size_ + static_cast<TokenId>(byte);
        byte_tokens_[byte] = find(bytes_of(fallback)).value_or(fallback);
    }
}

std::string_view Vocabulary::bytes_of(TokenId token) const {
    MC_CHECK(token >= 0 && token <= blank_token(), "no token " + std::to_string(token));
    const auto i = static_cast<std::size_t>(token);
    return std::string_view(arena_).substr(begins_[i], begins_[i + 1] - begins_[i]);
}

std::optional<TokenId> Vocabulary::find(std::string_view bytes) const {
    const auto found = by_bytes_.find(bytes);
    return found == by_bytes_.end() ? std::nullopt : std::optional(found->second);
}

bool Vocabulary::is_control(TokenId token) const {
    return token >= 0 && token < size_ && is_control_[static_cast<std::size_t>(token)];
}

std::optional<TokenId> Vocabulary::find_control(std::string_view spelling) const {
    const auto found = controls_.find(spelling);
    return found == controls_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace mc::lm
