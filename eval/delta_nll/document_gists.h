// SPDX-License-Identifier: Apache-2.0
// The gists of one document's windows, of every encoder and level, made when they are first needed.
//
// A context is read as an ingest of it as a document of its own would read it: in the windows of
// tree/read_window.h, counted from the context's beginning. Windows are encoded in fixed groups of
// kBatchWindows, so that a run which starts in the middle computes exactly what an uninterrupted
// one does. Ownership: borrows scorer, protocol and document; gists live as long as this. Threads:
// one.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "eval/delta_nll/protocol.h"

namespace mc::eval {

// Entries that show gists; borrows them.
lm::Segment segment_of_gists(std::span<const Gist> gists);

class DocumentGists {
  public:
    DocumentGists(Scorer& scorer, const Protocol& protocol, const DocumentPlan& document);

    // Makes the gists of a window, and of the others of its group. Errors: kModel.
    Result<void> make(std::size_t window);

    // Of the window's context, oldest first. Requires: make(window).
    std::span<const Gist> level(std::size_t encoder, std::size_t window, Level level) const;

  private:
    using ByWindow = std::vector<std::vector<Gist>>;

    Result<void> make_blocks(std::size_t encoder, std::size_t begin, std::size_t end);
    Result<void> make_parents(std::size_t encoder, std::size_t begin, std::size_t end, Level level);
    ByWindow& gists(std::size_t encoder, Level level);

    Scorer& scorer_;
    const Protocol& protocol_;
    const DocumentPlan& document_;
    std::vector<std::vector<ByWindow>> levels_;  // [level - 1][encoder][window][node]
};

}  // namespace mc::eval
