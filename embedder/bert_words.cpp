// SPDX-License-Identifier: Apache-2.0
#include "embedder/bert_words.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <cstdint>
#include <string>

#include "core/check.h"

namespace mc::embedder {
namespace {

// A longer stretch without blanks is cut: it is no word, and memory has an end.
constexpr std::size_t kStretchMax = 1 << 20;

bool is_ideograph(UChar32 c) {
    return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
           (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b73f) ||
           (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

// Tab and line breaks are controls that separate; all others vanish. Characters that ICU's version
// of Unicode does not know yet stay.
bool is_dropped(UChar32 c) {
    constexpr std::uint32_t kControls = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK;
    if (c == '\t' || c == '\n' || c == '\r') return false;
    return c < 0 || c == 0xfffd || (U_GET_GC_MASK(c) & kControls) != 0;
}

bool is_blank(UChar32 c) {
    return u_isUWhiteSpace(c) != 0;
}

bool is_punctuation(UChar32 c) {
    if (c < 0x80)
        return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
               (c >= 123 && c <= 126);
    return (U_GET_GC_MASK(c) & U_GC_P_MASK) != 0;
}

void append_utf8(std::string& text, UChar32 c) {
    std::uint8_t bytes[U8_MAX_LENGTH];
    std::int32_t size = 0;
    U8_APPEND_UNSAFE(bytes, size, c);
    text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

void append_utf16(std::u16string& text, UChar32 c) {
    if (c > 0xffff) text += static_cast<char16_t>(U16_LEAD(c));
    text += static_cast<char16_t>(c > 0xffff ? U16_TRAIL(c) : c);
}

std::u16string decomposed(const std::u16string& text) {
    UErrorCode failure = U_ZERO_ERROR;
    const UNormalizer2* nfd = unorm2_getNFDInstance(&failure);
    std::u16string out(4 * text.size() + 4, u'\0');  // no character decomposes into more than four
    const std::int32_t size =
        unorm2_normalize(nfd, text.data(), static_cast<std::int32_t>(text.size()), out.data(),
                         static_cast<std::int32_t>(out.size()), &failure);
    MC_CHECK(U_SUCCESS(failure), u_errorName(failure));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

// A stretch without blanks: collected cleaned, given on as words.
class Stretch {
  public:
    explicit Stretch(const TakeWord& take) : take_(take) {}

    void add(UChar32 c) {
        is_ascii_ = is_ascii_ && c < 0x80;
        append_utf16(text_, c);
    }

    bool is_full() const { return text_.size() >= kStretchMax; }

    // False when the taker wants no more.
    bool finish() {
        if (text_.empty()) return true;
        const std::u16string plain = is_ascii_ ? std::u16string() : decomposed(text_);
        const std::u16string& text = is_ascii_ ? text_ : plain;
        const auto length = static_cast<std::int32_t>(text.size());
        bool goes_on = true;
        for (std::int32_t at = 0; at < length && goes_on;) {
            UChar32 c = 0;
            U16_NEXT(text.data(), at, length, c);
            if (c >= 0x80 && u_charType(c) == U_NON_SPACING_MARK) continue;
            c = u_tolower(c);
            if (is_punctuation(c)) goes_on = give_word();
            append_utf8(word_, c);
            if (is_punctuation(c)) goes_on = goes_on && give_word();
        }
        goes_on = goes_on && give_word();
        text_.clear();
        word_.clear();
        is_ascii_ = true;
        return goes_on;
    }

  private:
    bool give_word() {
        if (word_.empty()) return true;
        const bool goes_on = take_(word_);
        word_.clear();
        return goes_on;
    }

    const TakeWord& take_;
    std::u16string text_;
    std::string word_;
    bool is_ascii_ = true;
};

}  // namespace

void cut_bert_words(std::string_view text, const TakeWord& take) {
    Stretch stretch(take);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    for (std::size_t at = 0; at < text.size();) {
        UChar32 c = 0;
        U8_NEXT(bytes, at, text.size(), c);
        if (is_dropped(c)) continue;
        const bool is_alone = is_ideograph(c);
        if ((is_blank(c) || is_alone || stretch.is_full()) && !stretch.finish()) return;
        if (is_blank(c)) continue;
        stretch.add(c);
        if (is_alone && !stretch.finish()) return;
    }
    stretch.finish();
}

}  // namespace mc::embedder
