// SPDX-License-Identifier: Apache-2.0
#include "lm/tokenizer/tokenizer_split.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/check.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace mc::lm {
namespace {

// Unicode's White_Space. PCRE2's own \s also holds U+180E, which lost that property in Unicode 6.3.
#define MC_SPACE R"(\x09-\x0d\x{85}\p{Z})"

// GPT-2's pattern (openai/gpt-2 src/encoder.py).
constexpr char kGpt2Pattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^)" MC_SPACE R"(\p{L}\p{N}]+|[)" MC_SPACE
    R"(]+(?![^)" MC_SPACE R"(])|[)" MC_SPACE R"(]+)";

// The same after every digit was split off: a digit stands alone, takes no space in front, and ends
// the text for the look-ahead that leaves the last space to the word behind it.
constexpr char kSmolLmPattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^)" MC_SPACE R"(\p{L}\p{N}]+|[)" MC_SPACE
    R"(]+(?![^)" MC_SPACE R"(\p{N}])|[)" MC_SPACE R"(]+)";

// The patterns of Llama 3 and Qwen 2 (their tokenizer.json), which differ in how they part digits.
#define MC_WORDS_AROUND_DIGITS(digits)                                                     \
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)" digits R"(| ?[^)" MC_SPACE \
    R"(\p{L}\p{N}]+[\r\n]*|[)" MC_SPACE R"(]*[\r\n]+|[)" MC_SPACE R"(]+(?![^)" MC_SPACE    \
    R"(])|[)" MC_SPACE R"(]+)"

constexpr char kLlama3Pattern[] = MC_WORDS_AROUND_DIGITS(R"(\p{N}{1,3})");
constexpr char kQwen2Pattern[] = MC_WORDS_AROUND_DIGITS(R"(\p{N})");

#undef MC_WORDS_AROUND_DIGITS
#undef MC_SPACE

constexpr int kInvalid = 0;
constexpr int kIncomplete = -1;

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

// Size of the UTF-8 character at the front (Unicode 14 table 3-7), kInvalid, or kIncomplete when
// the text ends inside what may become one. Requires: text is not empty.
int front_character(std::string_view text) {
    const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte_at(0);
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4) return kInvalid;
    const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const unsigned second_min = first == 0xe0 ? 0xa0U : first == 0xf0 ? 0x90U : 0x80U;
    const unsigned second_max = first == 0xed ? 0x9fU : first == 0xf4 ? 0x8fU : 0xbfU;
    for (std::size_t i = 1; i < size; ++i) {
        if (i == text.size()) return kIncomplete;
        if (!is_continuation(text[i])) return kInvalid;
        if (i == 1 && (byte_at(1) < second_min || byte_at(1) > second_max)) return kInvalid;
    }
    return static_cast<int>(size);
}

// Bytes of valid UTF-8 at the front.
std::size_t valid_prefix(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        std::uint64_t eight;
        while (i + sizeof eight <= text.size()) {
            std::memcpy(&eight, text.data() + i, sizeof eight);
            if ((eight & 0x8080808080808080ULL) != 0) break;
            i += sizeof eight;
        }
        if (i == text.size()) break;
        const int size = front_character(text.substr(i));
        if (size <= 0) break;
        i += static_cast<std::size_t>(size);
    }
    return i;
}

struct KnownPattern {
    std::string_view pre_tokenizer;
    const char* pattern;
};

constexpr KnownPattern kKnownPatterns[] = {
    {"smollm", kSmolLmPattern},    {"gpt-2", kGpt2Pattern},  {"default", kGpt2Pattern},
    {"llama-bpe", kLlama3Pattern}, {"qwen2", kQwen2Pattern}, {"deepseek-r1-qwen", kQwen2Pattern},
};

}  // namespace

struct SplitPattern::Code {
    explicit Code(const char* pattern) {
        int error = 0;
        PCRE2_SIZE error_offset = 0;
        compiled = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern), PCRE2_ZERO_TERMINATED,
                                 PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED | PCRE2_NO_AUTO_CAPTURE,
                                 &error, &error_offset, nullptr);
        MC_CHECK(compiled != nullptr, std::string("PCRE2 refuses the pattern ") + pattern);
        // Without a JIT (an unusual processor) the interpreter gives the same matches.
        pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
    }

    ~Code() { pcre2_code_free(compiled); }

    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;

    pcre2_code* compiled = nullptr;
};

struct Splitter::MatchData {
    MatchData() : block(pcre2_match_data_create(1, nullptr)) {
        MC_CHECK(block != nullptr, "out of memory");
    }

    ~MatchData() { pcre2_match_data_free(block); }

    MatchData(const MatchData&) = delete;
    MatchData& operator=(const MatchData&) = delete;

    pcre2_match_data* block;
};

Result<std::unique_ptr<SplitPattern>> SplitPattern::make(const std::string& pre_tokenizer) {
    const auto* known =
        std::ranges::find(kKnownPatterns, pre_tokenizer, &KnownPattern::pre_tokenizer);
    if (known == std::end(kKnownPatterns))
        return fail(ErrorCode::kInvalidInput,
                    "tokenizer.ggml.pre '" + pre_tokenizer + "' is not supported");
    return std::unique_ptr<SplitPattern>(new SplitPattern(std::make_unique<Code>(known->pattern)));
}

SplitPattern::SplitPattern(std::unique_ptr<Code> code) : code_(std::move(code)) {}

SplitPattern::~SplitPattern() = default;

Splitter::Splitter(const SplitPattern& pattern, std::string_view text, bool is_whole)
    : pattern_(pattern),
      text_(text),
      is_whole_(is_whole),
      match_data_(std::make_unique<MatchData>()) {}

Splitter::~Splitter() = default;

void Splitter::find_run() {
    const std::string_view rest = text_.substr(position_);
    run_end_ = position_ + valid_prefix(rest);
    if (is_whole_)
        run_is_final_ = true;
    else
        run_is_final_ =
            run_end_ < text_.size() && front_character(text_.substr(run_end_)) == kInvalid;
}

std::optional<std::size_t> Splitter::match(std::string_view window, bool is_final) {
    // Hard partial matching stops where any alternative, taken or not, asks for a byte beyond the
    // window: a match that it gives cannot change.
    const std::uint32_t options = PCRE2_NO_UTF_CHECK | (is_final ? 0U : PCRE2_PARTIAL_HARD);
    const int count =
        pcre2_match(pattern_.code_->compiled, reinterpret_cast<PCRE2_SPTR>(window.data()),
                    window.size(), 0, options, match_data_->block, nullptr);
    if (count == PCRE2_ERROR_PARTIAL) return std::nullopt;
    MC_CHECK(count > 0, "PCRE2 error " + std::to_string(count) + " at byte " +
                            std::to_string(position_) + "; the pattern matches any character");
    return pcre2_get_ovector_pointer(match_data_->block)[1];
}

std::optional<PreToken> Splitter::next() {
    if (position_ == text_.size()) return std::nullopt;
    if (position_ >= run_end_) find_run();
    if (position_ == run_end_) {
        if (!run_is_final_) return std::nullopt;
        return PreToken{text_.substr(position_++, 1), false};
    }
    const std::size_t known = run_end_ - position_;
    std::size_t window = std::min(known, kPreTokenBytesMax);
    while (window < known && is_continuation(text_[position_ + window])) --window;
    const bool is_final = run_is_final_ || known >= kPreTokenBytesMax;
    const auto size = match(text_.substr(position_, window), is_final);
    if (!size) return std::nullopt;
    const PreToken token{text_.substr(position_, *size), true};
    position_ += *size;
    return token;
}

}  // namespace mc::lm
