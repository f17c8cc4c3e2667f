// SPDX-License-Identifier: Apache-2.0
#include "tree/tree_check.h"

#include <algorithm>
#include <cmath>

#include "core/span_math.h"

namespace mc {
namespace {

// Rounding of index vectors that were stored in 16 bits.
constexpr double kUnitLengthTolerance = 5e-3;

// Tokens read at once.
constexpr std::uint64_t kReadTokens = 65'536;

// More lines than this say nothing new about a damaged document.
constexpr std::size_t kViolationsMax = 1000;

bool is_finite_half(std::uint16_t half) {
    return (half & 0x7c00) != 0x7c00;
}

class TreeCheck {
  public:
    TreeCheck(const NodeStore& store, const DocumentRecord& record, const GistShape& shape)
        : store_(store), record_(record), shape_(shape) {}

    Result<std::vector<std::string>> run() {
        if (record_.gist_end > record_.token_count || record_.gist_end % kBlockSize != 0)
            add("gists for " + std::to_string(record_.gist_end) + " of " +
                std::to_string(record_.token_count) + " tokens");
        MC_TRY(check_tokens());
        for (Level level{1}; level < kLevelMax; ++level.value) {
            MC_TRY(check_level(level));
            if (node_count(record_.gist_end, level) == 0) break;  // nor may there be any above
        }
        MC_TRY(check_marks());
        return std::move(broken_);
    }

  private:
    void add(std::string violation) {
        if (broken_.size() < kViolationsMax) broken_.push_back(std::move(violation));
    }

    // True when a read succeeded; a corrupt record becomes a violation, other errors go up.
    template <class T>
    Result<bool> keep_going(const Result<T>& read) {
        if (read) return true;
        const ErrorCode code = read.error().code();
        if (code != ErrorCode::kCorruption && code != ErrorCode::kInvalidInput) {
            return fail(Error(read.error()));
        }
        add(read.error().to_string());
        return false;
    }

    Result<void> check_tokens() {
        for (std::uint64_t begin = 0; begin < record_.token_count; begin += kReadTokens) {
            const TokenSpan span{begin, std::min(begin + kReadTokens, record_.token_count)};
            const auto tokens = store_.read_tokens(record_.id, span);
            MC_ASSIGN(const bool was_read, keep_going(tokens));
            if (!was_read) continue;
            if (tokens->size() != span.count()) {
                add(std::to_string(tokens->size()) + " tokens where " +
                    std::to_string(span.count()) + " belong, from token " + std::to_string(begin));
            }
            if (std::any_of(tokens->begin(), tokens->end(), [](TokenId id) { return id < 0; })) {
                add("a negative token id after token " + std::to_string(begin));
            }
        }
        return {};
    }

    Result<void> check_level(Level level) {
        const std::uint64_t count = node_count(record_.gist_end, level);
        const std::uint64_t group_count = (count + kBlockSize - 1) / kBlockSize;
        for (std::uint64_t index = 0; index <= group_count; ++index) {  // one beyond: none there
            const NodeIndex parent(index);
            const std::uint64_t first = std::min(index * kBlockSize, count);
            const std::uint64_t wanted = std::min(kBlockSize, count - first);
            const auto group = store_.find_gists(record_.id, level, parent);
            MC_ASSIGN(const bool was_read, keep_going(group));
            if (was_read) check_group(level, parent, *group, wanted);
        }
        return {};
    }

    void check_group(Level level, NodeIndex parent, const std::optional<GistGroup>& group,
                     std::uint64_t wanted) {
        const NodeId above{record_.id, Level(level.value + 1), parent};
        const std::size_t found = group ? group->gists.size() : 0;
        if (found != wanted || (group && found == 0)) {
            add(std::to_string(found) + " gists below " + to_string(above) + ", " +
                std::to_string(wanted) + " expected");
        }
        if (!group) return;
        if (group->document != record_.id || group->level != level || group->parent != parent) {
            add("the gists below " + to_string(above) + " name another parent");
        }
        for (std::size_t slot = 0; slot < std::min<std::size_t>(found, kBlockSize); ++slot) {
            const std::string wrong = gist_violation(group->gists[slot]);
            if (!wrong.empty()) add(to_string(child_of(above, slot)) + " " + wrong);
        }
    }

    std::string gist_violation(const Gist& gist) const {
        if (gist.kv.size() != shape_.kv_count()) return "has keys and values of another shape";
        if (!std::all_of(gist.kv.begin(), gist.kv.end(), is_finite_half)) {
            return "has a key or value that is not finite";
        }
        if (gist.index_vector.size() != shape_.index_dim) {
            return "has an index vector of another width";
        }
        double square = 0;
        for (const float x : gist.index_vector) square += double{x} * double{x};
        const bool is_unit = std::abs(std::sqrt(square) - 1) < kUnitLengthTolerance;
        if (!is_unit && shape_.index_dim > 0) {
            return "has an index vector that is not of unit length";
        }
        for (const float value : {gist.statistics.mean_nll, gist.statistics.mean_entropy}) {
            const bool is_valid = std::isnan(value) || (std::isfinite(value) && value >= 0);
            if (!is_valid) return "has statistics out of range";
        }
        return "";
    }

