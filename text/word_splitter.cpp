// SPDX-License-Identifier: Apache-2.0
#include "text/word_splitter.h"

#include <algorithm>
#include <utility>

#include "text/characters.h"
#include "text/terms.h"

namespace mc::text {
namespace {

constexpr std::string_view kJoiners = "-_./:@#\\+&~=%";  // between the parts of an identifier
constexpr std::size_t kElisionMax = 2;                   // l'eau, d'or, qu'il, O'Brien
constexpr std::size_t kMarksMax = 4;                     // of one character

bool has_digit(std::string_view word) {
    return std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_apostrophe(char32_t code) {
    return code == U'\'' || code == U'’' || code == U'ʼ';
}

bool is_joining_control(char32_t code) {
    return code == 0x200C || code == 0x200D || code == 0x00AD;
}

class Splitter {
  public:
    explicit Splitter(std::string_view text) : text_(text) {}

    std::vector<SplitWord> split() {
        for (std::size_t at = 0; at < text_.size();) {
            const Character c = character_at(text_, at);
            take(c.code, at, at + c.size);
            at += c.size;
        }
        end_word();
        end_run();
        return std::move(words_);
    }

  private:
    void take(char32_t code, std::size_t begin, std::size_t end);
    void take_unspaced(char32_t code);
    void take_other(char32_t code, std::size_t begin, std::size_t end);
    void take_apostrophe();
    void end_word();
    void end_run();

    bool letter_at(std::size_t at) const {
        return at < text_.size() && is_letter_or_digit(character_at(text_, at).code);
    }

    std::string_view text_;
    std::vector<SplitWord> words_;
    std::string word_;
    bool in_suffix_ = false;  // of the word: what comes after its apostrophe
    std::string suffix_;
    std::string previous_part_;  // the word before a joiner that ends where the present one begins
    char joiner_ = '\0';
    std::vector<std::string> run_;
    std::size_t marks_ = 0;
};

void Splitter::take(char32_t code, std::size_t begin, std::size_t end) {
    if (is_joining_control(code)) return;
    if (is_unspaced(code) && (is_letter_or_digit(code) || is_mark(code))) {
        take_unspaced(code);
    } else if (is_mark(code) && !run_.empty()) {
        if (++marks_ <= kMarksMax) append_utf8(run_.back(), code);
    } else if (is_letter_or_digit(code) || (is_mark(code) && !word_.empty())) {
        end_run();
        append_utf8(in_suffix_ ? suffix_ : word_, code);
    } else {
        take_other(code, begin, end);
    }
}

void Splitter::take_unspaced(char32_t code) {
    end_word();
    joiner_ = '\0';
    if (is_mark(code) && !run_.empty()) {
        if (++marks_ <= kMarksMax) append_utf8(run_.back(), code);
        return;
    }
    marks_ = 0;
    append_utf8(run_.emplace_back(), code);
}

void Splitter::take_other(char32_t code, std::size_t begin, std::size_t end) {
    end_run();
    if (is_apostrophe(code) && !word_.empty() && letter_at(end)) {
        take_apostrophe();
        return;
    }
    const bool joins = !word_.empty() && code < 0x80 &&
                       kJoiners.find(static_cast<char>(code)) != std::string_view::npos &&
                       letter_at(end);
    end_word();
    joiner_ = joins ? text_[begin] : '\0';
    if (!joins) previous_part_.clear();
    if (is_pictograph(code)) {
        SplitWord one{SplitKind::kPictograph, {}, {}};
        append_utf8(one.text, code);
        words_.push_back(std::move(one));
    }
}

// "mara's" is mara, "don't" is dont, "l'eau" is l and eau.
void Splitter::take_apostrophe() {
    if (word_.size() <= kElisionMax) {
        end_word();
        previous_part_.clear();
        joiner_ = '\0';
    } else if (in_suffix_) {
        word_ += std::exchange(suffix_, {});
    }
    in_suffix_ = !word_.empty();
}

void Splitter::end_word() {
    if (word_.empty()) return;
    if (suffix_ != "s") word_ += suffix_;
    suffix_.clear();
    in_suffix_ = false;
    if (joiner_ != '\0' && !previous_part_.empty() &&
        (joiner_ != '-' || has_digit(previous_part_) || has_digit(word_)))
        words_.push_back({SplitKind::kPair, previous_part_ + std::string(kPairJoiner) + word_, {}});
    words_.push_back({SplitKind::kWord, word_, {}});
    previous_part_ = std::exchange(word_, {});
    joiner_ = '\0';
}

void Splitter::end_run() {
    if (run_.empty()) return;
    words_.push_back({SplitKind::kRun, {}, std::exchange(run_, {})});
    previous_part_.clear();
    marks_ = 0;
}

}  // namespace

std::vector<SplitWord> split_words(std::string_view folded) {
    return Splitter(folded).split();
}

}  // namespace mc::text
