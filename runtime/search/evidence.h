// SPDX-License-Identifier: Apache-2.0
// From what a search or a policy chose to stretches of text with their provenance.
//
// Evidence has the bounds of passages: whole sentences, lines or messages, never a block's. A
// sentence that leans on the one before it ("He kept it there.") brings that one along, and hits
// that stand next to each other are one piece.
// Pure but for reads of the bank. Threads: one. Errors: the store's and the index's.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "runtime/search/bank_text.h"
#include "tree/passage_index.h"
#include "working_context/passage_ranking.h"

namespace mc::runtime {

// Longest piece of evidence that grows by neighbours and by what its sentence leans on, in tokens.
inline constexpr std::uint64_t kEvidenceTokensMax = 160;

// A stretch of whole passages and why it was chosen.
struct Stretch {
    DocumentId document;
    TokenSpan tokens;
    double score = 0;
    std::string why;  // "words rank 1, vectors rank 7"

    Passage passage() const { return {document, tokens}; }
};

struct Evidence {
    std::string bank;  // its name
    DocumentRecord document;
    TokenSpan tokens;
    ByteSpan bytes;              // of the text, without white space at its ends
    std::string place;           // where in its source: "page 3"; empty where that has no places
    std::optional<Level> level;  // 0: raw in the window; n: as part of a gist; none: left out
    double score = 0;
    std::string why;
    std::string text;  // UTF-8; invalid bytes replaced
};

// Where the text and the index of a document are. Borrowed.
struct PassageHome {
    const BankText& text;
    const PassageIndex& index;
};

using HomeOf = std::function<PassageHome(DocumentId document)>;

// The first count of a ranking as stretches, best first, widened and joined; none overlap.
Result<std::vector<Stretch>> stretches_of(const HomeOf& home_of,
                                          std::span<const RankedPassage> ranking,
                                          std::size_t count);
// Of a ranking of one bank.
Result<std::vector<Stretch>> stretches_of(const BankText& text, const PassageIndex& index,
                                          std::span<const RankedPassage> ranking,
                                          std::size_t count);

// Score of a level 1 node.
using BlockScores = std::unordered_map<NodeId, double>;

// The best blocks of a policy as stretches of the passages that they lie in, best first.
Result<std::vector<Stretch>> stretches_of_blocks(const PassageIndex& index,
                                                 const BlockScores& scores,
                                                 std::span<const RankedPassage> ranking,
                                                 std::size_t count);

// Reads a stretch's text. The level is the caller's to say.
Result<Evidence> read_evidence(const BankText& text, const Stretch& stretch);

}  // namespace mc::runtime
