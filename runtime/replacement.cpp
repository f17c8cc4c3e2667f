// SPDX-License-Identifier: Apache-2.0
#include "runtime/replacement.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/span_math.h"
#include "storage/portable/import_document.h"
#include "tree/revision.h"

namespace mc::runtime {
namespace {

// A second's reading: not worth looking at.
constexpr std::uint64_t kSmallTokens = 2048;

class Replacing {
  public:
    Replacing(BankSession& session, const DocumentRecord& old, const IngestOptions& options,
              const std::optional<Succession>& succession,
              const std::function<void(std::uint64_t, std::uint64_t)>& progress)
        : session_(session),
          old_(old),
          options_(options),
          succession_(succession),
          progress_(progress) {}

    Result<std::optional<Replacement>> run(DocumentRecord draft, std::string_view content) {
        MC_ASSIGN(const auto old_tokens,
                  session_.nodes().read_tokens(old_.id, {0, old_.token_count}));
        const lm::Tokenizer& tokenizer = session_.text().tokenizer();
        revision_ = revise(old_tokens, tokenizer.encode(content), tokenizer.blank_token());
        if (revision_.kept_blocks * kBlockSize * 2 < revision_.tokens.size())
            return std::optional<Replacement>();
        draft.byte_count = content.size();
        draft.content_hash = xxh3_128(std::as_bytes(std::span(content)));
        draft.complete = true;
        return store(draft);
    }

  private:
    Result<std::optional<Replacement>> store(const DocumentRecord& draft) {
        MC_ASSIGN(BankSearch* const search, session_.search());
        RevisionEncoder encoder(session_.engine().encoder(), session_.nodes(), old_.id, revision_);
        storage::DocumentMaking making{encoder,
                                       [this] { return next(); },
                                       [this](TokenId token) { return size_of(token); },
                                       options_.cancelled,
                                       options_.with_statistics,
                                       [this, search] { return make_room(*search); },
                                       succession_};
        auto stored = store_and_index(draft, making, *search);
        search->forget_vectors();
        if (!stored) return fail(std::move(stored.error()));
        return std::optional(Replacement{std::move(*stored), encoder.blocks_taken() * kBlockSize,
                                         encoder.gists_made()});
    }

    // While the vectors are kept.
    Result<DocumentRecord> store_and_index(const DocumentRecord& draft,
                                           const storage::DocumentMaking& making,
                                           BankSearch& search) {
        MC_ASSIGN(DocumentRecord stored, storage::import_encoding(session_.nodes(), draft, making));
        MC_TRY(search.catch_up());
        MC_TRY(finish_forgetting(session_));
        return stored;
    }

    Result<void> make_room(BankSearch& search) {
        MC_TRY(search.keep_vectors(old_));
        return succession_ ? Result<void>()
                           : forget_replaced(session_, old_, options_.versions_kept > 0);
    }

    Result<std::optional<storage::MadePiece>> next() {
        if (progress_) progress_(bytes_done_, tokens_done_);
        if (tokens_done_ == revision_.tokens.size()) return std::optional<storage::MadePiece>();
        const std::uint64_t end =
            std::min<std::uint64_t>(tokens_done_ + kTokensPerCommit, revision_.tokens.size());
        std::vector<TokenId> tokens(
            revision_.tokens.begin() + static_cast<std::ptrdiff_t>(tokens_done_),
            revision_.tokens.begin() + static_cast<std::ptrdiff_t>(end));
        for (const TokenId token : tokens) bytes_done_ += size_of(token);
        tokens_done_ = end;
        return std::optional<storage::MadePiece>(std::move(tokens));
    }

    std::uint16_t size_of(TokenId token) const {
        return static_cast<std::uint16_t>(session_.text().tokenizer().bytes_of(token).size());
    }

    BankSession& session_;
    const DocumentRecord& old_;
    const IngestOptions& options_;
    const std::optional<Succession>& succession_;
    const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
    Revision revision_;
    std::uint64_t tokens_done_ = 0;
    std::uint64_t bytes_done_ = 0;
};

}  // namespace

Result<void> forget_replaced(BankSession& session, const DocumentRecord& document,
                             bool versions_stay) {
    ForgetReport plan;
    plan.documents.push_back(document);
    if (!versions_stay) {
        MC_ASSIGN(plan.versions, session.nodes().versions_of(document.source_name));
    }
    return forget(session, plan, std::string(kReplacedReason));
}

Result<std::optional<Replacement>> replace_by_revision(
    BankSession& session, const DocumentRecord& old, DocumentRecord draft, std::string_view content,
    const IngestOptions& options, const std::optional<Succession>& succession,
    const std::function<void(std::uint64_t bytes, std::uint64_t tokens)>& progress) {
    if (old.token_count < kSmallTokens || tokens_without_gists(old) > 0)
        return std::optional<Replacement>();
    return Replacing(session, old, options, succession, progress).run(std::move(draft), content);
}

}  // namespace mc::runtime
