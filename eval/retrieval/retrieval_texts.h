// SPDX-License-Identifier: Apache-2.0
// The haystack of a retrieval run and the questions whose blocks are looked for in it.
// Pure functions of documents, count and seed. Value types. Errors: kInvalidInput for documents
// that are missing or too short.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/ids.h"
#include "core/result.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::eval {

inline constexpr std::array<const char*, 3> kQueryKinds = {"next", "fragment", "question"};

struct Haystack {
    std::vector<std::string> names;            // of documents, as they were given
    std::vector<std::vector<TokenId>> tokens;  // of documents
    // All whole blocks, document by document: document ids are 1, 2, … in order.
    std::vector<NodeId> blocks;
    std::vector<std::string> texts;  // of blocks; UTF-8, invalid bytes replaced
};

struct RetrievalQuery {
    std::size_t kind = 0;   // in kQueryKinds
    std::size_t block = 0;  // the right one, in Haystack::blocks
    // Blocks right behind the right one that the query's own text comes from: not candidates.
    std::size_t repeated_blocks = 0;
    std::string text;
};

Result<Haystack> read_haystack(const lm::Tokenizer& tokenizer, const std::vector<Path>& documents);

// count of each kind, kind by kind, from blocks drawn without repetition.
Result<std::vector<RetrievalQuery>> plan_queries(const Haystack& haystack,
                                                 const lm::Tokenizer& tokenizer,
                                                 std::uint32_t count, std::uint64_t seed);

// JSON for other programs: {"hash", "blocks": [text …], "queries": [text …]}. The hash says which
// texts vectors were made for.
std::string texts_json(const Haystack& haystack, const std::vector<RetrievalQuery>& queries,
                       const std::string& hash);

std::string hash_of_texts(const Haystack& haystack, const std::vector<RetrievalQuery>& queries);

}  // namespace mc::eval
