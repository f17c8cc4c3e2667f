// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/reader_text.h"

#include <algorithm>
#include <array>
#include <set>

namespace mc::runtime {
namespace {

// A repetition shorter than this is a manner of speaking ("very, very").
constexpr std::size_t kLoopBytesMin = 12;

bool is_word_byte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Words in lower case.
std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text) {
        if (is_word_byte(c)) {
            word += lower(c);
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    if (!word.empty()) words.push_back(std::move(word));
    return words;
}

// "Mr.", "St.", "J.": a point that ends no sentence.
bool is_abbreviation(std::string_view word) {
    static constexpr std::string_view kKnown[] = {
        "mr",  "mrs", "ms", "dr",  "st",  "prof",   "sr",  "jr",  "vs",   "no",  "vol", "fig",
        "etc", "eg",  "ie", "e.g", "i.e", "approx", "gen", "col", "capt", "rev", "hon"};
    if (word.size() == 1) return word[0] >= 'A' && word[0] <= 'Z';
    std::string small;
    for (const char c : word) small += lower(c);
    return std::ranges::find(kKnown, small) != std::end(kKnown);
}

std::string_view word_before(std::string_view text, std::size_t end) {
    std::size_t begin = end;
    while (begin > 0 && text[begin - 1] != ' ' && text[begin - 1] != '\n') --begin;
    return text.substr(begin, end - begin);
}

// End of the first sentence at or after an offset, npos when it goes on. What follows must have
// come: only then is "3." not taken for an end of "3.5".
std::size_t sentence_end(std::string_view text, std::size_t from) {
    static constexpr std::array kWideEnds{std::string_view("。"), std::string_view("！"),
                                          std::string_view("？")};
    for (std::size_t at = from; at < text.size(); ++at) {
        if (text[at] == '\n' && text.find_first_not_of(" \t\r\n", from) < at) return at;
        for (const std::string_view end : kWideEnds)
            if (text.substr(at).starts_with(end)) return at + end.size();
        if (text[at] != '.' && text[at] != '!' && text[at] != '?') continue;
        std::size_t end = at + 1;
        while (end < text.size() && std::string_view(".!?\"')]").find(text[end]) != text.npos)
            ++end;
        if (end >= text.size() || (text[end] != ' ' && text[end] != '\n')) continue;
        if (text[at] == '.' && is_abbreviation(word_before(text, at))) continue;
        return end;
    }
    return std::string_view::npos;
}

// Where the text's end begins to repeat what stands right before it; npos when it does not.
std::size_t loop_begin(std::string_view text) {
    for (std::size_t period = kLoopBytesMin; 2 * period <= text.size(); ++period) {
        const std::string_view last = text.substr(text.size() - period);
        if (text.substr(text.size() - 2 * period, period) == last) return text.size() - period;
    }
    return std::string_view::npos;
}

// Bytes at the text's end that repeat what stands some way before them, and so may become the
// start of a loop. A loop's second round begins right where its first ends: no more of it can be
// there than lies between the two.
std::size_t loop_bytes_begun(std::string_view text) {
    std::size_t most = 0;
    for (std::size_t period = kLoopBytesMin; period < text.size(); ++period) {
        const std::size_t room = std::min(period, text.size() - period);
        std::size_t alike = 0;
        while (alike < room &&
               text[text.size() - 1 - alike] == text[text.size() - 1 - alike - period])
            ++alike;
        most = std::max(most, alike);
    }
    return most;
}

bool is_inside_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// Ranks from 1 of the texts that hold the most of some words; empty when none holds any.
std::vector<std::size_t> holders_of_most(const std::set<std::string>& wanted,
                                         std::span<const std::string> texts) {
    std::vector<std::size_t> counts;
    for (const std::string& text : texts) {
        const auto words = words_of(text);
        const std::set<std::string> held(words.begin(), words.end());
        counts.push_back(static_cast<std::size_t>(std::ranges::count_if(
            wanted, [&](const std::string& word) { return held.contains(word); })));
    }
    const std::size_t most = counts.empty() ? 0 : *std::ranges::max_element(counts);
    std::vector<std::size_t> ranks;
    for (std::size_t i = 0; i < counts.size() && most > 0; ++i)
        if (counts[i] == most) ranks.push_back(i + 1);
    return ranks;
}

}  // namespace

std::vector<TokenId> passage_separator(const lm::Tokenizer& tokenizer) {
    return tokenizer.encode("\n\n");
}

std::string_view AnswerCut::keep(std::string_view written) {
    kept_bytes_ = written.size();
    std::size_t end = 0;
    for (std::uint32_t sentence = 0; sentence < sentences_max_; ++sentence) {
        end = sentence_end(written, end);
        if (end == std::string_view::npos) break;
    }
    if (sentences_max_ > 0 && end != std::string_view::npos) {
        by_sentence_ = true;
        kept_bytes_ = end;
    } else if (const std::size_t loop = loop_begin(written); loop != std::string_view::npos) {
        by_loop_ = true;
        kept_bytes_ = loop;
    }
    return written.substr(0, kept_bytes_);
}

std::string_view AnswerCut::settled(std::string_view written) const {
    if (ended()) return written.substr(0, kept_bytes_);
    std::size_t end = written.size() - loop_bytes_begun(written);
    while (end > 0 && end < written.size() && is_inside_character(written[end])) --end;
    return written.substr(0, end);
}

std::vector<std::size_t> sources_of(std::string_view answer, std::string_view question,
                                    std::span<const std::string> texts) {
    const auto asked = words_of(question);
    const std::set<std::string> known(asked.begin(), asked.end());
    std::set<std::string> all;
    std::set<std::string> own;
    for (const std::string& word : words_of(answer)) {
        if (word.size() <= 3 && word.find_first_of("0123456789") == word.npos) continue;
        all.insert(word);
        if (!known.contains(word)) own.insert(word);
    }
    auto sources = holders_of_most(own, texts);
    if (sources.empty()) sources = holders_of_most(all, texts);  // "Yes, I may charge a fee."
    return sources;
}

}  // namespace mc::runtime
