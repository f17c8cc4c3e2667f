// SPDX-License-Identifier: Apache-2.0
// Bytes in, durable and searchable text out: the first half of the ingest pipeline.
//
// bytes → tokens (streaming) → one commit per batch → the index of passages. Gists come later, from
// runtime/gist_maker.h. A kill at any instant leaves the document at its last commit; the same call
// goes on from there without duplicates, because the document records how many bytes it holds and
// their hash. What was committed can be found once the session's index_now() has returned: call it
// after the last document. With `replace`, what has not changed keeps its gists and what has gets
// new ones (runtime/replacement.h), and a kill may leave neither the old document nor all of the
// new one; the same call goes on from there. With versions_kept the old document stays as a version
// of the new one, in the transaction that makes that one.
// append_text() adds to a document that grows message by message. Ownership: borrows the session.
// Threads: one; `cancelled` may be set from a signal handler. Errors (the store is as it was unless
// said): those of check_source(); kInvalidInput for a source name that holds other content, and
// for a document that would become too long; kCancelled after the batch in hand was committed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "runtime/bank_session.h"
#include "runtime/source_text.h"

namespace mc::runtime {

// Tokens per commit, of text and of gists: eight read windows, a few seconds of work at risk in a
// crash.
inline constexpr std::uint64_t kTokensPerCommit = 4096;

struct IngestOptions : SourceLimits {
    std::uint64_t tokens_per_commit = kTokensPerCommit;  // of text
    bool with_statistics = false;  // of the gists that `replace` makes (runtime/gist_maker.h)
    bool replace = false;          // other content under the name makes room
    // Of what makes room: the newest, which are kept; older ones are forgotten. One whose ingest
    // was interrupted is kept by nobody.
    std::uint64_t versions_kept = 0;
    std::string media_type = "text/plain";
    // Set on the document, beside what it has, in the transaction of its text.
    std::map<std::string, std::string> metadata;
    // Whose times and version the document has, of a copy of it; borrowed. Null: those of now.
    const DocumentRecord* copied_from = nullptr;
    // What the text was converted from; borrowed. Kept before the first of the text is.
    const Original* original = nullptr;
};

struct IngestProgress {
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_total = 0;
    std::uint64_t tokens_done = 0;
    std::uint64_t commits = 0;
};

using ProgressCallback = std::function<void(const IngestProgress&)>;

enum class IngestOutcome {
    kIngested,      // a new document
    kResumed,       // an interrupted one, now complete
    kExtended,      // a complete one whose source has grown at its end
    kAlreadyThere,  // nothing to do
    kReplaced,      // a new document in the place of one of other content
};

struct IngestReport {
    DocumentRecord document;
    IngestOutcome outcome = IngestOutcome::kIngested;
    std::optional<DocumentId> replaced;         // by kReplaced
    std::optional<std::uint32_t> kept_version;  // as which the replaced one is kept
    std::uint64_t tokens_added = 0;
    std::uint64_t tokens_kept = 0;  // of them, by kReplaced: with the gists that they had
    std::uint64_t bytes_added = 0;
    std::uint64_t gists_made = 0;  // by kReplaced, for what was not kept
    double seconds = 0;
};

// Ingests one text that is in memory (source_text.h reads files) under a source name.
Result<IngestReport> ingest_text(BankSession& session, const std::string& source_name,
                                 std::string_view content, const IngestOptions& options,
                                 const ProgressCallback& progress);

// Longest addition of append_text(), which is committed whole or not at all.
inline constexpr std::uint64_t kAppendBytesMax = 64 * 1024;

// Adds a text at the end of a document, which is made when it is missing: one transaction, so a
// kill leaves all of the addition or nothing. Errors: kInvalidInput for an addition that is empty,
// no UTF-8 or too long, and for a document whose ingest was interrupted.
Result<IngestReport> append_text(BankSession& session, const std::string& source_name,
                                 std::string_view addition, const IngestOptions& options);

}  // namespace mc::runtime
