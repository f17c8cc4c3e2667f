// SPDX-License-Identifier: Apache-2.0
// Bytes in, a durable and searchable tree out: the ingest pipeline.
//
// bytes → tokens (streaming) → blocks → gists → levels above → one commit per batch → indexes.
// A kill at any instant leaves the document at its last commit; the same call goes on from there
// without duplicates, because the document records how many bytes it holds and their hash. What was
// committed can be found once the session's index_now() has returned: call it after the last
// document. Ownership: borrows the session. Threads: one; `cancelled` may be set from a signal
// handler. Errors (the store is as it was unless said): kInvalidInput for a file that is missing,
// unreadable, empty, binary, not UTF-8 (unless allow_binary) or larger than the limit, and for a
// source name that holds other content; kCancelled after the batch in hand was committed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "runtime/bank_session.h"

namespace mc::runtime {

struct IngestOptions {
    bool with_statistics = false;  // mean NLL and entropy per block; costs the output head
    bool allow_binary = false;     // NUL bytes and invalid UTF-8 are taken as they are
    std::uint64_t size_bytes_max = 0;
    std::string media_type = "text/plain";
    const std::atomic<bool>* cancelled = nullptr;
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
};

struct IngestReport {
    DocumentRecord document;
    IngestOutcome outcome = IngestOutcome::kIngested;
    std::uint64_t tokens_added = 0;
    std::uint64_t bytes_added = 0;
    std::uint64_t gists_added = 0;
    double seconds = 0;
};

// Tokens per commit: eight read windows, a few seconds of work at risk in a crash.
inline constexpr std::uint64_t kTokensPerCommit = 4096;

// Ingests one text that is in memory under a source name.
Result<IngestReport> ingest_text(BankSession& session, const std::string& source_name,
                                 std::string_view content, const IngestOptions& options,
                                 const ProgressCallback& progress);

// Ingests one regular file under its path as given.
Result<IngestReport> ingest_file(BankSession& session, const Path& path,
                                 const std::string& source_name, const IngestOptions& options,
                                 const ProgressCallback& progress);

// Reads a stream that cannot be mapped (standard input, a pipe) whole, within the size limit, so
// that a bad byte at its end still leaves the store as it was.
Result<std::string> read_stream(int descriptor, const IngestOptions& options);

// The regular files under a folder in order of path; hidden names are skipped.
Result<std::vector<Path>> list_files(const Path& folder);

// Says why bytes are not text: the first NUL or invalid UTF-8 sequence, with its offset.
Result<void> check_is_text(std::string_view content, const std::string& name);

}  // namespace mc::runtime
