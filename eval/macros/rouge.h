// SPDX-License-Identifier: Apache-2.0
// ROUGE-L (Lin 2004): how much of one text's words stands in another in the same order. Pure.
#pragma once

#include <string_view>

namespace mc::eval {

// F1 of the longest common subsequence of words; words are runs of letters and digits, and of bytes
// beyond ASCII, without case. 1 for equal texts, 0 where either has no word.
double rouge_l(std::string_view written, std::string_view reference);

}  // namespace mc::eval
