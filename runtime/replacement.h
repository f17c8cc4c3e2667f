// SPDX-License-Identifier: Apache-2.0
// A changed text in the place of a document, at the cost of what has changed: blocks that stand in
// both keep their gists, passages their vectors (tree/revision.h).
//
// The new document is made outside of the store; then the old one is forgotten and the new one
// stored whole. A kill before that leaves the old document, one between the two neither. Where the
// old one is kept as a version, both are one transaction, so one of them always stands. Ownership:
// borrows the session. Threads: one. Errors: the store's, the index's, the encoder's; kCancelled
// before anything was changed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "runtime/forget.h"
#include "runtime/ingest.h"

namespace mc::runtime {

inline constexpr std::string_view kReplacedReason = "replaced by other content of its source";

// All of one document, for one that takes its place, and its versions unless they stay.
Result<void> forget_replaced(BankSession& session, const DocumentRecord& document,
                             bool versions_stay);

struct Replacement {
    DocumentRecord document;
    std::uint64_t tokens_kept = 0;
    std::uint64_t gists_made = 0;
};

// draft: the new document's record, but for its counts and hash. succession: how the old one is
// kept; none: it is forgotten, with its versions. progress: bytes and tokens done.
// nullopt, with nothing changed, where less than half would be kept, or the document is so small
// that it is as well read anew, or waits for gists itself.
Result<std::optional<Replacement>> replace_by_revision(
    BankSession& session, const DocumentRecord& old, DocumentRecord draft, std::string_view content,
    const IngestOptions& options, const std::optional<Succession>& succession,
    const std::function<void(std::uint64_t bytes, std::uint64_t tokens)>& progress);

}  // namespace mc::runtime