    Result<void> check_marks() {
        TokenByteMark last;
        for (std::uint64_t begin = 0; begin < record_.token_count; begin += kTokenMarkStride) {
            // The last token of each stride is the farthest from its mark.
            const std::uint64_t token = std::min(begin + kTokenMarkStride, record_.token_count) - 1;
            const auto mark = store_.mark_before_token(record_.id, token);
            MC_ASSIGN(const bool was_read, keep_going(mark));
            if (!was_read) continue;
            if (mark->token > token || token - mark->token > kTokenMarkStride) {
                add("no byte mark within a stride before token " + std::to_string(token));
            }
            const bool is_in_order = mark->token >= last.token && mark->byte >= last.byte &&
                                     mark->byte <= record_.byte_count;
            if (!is_in_order) add("byte marks out of order at token " + std::to_string(token));
            last = *mark;
        }
        return {};
    }

    const NodeStore& store_;
    const DocumentRecord& record_;
    const GistShape& shape_;
    std::vector<std::string> broken_;
};

// Every document's tokens, commit by commit.
class JournalCheck {
  public:
    JournalCheck(const std::vector<DocumentRecord>& documents,
                 const std::vector<Tombstone>& tombstones)
        : tombstones_(tombstones) {
        for (const DocumentRecord& document : documents)
            documents_.push_back({document.id, document.token_count, 0});
    }

    std::vector<std::string> run(const std::vector<JournalEntry>& journal) {
        CommitNumber last;
        for (const JournalEntry& entry : journal) {
            if (entry.commit <= last)
                add("journal out of order at commit " + std::to_string(entry.commit.value));
            last = entry.commit;
            check_entry(entry);
        }
        for (const Coverage& one : documents_)
            if (one.covered != one.token_count)
                add("the journal covers " + std::to_string(one.covered) + " of " +
                    std::to_string(one.token_count) + " tokens of document " +
                    std::to_string(one.document.value));
        return std::move(broken_);
    }

  private:
    struct Coverage {
        DocumentId document;
        std::uint64_t token_count = 0;
        std::uint64_t covered = 0;
    };

    void add(std::string violation) {
        if (broken_.size() < kViolationsMax) broken_.push_back(std::move(violation));
    }

    void check_entry(const JournalEntry& entry) {
        const std::string where = "document " + std::to_string(entry.document.value) +
                                  " in commit " + std::to_string(entry.commit.value);
        const auto one = std::lower_bound(
            documents_.begin(), documents_.end(), entry.document,
            [](const Coverage& at, DocumentId document) { return at.document < document; });
        if (one == documents_.end() || one->document != entry.document) {
            if (std::ranges::binary_search(tombstones_, entry.document, {}, &Tombstone::document))
                return;
            add("the journal names " + where + ", which is not there");
            return;
        }
        if (entry.tokens.begin < entry.tokens.end && entry.tokens.end <= one->covered)
            return;  // some of what was there became blank
        if (entry.tokens.begin != one->covered || entry.tokens.end < entry.tokens.begin)
            add("the journal does not continue at token " + std::to_string(one->covered) + " of " +
                where);
        one->covered = entry.tokens.end;
    }

    const std::vector<Tombstone>& tombstones_;  // in order of id
    std::vector<Coverage> documents_;           // in order of id
    std::vector<std::string> broken_;
};

}  // namespace

Result<std::vector<std::string>> tree_violations(const NodeStore& store, DocumentId document,
                                                 const GistShape& shape) {
    MC_ASSIGN(const auto record, find_any_version(store, document));
    if (!record) {
        return fail(ErrorCode::kInvalidInput, "bank " + store.bank().name + " has no document " +
                                                  std::to_string(document.value));
    }
    return TreeCheck(store, *record, shape).run();
}

Result<std::vector<std::string>> journal_violations(const NodeStore& store) {
    MC_ASSIGN(auto documents, store.list_documents());
    MC_ASSIGN(const auto versions, store.list_versions());
    documents.insert(documents.end(), versions.begin(), versions.end());
    std::ranges::sort(documents, {}, &DocumentRecord::id);
    const auto journal = store.journal_after(CommitNumber(0));
    if (!journal && journal.error().code() == ErrorCode::kCorruption)
        return std::vector<std::string>{journal.error().to_string()};
    if (!journal) return fail(journal.error());
    MC_ASSIGN(const auto tombstones, store.tombstones());
    return JournalCheck(documents, tombstones).run(*journal);
}

Result<void> check_tree(const NodeStore& store, DocumentId document, const GistShape& shape) {
    MC_ASSIGN(const std::vector<std::string> broken, tree_violations(store, document, shape));
    if (broken.empty()) return {};
    return fail(ErrorCode::kCorruption, "document " + std::to_string(document.value) + " breaks " +
                                            std::to_string(broken.size()) +
                                            " laws; the first: " + broken.front());
}

}  // namespace mc
