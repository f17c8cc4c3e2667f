// SPDX-License-Identifier: Apache-2.0
// Terms: the words of a text as an index compares them.
//
// Text and question go through the same preparation: NFKC with case folded, diacritics of Latin,
// Greek and Cyrillic letters dropped, English words stemmed. A script without spaces between words
// gives each two neighbouring characters as a term. An identifier (POL-358, v1.2.3, a UUID, a file
// name, an address) gives its parts, and each two neighbouring parts as one more term, so that what
// matches as a phrase counts more than its parts. A term holds letters, digits and bytes above
// 0x7F alone. Pure functions; linear time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mc::text {

// Longest term; of a longer word the begin counts.
inline constexpr std::size_t kTermBytesMax = 64;

// Distinct terms in the order of their first appearance.
std::vector<std::string> text_terms(std::string_view text);

struct QuestionTerm {
    std::string text;
    bool prefix = false;  // stands for every term that begins with it
    float weight = 1;     // less for words that only make a question ("what", "is"), more for what
                          // is written as a name ("Will", "Nathan I. Merriweather")
};

// Distinct terms of a question. A lone character of a script without spaces is a prefix.
std::vector<QuestionTerm> question_terms(std::string_view question);

}  // namespace mc::text
