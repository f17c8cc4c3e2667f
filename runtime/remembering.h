// SPDX-License-Identifier: Apache-2.0
// A document on its way into the memory, a step at a time, so that who takes it in can do other
// things in between: ask, read, even remember and forget.
//
// What a step has committed is durable and can be found. Between two steps the document is as a
// kill would leave it: incomplete, and the same request, in this process or in another, goes on
// from there. Ownership: borrows the session; holds the text. Threads: the engine's. Errors:
// kInvalidInput for a request that cannot be taken, from begin(), before anything is changed;
// kCancelled when the document was forgotten meanwhile; those of ingest_text().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/result.h"
#include "runtime/bank_session.h"
#include "runtime/ingest.h"
#include "runtime/memory.h"
#include "runtime/remembered_file.h"

namespace mc::runtime {

// Of one step: a tenth of a second of the embedder's on two cores, for which a question that comes
// meanwhile waits.
inline constexpr std::uint64_t kTokensPerStep = 512;

class Remembering {
  public:
    // Cost: a file is converted.
    static Result<std::unique_ptr<Remembering>> begin(BankSession& session,
                                                      const RememberRequest& request);
    Remembering(const Remembering&) = delete;
    Remembering& operator=(const Remembering&) = delete;

    // Takes in kTokensPerStep; what came of the whole when those were the last. Cost: also a look
    // at the whole text, some milliseconds for the longest.
    Result<std::optional<Remembered>> step();

    // Bytes of the text, and tokens taken in by this object.
    const IngestProgress& progress() const { return progress_; }

  private:
    Remembering(BankSession& session, std::string name, RememberedFile content)
        : session_(session), name_(std::move(name)), content_(std::move(content)) {}

    Result<void> check_still_there();

    BankSession& session_;
    const std::string name_;
    const RememberedFile content_;
    IngestOptions options_;
    IngestProgress progress_;
    IngestOutcome outcome_ = IngestOutcome::kIngested;  // of more than one step: each next resumes
};

}  // namespace mc::runtime
