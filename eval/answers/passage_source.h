// SPDX-License-Identifier: Apache-2.0
// Port: who finds plain passages for a question. program/sentence_sources.h implements it
// on a bank's index. Threads: one. Errors: the indexes' own.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"

namespace mc::eval {

struct FoundPassage {
    DocumentId document;
    TokenSpan tokens;

    auto operator<=>(const FoundPassage&) const = default;
};

class PassageSource {
  public:
    virtual ~PassageSource() = default;

    // "sentences/bm25": the unit, and what finds it.
    virtual std::string_view name() const = 0;

    // At most count, best first. Empty documents: all.
    virtual Result<std::vector<FoundPassage>> find(std::string_view question, std::size_t count,
                                                   std::span<const DocumentId> documents) = 0;
};

// Passages that touch or overlap become one, at the place of the best of them. Best first.
std::vector<FoundPassage> join_neighbours(std::span<const FoundPassage> passages);

}  // namespace mc::eval
