// SPDX-License-Identifier: Apache-2.0
// Tokens of a document into passages with their text.
// Pure. Threads: free.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lm/tokenizer/tokenizer.h"
#include "tree/passage_index.h"
#include "tree/records.h"

namespace mc::runtime {

// The passages of a stretch that begins where one begins, without overlap, and without gap but for
// white space and blank tokens; the last one may go on beyond the stretch. Blank tokens are passed
// over inside a passage; kBlockSize of them in a row end one.
std::vector<PassageText> cut_passages(const lm::Tokenizer& tokenizer,
                                      const DocumentRecord& document, std::uint64_t first_token,
                                      std::span<const TokenId> tokens);

}  // namespace mc::runtime
