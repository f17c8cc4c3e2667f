// SPDX-License-Identifier: Apache-2.0
#include "text/passage_bound.h"

#include <algorithm>

#include "text/abbreviations.h"
#include "text/characters.h"
#include "text/line_shape.h"

namespace mc::text {
namespace {

constexpr std::size_t kItemBytesMax = 400;      // a longer line is cut into sentences
constexpr std::size_t kProbeBytes = 32;         // of a line tell prose from code
constexpr std::size_t kOrnamentBytesMax = 120;  // of a line without a word
constexpr std::size_t kLookAheadMax = 64;       // characters to the next letter
// Columns at which programs and people wrap lines. A line of fewer may end where it ends.
constexpr std::size_t kWrapColumnsMin = 45;
constexpr std::size_t kWrapColumnsMax = 100;
constexpr std::size_t kWrapBytesMax = 4 * kWrapColumnsMax;

// What comes after the end of a line.
struct NextLine {
    Verdict bound = Verdict::kOpen;  // kYes: a blank line, or one without a word, lies between
    std::size_t begin = 0;           // of the line
    std::size_t word = 0;            // its first character that is no white space
};

// What the end of a line is the end of, too.
enum class LineEnd {
    kOpen,  // of nothing: the sentence goes on, or has no mark
    kSentence,
    kAbbreviation,
};

// A mark that may end a sentence.
struct Mark {
    std::size_t at = 0;
    std::size_t end = 0;     // after the marks and the quotes and brackets that they close
    bool full_stop = false;  // the last of the marks is an ASCII one
    bool wide = false;       // no ASCII mark: needs no white space after it
};

class BoundFinder {
  public:
    BoundFinder(std::string_view text, TextShape shape)
        : text_(whole_characters(text)), shape_(shape) {}

    std::optional<std::size_t> find() {
        if (shape_ == TextShape::kLines) return line_bound();
        if (shape_ == TextShape::kAuto) {
            const auto [item, bound] = item_bound();
            if (item == Verdict::kYes) return bound;
            if (item == Verdict::kOpen) return std::nullopt;
        }
        return sentence_bound();
    }

  private:
    struct Item {
        Verdict is = Verdict::kNo;
        std::size_t bound = 0;
    };

    // Where a scan goes on, or what it found.
    struct Step {
        Verdict bound = Verdict::kNo;
        std::size_t at = 0;  // the bound, or where to go on
    };

    bool at_end(std::size_t at) const { return at >= text_.size(); }

    Character character(std::size_t at) const { return character_at(text_, at); }

    SentenceClass class_at(std::size_t at) const { return sentence_class(character(at).code); }

    // The first position from at on whose class is not the one given, nor Extend.
    std::size_t skip(std::size_t at, SentenceClass skipped) const {
        while (!at_end(at)) {
            const Character c = character(at);
            const SentenceClass one = sentence_class(c.code);
            if (one != skipped && one != SentenceClass::kExtend) break;
            at += c.size;
        }
        return at;
    }

    std::size_t after_newline(std::size_t at) const {
        const bool pair = text_[at] == '\r' && !at_end(at + 1) && text_[at + 1] == '\n';
        return at + (pair ? 2 : character(at).size);
    }

    // The first word character of the line from at on: kYes. kNo: the line ends before, at `at`.
    Step word_in_line(std::size_t at) const {
        for (const std::size_t begin = at; !at_end(at);) {
            const Character c = character(at);
            if (sentence_class(c.code) == SentenceClass::kNewline) return {Verdict::kNo, at};
            if (is_word_character(c.code) || at - begin > kOrnamentBytesMax)
                return {Verdict::kYes, at};
            at += c.size;
        }
        return {Verdict::kOpen, at};
    }

