// SPDX-License-Identifier: Apache-2.0
// Search in one bank: its passage index, kept level with the store, and the embedder of questions.
//
// The store is the truth; open() reads the journal after the index's watermark and adds what is
// missing, or rebuilds an index that cannot be used. A store opened for reading is caught up in
// memory; if its index cannot be used at all, it is rebuilt there by words alone, because vectors
// of a whole bank would keep a reader waiting. Ownership: borrows the text, the store and the
// embedder. Threads: one. Errors: the store's, the index's and the embedder's own.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/result.h"
#include "runtime/search/bank_text.h"
#include "storage/store.h"
#include "tree/passage_index.h"
#include "tree/text_embedder.h"

namespace mc::runtime {

// What catch_up() had to do.
struct CatchUpReport {
    std::size_t passages_added = 0;
    bool rebuilt = false;
};

// Tokens indexed so far and in all.
using IndexProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Hits that a question asks of each side of the index: enough for a window of a few thousand
// entries.
inline constexpr std::size_t kCandidateCount = 64;

// What both sides of the index say of one question, best first.
struct PassageHits {
    std::vector<PassageHit> by_words;
    std::vector<PassageHit> by_vectors;  // empty where the index has no vectors
};

class BankSearch {
  public:
    // embedder: null for words alone.
    static Result<std::unique_ptr<BankSearch>> open(const BankText& text, storage::Store& store,
                                                    TextEmbedder* embedder,
                                                    const IndexProgress& progress = {});

    const PassageIndex& index() const { return *index_; }

    const CatchUpReport& opening_report() const { return opening_report_; }

    // Adds whatever the store has and the index lacks, and makes it durable where the store can be
    // written. On an error the index stands at its last watermark.
    Result<CatchUpReport> catch_up(const IndexProgress& progress = {});

    // Lets find() see versions too, and of shortened documents (runtime/versions.h) no passage that
    // goes on behind their end, until hide_versions(); nothing durable changes, and catch_up() has
    // to wait. Cost: as to index the versions, but for passages that the documents have that stand
    // under their names, and a passage of each shortened document; for a reader also a copy of the
    // index, and for a writer a second reading of its vectors by the next question.
    Result<void> show_versions(std::span<const DocumentRecord> versions,
                               std::span<const DocumentRecord> shortened);
    void hide_versions();

    // Takes all passages of a document out, durably. Requires: the store has its text still.
    Result<void> remove_document(const DocumentRecord& document);

    // Remembers the vectors of a document's passages by their texts, so that catch_up() need not
    // make them again where another document has the same. Until forget_vectors(). Requires: the
    // store has its text.
    Result<void> keep_vectors(const DocumentRecord& document);

    void forget_vectors() { kept_vectors_.clear(); }

    // Takes every passage that holds a token of the parts out, durably. Gives back what of the
    // document the index lacks then, for each part: catch_up() adds what is left there once the
    // journal names it. Requires: parts are ascending, none empty; the index holds all of the
    // document; the store has its text still.
    Result<std::vector<TokenSpan>> remove_parts(const DocumentRecord& document,
                                                std::span<const TokenSpan> parts);

    // Leaves nothing in the index's file of what was taken out.
    Result<void> purge() { return index_->purge(); }

    // ranges: where to look; none: everywhere. Passages of documents that were forgotten meanwhile
    // are left out.
    Result<PassageHits> find(const std::string& question, std::size_t count,
                             std::span<const PassageRange> ranges) const;

  private:
    BankSearch(const BankText& text, storage::Store& store, TextEmbedder* embedder)
        : text_(text), store_(store), embedder_(embedder) {}

    Result<void> open_index();
    Result<void> add_what_is_missing(const IndexProgress& progress);
    Result<void> add_document(const DocumentRecord& document);
    Result<void> take_out(const DocumentRecord& document);
    Result<void> fill_gaps(std::span<const JournalEntry> entries);
    Result<TokenSpan> gap_around(const DocumentRecord& document, TokenSpan part) const;
    Result<void> remove(std::span<const Passage> passages);
    Result<void> leave_out_forgotten(std::vector<PassageHit>& hits) const;
    Result<void> add_version(const DocumentRecord& version);
    Result<void> end_passages_with(const DocumentRecord& document);
    Result<void> flush();
    // (pending texts, vector_dim()): kept ones, and the embedder's.
    Result<std::vector<float>> vectors_of(std::span<const PassageText> passages) const;

    const BankText text_;
    storage::Store& store_;
    TextEmbedder* embedder_;
    std::unique_ptr<PassageIndex> index_;
    std::vector<PassageText> pending_;  // cut, neither embedded nor added yet
    std::unordered_map<std::string, std::vector<float>> kept_vectors_;  // by text
    std::unordered_set<DocumentId> shown_versions_;
    bool shows_then_ = false;  // the index is as it was at another time
    CatchUpReport opening_report_;
    CatchUpReport report_;  // of the catch_up() that runs
};

}  // namespace mc::runtime
