// SPDX-License-Identifier: Apache-2.0
#include "runtime/ingest.h"

#include <algorithm>
#include <utility>

#include "core/span_math.h"
#include "runtime/forget.h"
#include "runtime/replacement.h"

namespace mc::runtime {
namespace {

std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

// Bytes tokenised between two looks at the cancel flag.
constexpr std::size_t kReadChunkBytes = 16384;

bool is_ascii_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The last place at or before an offset where tokenising can start afresh and give the tokens of
// the whole: between a letter and a space before a letter, where every pre-tokenizer splits. A
// commit may end inside a word, so its byte offset alone is no such place.
std::size_t restart_before(std::string_view content, std::size_t offset) {
    for (std::size_t at = std::min(offset, content.size()); at > 0; --at)
        if (at + 1 < content.size() && is_ascii_letter(content[at - 1]) && content[at] == ' ' &&
            is_ascii_letter(content[at + 1]))
            return at;
    return 0;
}

// One document on its way into the store.
class Ingestion {
  public:
    Ingestion(BankSession& session, const IngestOptions& options, const ProgressCallback& progress)
        : session_(session),
          options_(options),
          progress_(progress),
          tokens_per_commit_(options.tokens_per_commit) {}

    Result<IngestReport> run(const std::string& source_name, std::string_view content);
    Result<IngestReport> append(const std::string& source_name, std::string_view addition);

  private:
    Result<void> create(const DocumentRecord& draft);
    Result<bool> find_or_create(const std::string& source_name);
    Result<bool> replace(const std::string& source_name);
    std::optional<Succession> succession_of(const DocumentRecord& old, std::int64_t at_us) const;
    Result<void> make_room(const DocumentRecord& old, const DocumentRecord& draft,
                           const std::optional<Succession>& succession);
    DocumentRecord draft(const std::string& source_name) const;
    void report_replacement(const Replacement& made);
    Result<void> find_or_create_growing(const std::string& source_name);
    Result<void> keep_original();
    Result<void> take_in(std::int64_t begin_ns);
    Result<void> feed();
    Result<std::uint64_t> skip_committed(std::uint64_t bytes);
    Result<void> commit_ready(bool at_end);
    Result<void> commit(std::size_t token_count, bool complete);

    bool is_cancelled() const { return options_.cancelled && options_.cancelled->load(); }