    NextLine next_line(std::size_t newline) const;
    Verdict ends_line(std::size_t newline, const NextLine& next, LineEnd end) const;
    Verdict wraps_before_capital(std::string_view tail, std::string_view next) const;
    std::optional<std::size_t> line_bound() const;
    Item item_bound() const;
    std::optional<std::size_t> sentence_bound();
    Step pass_newline(std::size_t at);
    Step pass_mark(std::size_t at);
    Step judge_mark_at_line_end(const Mark& mark, std::size_t newline);
    Step judge_mark(const Mark& mark, std::size_t next) const;
    Mark mark_at(std::size_t at) const;
    void note(char32_t code);

    std::string_view text_;
    TextShape shape_;
    std::size_t line_begin_ = 0;  // of the line that the scan is in, as far as it is in the text
    bool has_word_ = false;
    bool has_letter_ = false;
    bool begins_upper_ = false;
};

void BoundFinder::note(char32_t code) {
    const SentenceClass one = sentence_class(code);
    const bool letter = one == SentenceClass::kLower || one == SentenceClass::kUpper ||
                        one == SentenceClass::kCaseless;
    if (letter && !has_letter_) begins_upper_ = one == SentenceClass::kUpper;
    has_letter_ = has_letter_ || letter;
    has_word_ = has_word_ || is_word_character(code);
}

NextLine BoundFinder::next_line(std::size_t newline) const {
    bool between = false;
    for (std::size_t at = newline;;) {
        const std::size_t begin = after_newline(at);
        const std::size_t word = skip(begin, SentenceClass::kSpace);
        const Step first = word_in_line(word);
        if (first.bound == Verdict::kOpen) return {};
        if (first.bound == Verdict::kYes)
            return {between ? Verdict::kYes : Verdict::kNo, begin, word};
        between = true;
        at = first.at;
    }
}

// Whether a passage ends with a line, when another follows at once.
Verdict BoundFinder::ends_line(std::size_t newline, const NextLine& next, LineEnd end) const {
    const std::string_view tail = text_.substr(line_begin_, newline - line_begin_);
    const std::string_view rest = text_.substr(next.word);
    if (const Verdict item = begins_item(rest); item != Verdict::kNo) return item;
    if (!looks_like_prose(tail)) return Verdict::kYes;
    const std::size_t size = line_size(rest, kWrapBytesMax);
    const std::string_view line = rest.substr(0, std::min(size, kWrapBytesMax));
    const bool closed = size != std::string_view::npos || rest.size() >= kWrapBytesMax;
    if (closed && !looks_like_prose(line)) return Verdict::kYes;
    const bool small = class_at(next.word) == SentenceClass::kLower;
    const bool indented = next.word - next.begin > 1;
    if (!small && end == LineEnd::kSentence) return Verdict::kYes;
    if (!small && indented) return Verdict::kYes;  // a paragraph
    if (columns(tail) > (small ? 2 : 1) * kWrapColumnsMax) return Verdict::kYes;
    if (!closed) return Verdict::kOpen;
    if (columns(tail) >= kWrapColumnsMin || end == LineEnd::kAbbreviation) return Verdict::kNo;
    if (!small) return wraps_before_capital(tail, line);
    if (begins_upper_ && end == LineEnd::kOpen && !indented) return Verdict::kNo;
    return columns(line) >= kWrapColumnsMin ? Verdict::kNo : Verdict::kYes;
}

// A line of few columns that breaks before a capital, though no sentence ended there.
Verdict BoundFinder::wraps_before_capital(std::string_view tail, std::string_view next) const {
    const char last = tail.empty() ? ' ' : tail.back();
    const bool goes_on = (last >= 'a' && last <= 'z') || last == ',';
    const std::size_t width = columns(next);
    const bool wrapped = width >= kWrapColumnsMin && width <= kWrapColumnsMax;
    return goes_on && wrapped ? Verdict::kNo : Verdict::kYes;
}

std::optional<std::size_t> BoundFinder::line_bound() const {
    bool has_word = false;
    for (std::size_t at = 0; !at_end(at);) {
        const Character c = character(at);
        has_word = has_word || is_word_character(c.code);
        if (sentence_class(c.code) == SentenceClass::kNewline && has_word) {
            const NextLine next = next_line(at);
            if (next.bound == Verdict::kOpen) return std::nullopt;
            return next.begin;
        }
        at += c.size;
    }
    return std::nullopt;
}

// Whether the text begins with a line that is a passage of its own. One that begins with a space
// and a letter stands in the middle of a line: a token brings its space along.
BoundFinder::Item BoundFinder::item_bound() const {
    if (text_.size() > 1 && text_[0] == ' ' && text_[1] != ' ' && text_[1] != '\n') return {};
    const std::size_t begin = skip(0, SentenceClass::kSpace);
    const std::string_view rest = text_.substr(begin);
    const Verdict item = begins_item(rest);
    if (item == Verdict::kOpen) return {Verdict::kOpen, 0};
    const std::size_t bytes_max = item == Verdict::kYes ? kItemBytesMax : kProbeBytes;
    std::size_t size = line_size(rest, bytes_max);
    if (size == std::string_view::npos && rest.size() <= bytes_max) return {Verdict::kOpen, 0};
    if (item == Verdict::kNo) {
        if (looks_like_prose(rest.substr(0, std::min(size, kProbeBytes)))) return {};
        size = line_size(rest, kItemBytesMax);
        if (size == std::string_view::npos && rest.size() <= kItemBytesMax)
            return {Verdict::kOpen, 0};
    }
    if (size == std::string_view::npos) return {};
    if (word_in_line(begin).bound != Verdict::kYes) return {};
    const NextLine next = next_line(begin + size);
    if (next.bound == Verdict::kOpen) return {Verdict::kOpen, 0};
    if (next.bound == Verdict::kYes) return {Verdict::kYes, next.begin};
    return {ends_line(begin + size, next, LineEnd::kOpen), next.begin};
}

std::optional<std::size_t> BoundFinder::sentence_bound() {
    for (std::size_t at = 0; !at_end(at);) {
        const Character c = character(at);
        const SentenceClass one = sentence_class(c.code);
        Step step{Verdict::kNo, at + c.size};
        if (one == SentenceClass::kNewline) {
            step = pass_newline(at);
        } else if (one == SentenceClass::kFullStop || one == SentenceClass::kTerminator) {
            step = pass_mark(at);
        } else {
            note(c.code);
        }
        if (step.bound == Verdict::kOpen) return std::nullopt;
        if (step.bound == Verdict::kYes) return step.at;
        at = step.at;
    }
    return std::nullopt;
}

BoundFinder::Step BoundFinder::pass_newline(std::size_t at) {
    const NextLine next = next_line(at);
    if (next.bound == Verdict::kOpen) return {Verdict::kOpen, at};
    Verdict bound = next.bound;
    if (bound == Verdict::kNo) bound = ends_line(at, next, LineEnd::kOpen);
    if (bound == Verdict::kYes && !has_word_) bound = Verdict::kNo;
    if (bound == Verdict::kNo) line_begin_ = next.begin;
    return {bound, next.begin};
}

Mark BoundFinder::mark_at(std::size_t at) const {
    Mark mark{at, at, false, false};
    while (!at_end(mark.end)) {
        const Character c = character(mark.end);
        const SentenceClass one = sentence_class(c.code);
        if (one != SentenceClass::kFullStop && one != SentenceClass::kTerminator &&
            one != SentenceClass::kExtend)
            break;
        if (one != SentenceClass::kExtend) {
            mark.wide = c.code >= 0x80;
            mark.full_stop = c.code == '.';
        }
        mark.end += c.size;
    }
    // After a wide mark a quote may open the next sentence at once.
    while (!at_end(mark.end)) {
        const Character c = character(mark.end);
        const SentenceClass one = sentence_class(c.code);
        if (one != SentenceClass::kClose && one != SentenceClass::kExtend) break;
        if (mark.wide && opens_quotation(c.code)) break;
        mark.end += c.size;
    }
    return mark;
}

BoundFinder::Step BoundFinder::pass_mark(std::size_t at) {
    const Mark mark = mark_at(at);
    const std::size_t next = skip(mark.end, SentenceClass::kSpace);
    if (at_end(next)) return {Verdict::kOpen, at};
    if (class_at(next) == SentenceClass::kNewline) return judge_mark_at_line_end(mark, next);
    return judge_mark(mark, next);
}

BoundFinder::Step BoundFinder::judge_mark_at_line_end(const Mark& mark, std::size_t newline) {
    const NextLine next = next_line(newline);
    if (next.bound == Verdict::kOpen) return {Verdict::kOpen, newline};
    Verdict bound = next.bound;
    if (bound == Verdict::kNo) {
        const bool digit = class_at(next.word) == SentenceClass::kDigit;
        const bool goes_on = mark.full_stop && is_abbreviation(text_.substr(0, mark.at), digit);
        bound = ends_line(newline, next, goes_on ? LineEnd::kAbbreviation : LineEnd::kSentence);
    }
    if (bound == Verdict::kYes && !has_word_) bound = Verdict::kNo;
    if (bound == Verdict::kNo) line_begin_ = next.begin;
    return {bound, next.begin};
}

// Rules SB6 to SB11 of UAX 29, from the mark to the character after its white space.
BoundFinder::Step BoundFinder::judge_mark(const Mark& mark, std::size_t next) const {
    const Step goes_on{Verdict::kNo, next};
    if (!mark.wide && next == mark.end) return goes_on;
    if (mark.wide ? !has_word_ : !has_letter_) return goes_on;
    const SentenceClass first = class_at(next);
    if (first == SentenceClass::kContinue || first == SentenceClass::kFullStop ||
        first == SentenceClass::kTerminator)
        return goes_on;
    if (mark.wide) return {Verdict::kYes, next};
    if (mark.full_stop && is_abbreviation(text_.substr(0, mark.at), first == SentenceClass::kDigit))
        return goes_on;
    std::size_t at = next;
    for (std::size_t steps = 0; steps < kLookAheadMax && !at_end(at); ++steps) {
        const Character c = character(at);
        switch (sentence_class(c.code)) {
            case SentenceClass::kLower:
                return goes_on;
            case SentenceClass::kUpper:
            case SentenceClass::kCaseless:
            case SentenceClass::kNewline:
            case SentenceClass::kFullStop:
            case SentenceClass::kTerminator:
                return {Verdict::kYes, next};
            case SentenceClass::kDigit:
                if (!mark.full_stop) return {Verdict::kYes, next};
                break;
            default:
                break;
        }
        at += c.size;
    }
    return {at_end(at) ? Verdict::kOpen : Verdict::kYes, next};
}

}  // namespace

std::optional<std::size_t> first_bound(std::string_view text, TextShape shape) {
    return BoundFinder(text, shape).find();
}

std::size_t cut_within(std::string_view text) {
    const std::string_view whole = whole_characters(text);
    constexpr std::u32string_view kClauseMarks = U".,;:!?—–、，；：。！？،؛";
    std::size_t after_space = 0;
    std::size_t after_clause = 0;
    char32_t last = 0;  // before the white space
    bool in_space = false;
    for (std::size_t at = 0; at < whole.size();) {
        const Character c = character_at(whole, at);
        const SentenceClass one = sentence_class(c.code);
        const bool space = one == SentenceClass::kSpace || one == SentenceClass::kNewline;
        if (in_space && !space) after_space = at;
        const bool clause = kClauseMarks.find(last) != std::u32string_view::npos;
        if (clause && !space && (in_space || last >= 0x80)) after_clause = at;
        if (!space) last = c.code;
        in_space = space;
        at += c.size;
    }
    if (after_clause > whole.size() / 2) return after_clause;
    if (after_space > whole.size() / 2) return after_space;
    return whole.empty() ? text.size() : whole.size();
}

}  // namespace mc::text
