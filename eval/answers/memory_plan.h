// SPDX-License-Identifier: Apache-2.0
// Memories: the user's text with the facts of many items in it, each at its place of a block.
//
// One memory serves all items whose facts it holds, so that it is ingested once. Facts take at most
// half of it; a set that needs more is spread over several. Pure: equal arguments give equal
// memories. Errors: kInvalidInput when a group of facts does not fit, or no stretch of the text
// brings a fact to its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/rng.h"
#include "eval/answers/answer_item.h"
#include "eval/answers/sentence_pool.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::eval {

struct MemoryDocument {
    std::string name;
    std::string text;
};

// Where a fact stands, in tokens of its document.
struct PlacedFact {
    std::size_t document = 0;  // of MemoryText::documents
    TokenSpan fact;
    TokenSpan value;
};

// An item and where a memory has what it asks for.
struct PlacedItem {
    std::size_t item = 0;                 // of the set
    std::vector<PlacedFact> facts;        // as in the item
    std::optional<std::size_t> document;  // that is asked about as a whole
};

struct MemoryText {
    std::vector<MemoryDocument> documents;
    std::vector<PlacedItem> items;
    std::uint64_t tokens = 0;  // of all documents
};

// nullopt-like: an empty list when some group takes more than half of a memory of so many tokens.
Result<std::vector<MemoryText>> plan_memories(const ItemSet& set, const SentencePool& pool,
                                              std::uint64_t tokens, Rng rng,
                                              const lm::Tokenizer& tokenizer);

// Memories of whole documents, as many in each as so many tokens hold, others of the user's text
// among them where the items' are too few. Empty when not even one fits.
// Requires: set is of the family whole-document.
Result<std::vector<MemoryText>> plan_document_memories(const ItemSet& set, const SentencePool& pool,
                                                       std::uint64_t tokens, Rng rng,
                                                       const lm::Tokenizer& tokenizer);

// One memory of so many one-sentence documents, in random order.
// Requires: set is of the family one-sentence.
Result<MemoryText> plan_sentence_memory(const ItemSet& set, std::size_t documents, Rng rng,
                                        const lm::Tokenizer& tokenizer);

// The memories of a set at a length, by its family: so many tokens, or documents of family
// one-sentence.
Result<std::vector<MemoryText>> plan_family(const ItemSet& set, const SentencePool& pool,
                                            std::uint64_t length, std::uint64_t seed,
                                            const lm::Tokenizer& tokenizer);

}  // namespace mc::eval
