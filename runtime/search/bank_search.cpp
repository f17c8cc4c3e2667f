// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/bank_search.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/utf8.h"
#include "runtime/search/passage_cutter.h"

namespace mc::runtime {
namespace {

// Passages embedded and added at once: bounds memory, and fills the embedder's batches.
constexpr std::size_t kPassagesAtOnce = 512;

// Tokens cut at once; more than a passage can have, so that each stretch ends at least one.
constexpr std::uint64_t kTokensAtOnce = 16384;
static_assert(kTokensAtOnce > 2 * kPassageTokensMax);

// Whether an index that cannot be opened is made anew: for a reader in memory, whatever ails the
// file, because a full disk or a file of somebody else's stops nobody from reading the store.
bool is_done_without(ErrorCode code, bool writable) {
    const bool is_in_the_way = code == ErrorCode::kOutOfSpace || code == ErrorCode::kIo ||
                               code == ErrorCode::kInvalidInput;
    return code == ErrorCode::kStaleIndex || (!writable && is_in_the_way);
}

}  // namespace

Result<std::unique_ptr<BankSearch>> BankSearch::open(const BankText& text, storage::Store& store,
                                                     TextEmbedder* embedder,
                                                     const IndexProgress& progress) {
    std::unique_ptr<BankSearch> search(new BankSearch(text, store, embedder));
    MC_TRY(search->open_index());
    MC_ASSIGN(search->opening_report_, search->catch_up(progress));
    return search;
}

Result<void> BankSearch::open_index() {
    const std::string& bank = text_.nodes().bank().name;
    const auto info = [this] { return embedder_ ? embedder_->info() : TextEmbedderInfo(); };
    auto index = store_.open_passage_index(bank, info());
    if (!index && is_done_without(index.error().code(), store_.writable())) {
        report_.rebuilt = true;
        if (!store_.writable()) embedder_ = nullptr;
        index = store_.open_passage_index(bank, info(), storage::IndexOpening::kRebuild);
    }
    if (!index) return fail(std::move(index.error()));
    index_ = std::move(*index);
    return {};
}

Result<CatchUpReport> BankSearch::catch_up(const IndexProgress& progress) {
    const auto done = add_what_is_missing(progress);
    if (done) return std::exchange(report_, {});
    // Half of a catch-up is as good as none: the next one starts where the last save left it.
    pending_.clear();
    report_ = {};
    static_cast<void>(index_->revert());
    return fail(done.error());
}

Result<void> BankSearch::add_what_is_missing(const IndexProgress& progress) {
    MC_ASSIGN(const CommitNumber last, text_.nodes().last_commit());
    // An index ahead of the store belongs to a store that was put back from a copy: start over.
    if (index_->watermark() > last) {
        MC_TRY(index_->clear());
        report_.rebuilt = true;
    }
    if (index_->watermark() == last) return {};
    MC_ASSIGN(const auto entries, text_.nodes().journal_after(index_->watermark()));
    std::set<DocumentId> grown;
    std::uint64_t total = 0;
    for (const JournalEntry& entry : entries) {
        grown.insert(entry.document);
        total += entry.tokens.count();
    }
    std::uint64_t done = 0;
    for (const DocumentId id : grown) {
        MC_ASSIGN(const auto document, text_.nodes().find_document(id));
        if (!document) continue;  // forgotten
        MC_TRY_CONTEXT(add_document(*document), "indexing " + document->source_name);
        done = std::min(total, done + document->token_count);
        if (progress) progress(done, total);
    }
    MC_TRY(flush());
    return index_->save(last);
}

// The index wants to know what it was given.
Result<void> BankSearch::remove(std::span<const Passage> passages) {
    std::vector<PassageText> texts;
    for (const Passage& passage : passages) {
        MC_ASSIGN(const std::string text, text_.read_text(passage.document, passage.tokens));
        texts.push_back({passage, to_valid_utf8(text)});
    }
    return index_->remove(texts);
}

Result<void> BankSearch::remove_document(const DocumentRecord& document) {
    if (document.token_count == 0) return {};
    MC_ASSIGN(const auto passages, index_->passages_in(document.id, {0, document.token_count}));
    for (std::size_t at = 0; at < passages.size(); at += kPassagesAtOnce) {
        const std::size_t count = std::min(kPassagesAtOnce, passages.size() - at);
        MC_TRY(remove(std::span(passages).subspan(at, count)));
    }
    return index_->save(index_->watermark());
}

Result<void> BankSearch::add_document(const DocumentRecord& document) {
    MC_ASSIGN(const auto last, index_->last_passage(document.id));
    std::uint64_t begin = 0;
    if (last) {
        if (last->tokens.end == document.token_count) return {};
        MC_TRY(remove(std::span(&*last, 1)));  // it may have grown too
        begin = last->tokens.begin;
    }
    while (begin < document.token_count) {
        const TokenSpan stretch{begin, std::min(begin + kTokensAtOnce, document.token_count)};
        MC_ASSIGN(const auto tokens, text_.nodes().read_tokens(document.id, stretch));
        std::vector<PassageText> passages =
            cut_passages(text_.tokenizer(), document, stretch.begin, tokens);
        begin = stretch.end;
        if (stretch.end < document.token_count) {
            begin = passages.back().passage.tokens.begin;
            passages.pop_back();
        }
        std::ranges::move(passages, std::back_inserter(pending_));
        if (pending_.size() >= kPassagesAtOnce) MC_TRY(flush());
    }
    return {};
}

Result<void> BankSearch::flush() {
    const auto passages = std::exchange(pending_, {});
    if (passages.empty()) return {};
    std::vector<float> vectors;
    if (index_->vector_dim() > 0) {
        std::vector<std::string> texts;
        for (const PassageText& one : passages) texts.push_back(one.text);
        MC_ASSIGN(vectors, embedder_->embed(texts));
    }
    MC_TRY(index_->add(passages, vectors));
    report_.passages_added += passages.size();
    return {};
}

Result<PassageHits> BankSearch::find(const std::string& question, std::size_t count,
                                     std::span<const DocumentId> documents) const {
    PassageHits hits;
    MC_ASSIGN(hits.by_words, index_->search_words(question, count, documents));
    MC_TRY(leave_out_forgotten(hits.by_words));
    if (index_->vector_dim() == 0 || index_->size() == 0) return hits;
    MC_ASSIGN(const auto query, embedder_->embed(std::span(&question, 1)));
    MC_ASSIGN(hits.by_vectors, index_->search_vectors(query, count, documents));
    MC_TRY(leave_out_forgotten(hits.by_vectors));
    return hits;
}

// An index that was put back from a copy, or one that another process writes, may name them.
Result<void> BankSearch::leave_out_forgotten(std::vector<PassageHit>& hits) const {
    std::map<DocumentId, bool> is_there;
    for (const PassageHit& hit : hits) {
        const DocumentId id = hit.passage.document;
        if (is_there.contains(id)) continue;
        MC_ASSIGN(const auto document, text_.nodes().find_document(id));
        is_there[id] = document.has_value();
    }
    std::erase_if(hits, [&](const auto& hit) { return !is_there[hit.passage.document]; });
    return {};
}

}  // namespace mc::runtime
