// SPDX-License-Identifier: Apache-2.0
// Families of questions, made from a seed (docs/evaluation.md describes them).
//
// Equal seeds, tokenizers and documents give equal items; a family's items depend on no other
// family. Pure. Errors: kUsage for a family that does not exist; kInvalidInput for documents that
// yield no item of a family that is made from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/rng.h"
#include "eval/answers/answer_item.h"
#include "eval/answers/sentence_pool.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::eval {

inline constexpr std::string_view kOneSentence = "one-sentence";
inline constexpr std::string_view kAbsent = "absent";
inline constexpr std::string_view kWholeDocument = "whole-document";

// Least length of a document that is asked about as a whole.
inline constexpr std::uint64_t kWholeDocumentTokens = 4000;

std::span<const std::string_view> family_names();

Result<void> check_family(std::string_view family);

// What items are made from.
struct ItemSources {
    const lm::Tokenizer& tokenizer;
    const SentencePool& pool;
};

// As many items as asked for; fewer where the documents have no more.
Result<ItemSet> make_items(std::string_view family, std::size_t count, std::uint64_t seed,
                           const ItemSources& sources);

// A stream of random numbers of its own for each purpose.
Rng rng_for(std::uint64_t seed, std::string_view purpose);

// One sentence says it, the question asks in other words.
ItemSet make_single_facts(std::size_t count, Rng rng, const lm::Tokenizer& tokenizer);

// Questions of single-fact whose facts the memory lacks, among facts about others.
ItemSet make_absent(std::size_t count, Rng rng, const lm::Tokenizer& tokenizer);

// pairs: keys of one kind in a memory; 1: every key is of a kind of its own.
ItemSet make_key_values(std::size_t count, std::size_t pairs, Rng rng,
                        const lm::Tokenizer& tokenizer);

// Who is where, who has what: one, two or three supporting facts, older ones among them.
ItemSet make_people(std::size_t count, Rng rng, const lm::Tokenizer& tokenizer);

// A name or a number is missing in a sentence of the documents.
ItemSet make_cloze(std::size_t count, Rng rng, const ItemSources& sources);

// Who is the main person of a document, what is it about.
ItemSet make_whole_documents(std::size_t count, Rng rng, const ItemSources& sources);

// Each fact is a document of its own.
ItemSet make_one_sentences(std::size_t count, Rng rng, const lm::Tokenizer& tokenizer);

// One-sentence documents beside those of the items, about other people, as many as are missing to
// count. Requires: items is a set of one-sentence.
std::vector<std::string> other_sentences(const ItemSet& items, std::size_t count, Rng rng);

}  // namespace mc::eval
