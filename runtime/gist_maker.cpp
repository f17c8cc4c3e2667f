// SPDX-License-Identifier: Apache-2.0
#include "runtime/gist_maker.h"

#include <algorithm>
#include <utility>

#include "runtime/ingest.h"
#include "tree/gist_statistics.h"

namespace mc::runtime {

Result<void> GistMaker::take_up(const DocumentRecord& document) {
    if (builder_ && in_hand_ == document.id && builder_->token_count() == document.gist_end)
        return {};
    builder_.reset();
    MC_ASSIGN(const auto statistics, has_statistics(session_.nodes(), document));
    MC_ASSIGN(builder_,
              DocumentBuilder::resume(session_.nodes(), document, session_.engine().encoder(),
                                      statistics.value_or(with_statistics_)));
    in_hand_ = document.id;
    return {};
}

Result<GistMaker::Step> GistMaker::step(DocumentId document, std::uint64_t tokens_max) {
    MC_ASSIGN(const auto record, session_.nodes().find_document(document));
    if (!record || tokens_without_gists(*record) == 0) return Step{};
    const std::uint64_t count =
        std::min(tokens_without_gists(*record), std::max(tail_begin(tokens_max), kBlockSize));
    MC_TRY(take_up(*record));
    MC_ASSIGN(const auto tokens,
              session_.nodes().read_tokens(document, {record->gist_end, record->gist_end + count}));
    IngestBatch batch;
    batch.document = *record;
    const auto keep = [&]() -> Result<void> {
        MC_ASSIGN(batch.gists, builder_->append(tokens));
        return session_.nodes().commit(batch).map([](CommitNumber) {});
    };
    if (auto kept = keep(); !kept) {
        builder_.reset();  // it is ahead of the store
        return fail(std::move(kept.error()));
    }
    session_.engine().metrics().add(telemetry::Counter::kCommits);
    session_.engine().metrics().add(telemetry::Counter::kIngestGists, batch.gists.size());
    return Step{count, batch.gists.size()};
}

Result<std::uint64_t> make_gists(BankSession& session, DocumentId document,
                                 const GistOptions& options) {
    MC_ASSIGN(const auto record, session.nodes().find_document(document));
    if (!record) return std::uint64_t{0};
    GistProgress progress{0, tokens_without_gists(*record)};
    GistMaker maker(session, options.with_statistics);
    std::uint64_t gists = 0;
    while (true) {
        MC_ASSIGN(const GistMaker::Step done, maker.step(document, kTokensPerCommit));
        if (done.tokens == 0) return gists;
        gists += done.gists;
        progress.tokens_done += done.tokens;
        if (options.progress) options.progress(progress);
        if (options.cancelled && options.cancelled->load() &&
            progress.tokens_done < progress.tokens_total)
            return fail(ErrorCode::kCancelled,
                        "interrupted; the text is stored and can be found, and megacontext gists "
                        "goes on with its gists");
    }
}

Result<std::vector<DocumentRecord>> documents_without_gists(const NodeStore& nodes) {
    MC_ASSIGN(auto documents, nodes.list_documents());
    std::erase_if(documents, [](const auto& one) { return tokens_without_gists(one) == 0; });
    return documents;
}

}  // namespace mc::runtime