    BankSession& session_;
    const IngestOptions& options_;
    const ProgressCallback& progress_;
    std::string_view content_;         // of the whole source, or the addition
    std::uint64_t content_begin_ = 0;  // the document's byte at which it begins
    std::uint64_t tokens_per_commit_;
    std::vector<TokenId> pending_;       // tokens not committed yet
    std::unique_ptr<StreamHash> hash_ =  // of the bytes committed
        std::make_unique<StreamHash>();
    IngestReport report_;
    IngestProgress progress_state_;
};

Result<IngestReport> Ingestion::run(const std::string& source_name, std::string_view content) {
    const std::int64_t begin_ns = session_.engine().clock().monotonic_ns();
    content_ = content;
    MC_ASSIGN(const bool has_work, find_or_create(source_name));
    MC_TRY(keep_original());
    if (has_work) MC_TRY(take_in(begin_ns));
    return std::move(report_);
}

// No hash is kept of what fails half-way: the next addition makes it anew from the store.
Result<IngestReport> Ingestion::append(const std::string& source_name, std::string_view addition) {
    const std::int64_t begin_ns = session_.engine().clock().monotonic_ns();
    content_ = addition;
    tokens_per_commit_ = kDocumentTokensMax;
    MC_TRY(find_or_create_growing(source_name));
    content_begin_ = report_.document.byte_count;
    MC_TRY(take_in(begin_ns));
    session_.held_hashes().keep(report_.document.id, std::move(hash_));
    return std::move(report_);
}

// Before the text: a kill in between leaves what the same command goes on from. Places beyond the
// text so far are no harm. A source may change where its text does not, so this is done for a text
// that is there already, too.
Result<void> Ingestion::keep_original() {
    if (options_.original == nullptr) return {};
    const Original& original = *options_.original;
    MC_ASSIGN(const auto kept, session_.nodes().find_original(report_.document.id));
    if (kept && kept->hash == xxh3_128(as_bytes(original.bytes)) && kept->places == original.places)
        return {};
    return session_.nodes().put_original(report_.document.id, original);
}

Result<void> Ingestion::take_in(std::int64_t begin_ns) {
    progress_state_ = {report_.document.byte_count, content_begin_ + content_.size(), 0, 0};
    MC_TRY(feed());
    report_.seconds = seconds_between(begin_ns, session_.engine().clock().monotonic_ns());
    session_.engine().metrics().observe(telemetry::Timing::kIngest, report_.seconds);
    return {};
}

DocumentRecord Ingestion::draft(const std::string& source_name) const {
    DocumentRecord draft;
    draft.source_name = source_name;
    draft.media_type = options_.media_type;
    draft.created_us = draft.updated_us = session_.engine().clock().now_us();
    if (options_.copied_from != nullptr) {
        draft.created_us = options_.copied_from->created_us;
        draft.version = options_.copied_from->version;
    }
    draft.content_hash = hash_->digest();
    draft.metadata = options_.metadata;
    return draft;
}

Result<void> Ingestion::create(const DocumentRecord& draft) {
    MC_ASSIGN(report_.document, session_.nodes().create_document(draft));
    return {};
}

// False when the store already holds the whole content.
Result<bool> Ingestion::find_or_create(const std::string& source_name) {
    MC_ASSIGN(auto known, session_.nodes().find_document_by_source(source_name));
    if (!known) {
        MC_TRY(create(draft(source_name)));
        return true;
    }
    report_.document = std::move(*known);
    const std::uint64_t held = report_.document.byte_count;
    if (held <= content_.size()) hash_->update(as_bytes(content_.substr(0, held)));
    if (held > content_.size() || hash_->digest() != report_.document.content_hash) {
        if (options_.replace) return replace(source_name);
        return fail(ErrorCode::kInvalidInput,
                    "the bank already holds other content under the name " + source_name +
                        " (document d" + std::to_string(report_.document.id.value) + ", " +
                        std::to_string(held) +
                        " bytes, which are not the beginning of this one); put this one in its "
                        "place with --replace, or give it another name with --name");
    }
    if (report_.document.complete && held == content_.size()) {
        report_.outcome = IngestOutcome::kAlreadyThere;
        return false;
    }
    report_.outcome =
        report_.document.complete ? IngestOutcome::kExtended : IngestOutcome::kResumed;
    return true;
}

// The new content is known to be sound by now; what is left to fail is the machine. False when the
// whole content is stored.
Result<bool> Ingestion::replace(const std::string& source_name) {
    const DocumentRecord old = report_.document;
    hash_ = std::make_unique<StreamHash>();
    report_.outcome = IngestOutcome::kReplaced;
    report_.replaced = old.id;
    const std::int64_t begin_ns = session_.engine().clock().monotonic_ns();
    const DocumentRecord made_from = draft(source_name);
    const auto succession = succession_of(old, made_from.created_us);
    if (succession) report_.kept_version = old.version;
    MC_ASSIGN(const auto made,
              replace_by_revision(session_, old, made_from, content_, options_, succession,
                                  [&](std::uint64_t bytes, std::uint64_t tokens) {
                                      progress_state_ = {bytes, content_.size(), tokens, 0};
                                      if (progress_) progress_(progress_state_);
                                  }));
    if (made) {
        report_replacement(*made);
        report_.seconds = seconds_between(begin_ns, session_.engine().clock().monotonic_ns());
        return false;
    }
    MC_TRY(make_room(old, made_from, succession));
    return true;
}

// Nothing where the old document is to be forgotten.
std::optional<Succession> Ingestion::succession_of(const DocumentRecord& old,
                                                   std::int64_t at_us) const {
    if (options_.versions_kept == 0 || !old.complete) return std::nullopt;
    return Succession{old.id, at_us, options_.versions_kept, std::string(kReplacedReason)};
}

Result<void> Ingestion::make_room(const DocumentRecord& old, const DocumentRecord& draft,
                                  const std::optional<Succession>& succession) {
    if (!succession) {
        MC_TRY(forget_replaced(session_, old, options_.versions_kept > 0));
        return create(draft);
    }
    MC_ASSIGN(report_.document, session_.nodes().replace_document(draft, *succession));
    return finish_forgetting(session_);
}

void Ingestion::report_replacement(const Replacement& made) {
    report_.document = made.document;
    report_.tokens_added = made.document.token_count;
    report_.tokens_kept = made.tokens_kept;
    report_.bytes_added = made.document.byte_count;
    report_.gists_made = made.gists_made;
    telemetry::Metrics& metrics = session_.engine().metrics();
    metrics.add(telemetry::Counter::kCommits);
    metrics.add(telemetry::Counter::kIngestTokens, report_.tokens_added - made.tokens_kept);
    metrics.add(telemetry::Counter::kIngestGists, made.gists_made);
}

// A kill between the making of a document and its first text leaves it empty and incomplete.
Result<void> Ingestion::find_or_create_growing(const std::string& source_name) {
    MC_ASSIGN(auto known, session_.nodes().find_document_by_source(source_name));
    if (!known) return create(draft(source_name));
    report_.document = std::move(*known);
    if (report_.document.token_count == 0) return {};
    if (!report_.document.complete)
        return fail(ErrorCode::kInvalidInput,
                    "the ingest of " + source_name + " was interrupted; complete it first");
    report_.outcome = IngestOutcome::kExtended;
    MC_ASSIGN(hash_, session_.held_hashes().take(session_.text(), report_.document));
    return {};
}

Result<void> Ingestion::feed() {
    const std::uint64_t held = report_.document.byte_count - content_begin_;
    const bool resumed = report_.outcome == IngestOutcome::kResumed;
    const std::size_t begin = resumed ? restart_before(content_, held) : held;
    std::uint64_t to_skip = held - begin;
    lm::StreamEncoder stream(session_.text().tokenizer());
    for (std::size_t at = begin; at < content_.size(); at += kReadChunkBytes) {
        const auto tokens = stream.push(content_.substr(at, kReadChunkBytes));
        pending_.insert(pending_.end(), tokens.begin(), tokens.end());
        MC_ASSIGN(to_skip, skip_committed(to_skip));
        if (to_skip == 0) MC_TRY(commit_ready(false));
    }
    const auto tokens = stream.finish();
    pending_.insert(pending_.end(), tokens.begin(), tokens.end());
    MC_ASSIGN(to_skip, skip_committed(to_skip));
    return commit_ready(true);
}

// Drops pending tokens that the store holds already; returns the bytes still to be dropped.
Result<std::uint64_t> Ingestion::skip_committed(std::uint64_t bytes) {
    std::size_t count = 0;
    while (bytes > 0 && count < pending_.size()) {
        const std::size_t size = session_.text().tokenizer().bytes_of(pending_[count]).size();
        if (size > bytes)
            return fail(ErrorCode::kCorruption,
                        "the stored tokens of " + report_.document.source_name +
                            " do not end where a token of its text ends; run megacontext verify");
        bytes -= size;
        ++count;
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
    return bytes;
}

Result<void> Ingestion::commit_ready(bool at_end) {
    while (pending_.size() >= tokens_per_commit_ || at_end) {
        const std::size_t count = std::min<std::size_t>(pending_.size(), tokens_per_commit_);
        const bool complete = at_end && count == pending_.size();
        MC_TRY(commit(count, complete));
        if (complete) return {};
        if (is_cancelled())
            return fail(ErrorCode::kCancelled,
                        "interrupted; " + std::to_string(report_.document.byte_count) +
                            " bytes of " + report_.document.source_name +
                            " are stored, and the same command goes on from there");
    }
    return {};
}

Result<void> Ingestion::commit(std::size_t token_count, bool complete) {
    if (token_count >= kDocumentTokensMax - report_.document.token_count)
        return fail(ErrorCode::kInvalidInput,
                    report_.document.source_name + " would reach the limit of " +
                        std::to_string(kDocumentTokensMax) + " tokens; start another document");
    IngestBatch batch;
    batch.tokens.assign(pending_.begin(),
                        pending_.begin() + static_cast<std::ptrdiff_t>(token_count));
    std::uint64_t bytes = 0;
    for (const TokenId token : batch.tokens) {
        const std::size_t size = session_.text().tokenizer().bytes_of(token).size();
        batch.token_sizes_bytes.push_back(static_cast<std::uint16_t>(size));
        bytes += size;
    }
    DocumentRecord& document = report_.document;
    hash_->update(as_bytes(content_.substr(document.byte_count - content_begin_, bytes)));
    document.token_count += token_count;
    document.byte_count += bytes;
    document.content_hash = hash_->digest();
    document.updated_us = options_.copied_from != nullptr ? options_.copied_from->updated_us
                                                          : session_.engine().clock().now_us();
    document.complete = complete;
    for (const auto& [key, value] : options_.metadata)
        document.metadata.insert_or_assign(key, value);
    batch.document = document;
    MC_TRY(session_.nodes().commit(batch));
    telemetry::Metrics& metrics = session_.engine().metrics();
    metrics.add(telemetry::Counter::kCommits);
    metrics.add(telemetry::Counter::kIngestTokens, token_count);
    MC_TRY(session_.index_soon(token_count));
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(token_count));
    report_.tokens_added += token_count;
    report_.bytes_added += bytes;
    progress_state_.bytes_done = document.byte_count;
    progress_state_.tokens_done = report_.tokens_added;
    ++progress_state_.commits;
    if (progress_) progress_(progress_state_);
    return {};
}

}  // namespace

Result<IngestReport> ingest_text(BankSession& session, const std::string& source_name,
                                 std::string_view content, const IngestOptions& options,
                                 const ProgressCallback& progress) {
    MC_TRY(check_source(content, source_name, options));
    Ingestion ingestion(session, options, progress);
    auto report = ingestion.run(source_name, content);
    if (!report) return fail(std::move(report.error()).add_context("ingesting " + source_name));
    return report;
}

Result<IngestReport> append_text(BankSession& session, const std::string& source_name,
                                 std::string_view addition, const IngestOptions& options) {
    SourceLimits limits = options;
    limits.size_bytes_max = std::min(limits.size_bytes_max, kAppendBytesMax);
    MC_TRY(check_source(addition, source_name, limits));
    const ProgressCallback no_progress;
    Ingestion ingestion(session, options, no_progress);
    auto report = ingestion.append(source_name, addition);
    if (!report) return fail(std::move(report.error()).add_context("adding to " + source_name));
    return report;
}

}  // namespace mc::runtime
