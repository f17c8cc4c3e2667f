// SPDX-License-Identifier: Apache-2.0
// What a retrieval run writes: results.json, table.md, ranks.jsonl. Pure. Value types.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mc::eval {

struct SystemRanks {
    std::string name;
    std::vector<std::uint32_t> ranks;  // of every query, from 1; 0: not among the candidates
};

struct RetrievalFindings {
    std::vector<SystemRanks> systems;
    std::vector<std::size_t> kinds;  // of every query, in kQueryKinds
    std::uint64_t blocks = 0;
    std::vector<std::string> documents;
    std::string texts_hash;
    std::string model_hash;
    std::uint64_t seed = 1;
    std::string command_line;
};

// Keys as lm-eval's: "recall@5,bm25" below "retrieval/next".
std::string retrieval_json(const RetrievalFindings& findings);

// Markdown, one section per kind of question and one of all; beside each system the mean difference
// of its reciprocal ranks to BM25's.
std::string retrieval_table(const RetrievalFindings& findings);

// One line per query: {"kind", "ranks": {system: rank or null}}.
std::string retrieval_ranks(const RetrievalFindings& findings);

}  // namespace mc::eval
