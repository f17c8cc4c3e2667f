// SPDX-License-Identifier: Apache-2.0
#include "runtime/remembering.h"

#include <atomic>
#include <utility>

#include "runtime/remember_request.h"

namespace mc::runtime {
namespace {

// What an ingest looks at after each commit: here it always ends with the first.
const std::atomic<bool> kAfterOneCommit = true;

IngestOptions ingest_options(const RememberRequest& request, const RememberedFile& content) {
    IngestOptions options;
    options.size_bytes_max = request.bytes_max;
    options.cancelled = &kAfterOneCommit;
    options.tokens_per_commit = kTokensPerStep;
    if (!content.media_type.empty()) options.media_type = content.media_type;
    if (content.source.original) options.original = &*content.source.original;
    options.metadata = metadata_of(content.source);
    options.metadata.insert(request.metadata.begin(), request.metadata.end());
    if (!request.event_time.empty()) options.metadata.emplace(kEventTimeKey, request.event_time);
    return options;
}

Result<RememberedFile> content_of(const RememberRequest& request, const std::string& name) {
    if (!request.file.empty()) return read_file_of(request, name);
    return RememberedFile{SourceText{request.text, {}}, request.media_type};
}

}  // namespace

// A key without a name names the document: the same key with another text is refused, also where
// that text goes on from the first, which a name's owner may want and a retry cannot.
Result<std::unique_ptr<Remembering>> Remembering::begin(BankSession& session,
                                                        const RememberRequest& request) {
    std::string name = document_name(request);
    MC_ASSIGN(RememberedFile content, content_of(request, name));
    const std::size_t size = content.source.text.size();
    MC_ASSIGN(const auto known, session.nodes().find_document_by_source(name));
    const bool is_keyed = request.name.empty() && !request.idempotency_key.empty();
    if (is_keyed && known && known->complete && known->byte_count != size)
        return fail(ErrorCode::kInvalidInput, "idempotency_key was given before with another text");
    std::unique_ptr<Remembering> begun(
        new Remembering(session, std::move(name), std::move(content)));
    begun->options_ = ingest_options(request, begun->content_);
    begun->progress_.bytes_total = size;
    if (known)
        begun->outcome_ = known->complete ? IngestOutcome::kExtended : IngestOutcome::kResumed;
    return begun;
}

Result<std::optional<Remembered>> Remembering::step() {
    MC_TRY(check_still_there());
    const IngestProgress before = progress_;
    const auto report = ingest_text(session_, name_, content_.source.text, options_,
                                    [&](const IngestProgress& progress) {
                                        progress_ = progress;
                                        progress_.tokens_done += before.tokens_done;
                                        progress_.commits += before.commits;
                                    });
    const bool goes_on = !report && report.error().code() == ErrorCode::kCancelled;
    if (!report && !goes_on) return fail(report.error());
    MC_TRY(session_.index_now());
    if (goes_on) return std::optional<Remembered>();
    progress_.bytes_done = progress_.bytes_total;
    const IngestOutcome outcome = before.commits > 0 ? outcome_ : report->outcome;
    return std::optional(Remembered{report->document, outcome, {0, report->document.byte_count}});
}

Result<void> Remembering::check_still_there() {
    if (progress_.commits == 0) return {};
    MC_ASSIGN(const auto known, session_.nodes().find_document_by_source(name_));
    if (known) return {};
    return fail(ErrorCode::kCancelled, name_ + " was forgotten while it was taken in");
}

}  // namespace mc::runtime
