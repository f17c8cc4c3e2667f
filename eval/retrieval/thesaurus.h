// SPDX-License-Identifier: Apache-2.0
// Some four thousand words with one synonym each, as part of the program.
//
// From WordNet 3.0 (its licence stands in eval/retrieval/synonyms.tsv): a word's first sense's most
// usual other word. Threads: free. Errors: none.
#pragma once

#include <string>
#include <unordered_map>

namespace mc::eval {

// Lower-case word → lower-case synonym.
const std::unordered_map<std::string, std::string>& synonyms();

}  // namespace mc::eval
