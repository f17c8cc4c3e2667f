// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/bank_search.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/span_math.h"
#include "core/utf8.h"
#include "runtime/search/passage_cutter.h"

namespace mc::runtime {
namespace {

// Passages embedded and added at once: bounds memory, and fills the embedder's batches.
constexpr std::size_t kPassagesAtOnce = 512;

// Tokens cut at once; more than a passage can have, so that each stretch ends at least one.
constexpr std::uint64_t kTokensAtOnce = 16384;
static_assert(kTokensAtOnce > 2 * kPassageTokensMax);

// A reader catches up while a writer may forget what is being read, and save the index that is
// being added to. Its first change copies the index, which stands still from then on.
constexpr int kReaderTriesMax = 4;

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
    for (int tries_left = store_.writable() ? 0 : kReaderTriesMax - 1;; --tries_left) {
        const auto done = add_what_is_missing(progress);
        if (done) return std::exchange(report_, {});
        // Half of a catch-up is as good as none: the next one starts where the last save left it.
        pending_.clear();
        report_ = {};
        static_cast<void>(index_->revert());
        if (tries_left <= 0) return fail(done.error());
    }
}

Result<void> BankSearch::add_what_is_missing(const IndexProgress& progress) {
    // In this order: beside a writer, both move on between one look and the next.
    CommitNumber held = index_->watermark();
    MC_ASSIGN(const CommitNumber last, text_.nodes().last_commit());
    // An index ahead of the store belongs to a store that was put back from a copy: start over.
    if (held > last) {
        MC_TRY(index_->clear());
        held = index_->watermark();
        report_.rebuilt = true;
    }
    if (held == last) return {};
    MC_ASSIGN(const auto entries, text_.nodes().journal_after(held));
    std::set<DocumentId> grown;
    std::uint64_t total = 0;
    for (const JournalEntry& entry : entries) {
        grown.insert(entry.document);
        total += entry.tokens.count();
    }
    std::uint64_t done = 0;
    for (const DocumentId id : grown) {
        MC_ASSIGN(const auto document, text_.nodes().find_document(id));
        if (!document) {  // forgotten, or superseded
            MC_ASSIGN(const auto version, text_.nodes().find_version(id));
            if (version) MC_TRY(take_out(*version));
            continue;
        }
        MC_TRY_CONTEXT(add_document(*document), "indexing " + document->source_name);
        done = std::min(total, done + document->token_count);
        if (progress) progress(done, total);
    }
    MC_TRY(flush());
    MC_TRY(fill_gaps(entries));
    return index_->save(last);
}

// What the journal names and no passage covers: what remove_parts() took out and is not all blank.
Result<void> BankSearch::fill_gaps(std::span<const JournalEntry> entries) {
    for (const JournalEntry& entry : entries) {
        if (entry.tokens.begin == entry.tokens.end) continue;
        MC_ASSIGN(const auto covered, index_->passages_in(entry.document, entry.tokens));
        if (!covered.empty()) continue;
        MC_ASSIGN(const auto document, text_.nodes().find_document(entry.document));
        if (!document) continue;  // forgotten, or superseded
        MC_ASSIGN(const auto tokens, text_.nodes().read_tokens(entry.document, entry.tokens));
        pending_ = cut_passages(text_.tokenizer(), *document, entry.tokens.begin, tokens);
        MC_TRY(flush());
    }
    return {};
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
    MC_TRY(take_out(document));
    return index_->save(index_->watermark());
}

Result<void> BankSearch::take_out(const DocumentRecord& document) {
    if (document.token_count == 0) return {};
    MC_ASSIGN(const auto passages, index_->passages_in(document.id, {0, document.token_count}));
    for (std::size_t at = 0; at < passages.size(); at += kPassagesAtOnce) {
        const std::size_t count = std::min(kPassagesAtOnce, passages.size() - at);
        MC_TRY(remove(std::span(passages).subspan(at, count)));
    }
    return {};
}

// Between the passages next to a part of which the index holds none. Blank tokens are in no
// passage, so it may begin or end among them.
Result<TokenSpan> BankSearch::gap_around(const DocumentRecord& document, TokenSpan part) const {
    TokenSpan gap{part.begin - std::min(part.begin, kPassageTokensMax),
                  std::min(part.end + kPassageTokensMax, document.token_count)};
    MC_ASSIGN(const auto before, index_->passages_in(document.id, {gap.begin, part.begin}));
    if (!before.empty()) gap.begin = before.back().tokens.end;
    MC_ASSIGN(const auto after, index_->passages_in(document.id, {part.end, gap.end}));
    if (!after.empty()) gap.end = after.front().tokens.begin;
    return gap;
}

Result<std::vector<TokenSpan>> BankSearch::remove_parts(const DocumentRecord& document,
                                                        std::span<const TokenSpan> parts) {
    for (const TokenSpan part : parts) {
        MC_ASSIGN(const auto passages, index_->passages_in(document.id, part));
        if (!passages.empty()) MC_TRY(remove(passages));
    }
    MC_TRY(index_->save(index_->watermark()));
    std::vector<TokenSpan> gaps;
    for (const TokenSpan part : parts) {
        MC_ASSIGN(const TokenSpan gap, gap_around(document, part));
        if (gaps.empty() || gap.begin >= gaps.back().end)
            gaps.push_back(gap);
        else
            gaps.back().end = std::max(gaps.back().end, gap.end);
    }
    return gaps;
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
        // The last one may go on, unless blank tokens end it.
        if (stretch.end < document.token_count && !passages.empty() &&
            stretch.end - passages.back().passage.tokens.end < kBlockSize) {
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
        MC_ASSIGN(vectors, vectors_of(passages));
    }
    MC_TRY(index_->add(passages, vectors));
    report_.passages_added += passages.size();
    return {};
}

Result<std::vector<float>> BankSearch::vectors_of(std::span<const PassageText> passages) const {
    std::vector<std::string> missing;
    for (const PassageText& one : passages)
        if (!kept_vectors_.contains(one.text)) missing.push_back(one.text);
    MC_ASSIGN(auto made, embedder_->embed(missing));
    if (missing.size() == passages.size()) return made;
    std::vector<float> vectors;
    auto next = made.begin();
    const auto dim = static_cast<std::ptrdiff_t>(index_->vector_dim());
    for (const PassageText& one : passages) {
        const auto kept = kept_vectors_.find(one.text);
        if (kept != kept_vectors_.end()) {
            vectors.insert(vectors.end(), kept->second.begin(), kept->second.end());
        } else {
            vectors.insert(vectors.end(), next, next + dim);
            next += dim;
        }
    }
    return vectors;
}

Result<void> BankSearch::keep_vectors(const DocumentRecord& document) {
    const std::size_t dim = index_->vector_dim();
    if (dim == 0 || document.token_count == 0) return {};
    MC_ASSIGN(const auto passages, index_->passages_in(document.id, {0, document.token_count}));
    for (std::size_t at = 0; at < passages.size(); at += kPassagesAtOnce) {
        const auto some =
            std::span(passages).subspan(at, std::min(kPassagesAtOnce, passages.size() - at));
        MC_ASSIGN(const auto vectors, index_->vectors_of(some));
        for (std::size_t i = 0; i < some.size(); ++i) {
            MC_ASSIGN(const std::string text, text_.read_text(document.id, some[i].tokens));
            const auto vector = std::span(vectors).subspan(i * dim, dim);
            kept_vectors_.insert_or_assign(to_valid_utf8(text),
                                           std::vector(vector.begin(), vector.end()));
        }
    }
    return {};
}

Result<void> BankSearch::show_versions(std::span<const DocumentRecord> versions,
                                       std::span<const DocumentRecord> shortened) {
    const auto show = [this](const DocumentRecord& document, Result<void> done) -> Result<void> {
        forget_vectors();
        if (done) return {};
        hide_versions();
        return fail(
            std::move(done.error()).add_context("looking at an earlier " + document.source_name));
    };
    for (const DocumentRecord& version : versions) MC_TRY(show(version, add_version(version)));
    for (const DocumentRecord& document : shortened)
        if (!is_superseded(document)) MC_TRY(show(document, end_passages_with(document)));
    return {};
}

// Most of what a document said before it says still.
Result<void> BankSearch::add_version(const DocumentRecord& version) {
    MC_ASSIGN(const auto standing, text_.nodes().find_document_by_source(version.source_name));
    if (standing) MC_TRY(keep_vectors(*standing));
    shown_versions_.insert(version.id);
    shows_then_ = true;
    MC_TRY(add_document(version));
    return flush();
}

// What was added to a document changed its last passage of then alone.
Result<void> BankSearch::end_passages_with(const DocumentRecord& document) {
    const std::uint64_t end = document.token_count;
    if (end == 0) return {};
    MC_ASSIGN(const auto last, index_->passages_in(document.id, {end - 1, end}));
    if (last.empty() || last.back().tokens.end <= end) return {};
    const std::uint64_t begin = last.back().tokens.begin;
    shows_then_ = true;
    MC_TRY(remove(std::span(&last.back(), 1)));
    MC_ASSIGN(const auto tokens, text_.nodes().read_tokens(document.id, {begin, end}));
    pending_ = cut_passages(text_.tokenizer(), document, begin, tokens);
    return flush();
}

void BankSearch::hide_versions() {
    if (!shows_then_) return;
    shows_then_ = false;
    pending_.clear();
    shown_versions_.clear();
    report_ = {};
    static_cast<void>(index_->revert());
}

Result<PassageHits> BankSearch::find(const std::string& question, std::size_t count,
                                     std::span<const PassageRange> ranges) const {
    PassageHits hits;
    MC_ASSIGN(hits.by_words, index_->search_words(question, count, ranges));
    MC_TRY(leave_out_forgotten(hits.by_words));
    if (index_->vector_dim() == 0 || index_->size() == 0) return hits;
    MC_ASSIGN(const auto query, embedder_->embed(std::span(&question, 1)));
    MC_ASSIGN(hits.by_vectors, index_->search_vectors(query, count, ranges));
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
        is_there[id] = document.has_value() || shown_versions_.contains(id);
    }
    std::erase_if(hits, [&](const auto& hit) { return !is_there[hit.passage.document]; });
    return {};
}

}  // namespace mc::runtime
