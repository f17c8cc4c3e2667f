// SPDX-License-Identifier: Apache-2.0
#include "storage/index/passage_words.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "text/terms.h"

namespace mc::storage {

// Contentless and without positions: a passage's text is in the store as tokens, its length is in
// its key, and a phrase is a term of its own (text/terms.h).
const char* const kWordsSchema =
    "CREATE VIRTUAL TABLE words USING"
    " fts5(terms, content='', detail='none', columnsize=0, tokenize='ascii');"
    "CREATE TABLE frequencies(term TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID;";

namespace {

// BM25's k1 and b, for words that a passage holds once.
constexpr double kSaturation = 1.2;
constexpr double kLengthShare = 0.5;

// Rows beside the ranges that are passed over before the next range is asked for by itself, and how
// often that is done: asking costs what passing over some hundred rows does.
constexpr std::size_t kMissesMax = 64;
constexpr std::size_t kAskedAnewMax = 32;

// Frequent terms that are looked up among the candidates; each costs as much as finding those.
constexpr std::size_t kLookUpsMax = 4;
constexpr double kLookUpShareMin = 0.02;  // of the question's weight: less changes no ranking

constexpr std::int64_t kKeyMax = INT64_MAX;

using TermCounts = std::map<std::string, std::int64_t>;

std::string joined_terms(std::string_view text, TermCounts& counts) {
    std::string joined;
    for (const std::string& term : text::text_terms(text)) {
        joined += (joined.empty() ? "" : " ") + term;
        ++counts[term];
    }
    return joined;
}

Result<void> add_counts(SqliteConnection& connection, const TermCounts& counts) {
    MC_ASSIGN(auto upsert,
              connection.prepare("INSERT INTO frequencies(term, passages) VALUES(?1, ?2) "
                                 "ON CONFLICT(term) DO UPDATE SET passages = passages + ?2"));
    for (const auto& [term, count] : counts) {
        upsert.bind(1, term);
        upsert.bind(2, count);
        MC_TRY(upsert.run());
    }
    return {};
}

Result<void> subtract_counts(SqliteConnection& connection, const TermCounts& counts) {
    MC_ASSIGN(auto update, connection.prepare("UPDATE frequencies SET passages = passages - ?2 "
                                              "WHERE term = ?1"));
    MC_ASSIGN(auto removal, connection.prepare("DELETE FROM frequencies "
                                               "WHERE term = ?1 AND passages <= 0"));
    for (const auto& [term, count] : counts) {
        update.bind(1, term);
        update.bind(2, count);
        MC_TRY(update.run());
        removal.bind(1, term);
        MC_TRY(removal.run());
    }
    return {};
}

struct WeighedTerm {
    std::string expression;  // of FTS5: quoted, so that no character of it is an operator
    std::uint64_t passages = 0;
    double weight = 0;
};

double rarity(std::uint64_t with_term, std::uint64_t passages) {
    const auto n = static_cast<double>(std::max(passages, with_term));
    const auto df = static_cast<double>(with_term);
    return std::log1p((n - df + 0.5) / (df + 0.5));
}

std::string quoted(const text::QuestionTerm& term) {
    return "\"" + term.text + (term.prefix ? "\" *" : "\"");
}

class WordSearch {
  public:
    WordSearch(const SqliteConnection& connection, std::span<const KeyRange> ranges,
               const CollectionSize& size)
        : connection_(connection), ranges_(ranges), size_(size) {}

    Result<std::vector<KeyScore>> run(std::string_view question, std::size_t count) {
        MC_TRY(weigh(question));
        if (terms_.empty() || count == 0) return std::vector<KeyScore>();
        MC_TRY(find_candidates());
        return best(count);
    }

  private:
    Result<void> weigh(std::string_view question);
    Result<std::uint64_t> frequency(const text::QuestionTerm& term) const;
    Result<void> find_candidates();
    Result<bool> collect(const std::string& expression, std::size_t rows_max,
                         std::vector<std::int64_t>& keys) const;
    Result<void> find_common_candidates();
    Result<void> look_up(const WeighedTerm& term, const std::string& candidates);
    std::vector<KeyScore> best(std::size_t count) const;

    const SqliteConnection& connection_;
    std::span<const KeyRange> ranges_;
    CollectionSize size_;
    std::vector<WeighedTerm> terms_;  // that some passage holds, weightiest first
    double weight_ = 0;               // of the whole question
    std::unordered_map<std::int64_t, double> found_;
};

Result<std::uint64_t> WordSearch::frequency(const text::QuestionTerm& term) const {
    MC_ASSIGN(auto lookup,
              connection_.prepare(term.prefix ? "SELECT sum(passages) FROM frequencies "
                                                "WHERE term >= ?1 AND term < ?2"
                                              : "SELECT passages FROM frequencies "
                                                "WHERE term = ?1"));
    lookup.bind(1, term.text);
    const std::string after = term.text + "\xf4\x90";  // beyond every character
    if (term.prefix) lookup.bind(2, after);
    MC_ASSIGN(const bool row, lookup.step());
    return row ? static_cast<std::uint64_t>(std::max<std::int64_t>(lookup.integer(0), 0)) : 0U;
}

Result<void> WordSearch::weigh(std::string_view question) {
    for (const text::QuestionTerm& term : text::question_terms(question)) {
        MC_ASSIGN(const std::uint64_t passages, frequency(term));
        const double weight = double{term.weight} * rarity(passages, size_.passages);
        weight_ += weight;
        if (passages > 0) terms_.push_back({quoted(term), passages, weight});
    }
    std::stable_sort(terms_.begin(), terms_.end(),
                     [](const auto& a, const auto& b) { return a.weight > b.weight; });
    if (terms_.size() > kQuestionTermsMax) terms_.resize(kQuestionTermsMax);
    return {};
}

// Appends at most rows_max keys that match, the newest first; false: there are more. Rows beside
// the ranges take no room, however many they are: what is looked for may be among the oldest.
Result<bool> WordSearch::collect(const std::string& expression, std::size_t rows_max,
                                 std::vector<std::int64_t>& keys) const {
    const KeyRange everywhere{0, kKeyMax};
    const std::span<const KeyRange> ranges = ranges_.empty() ? std::span(&everywhere, 1) : ranges_;
    MC_ASSIGN(auto query, connection_.prepare("SELECT rowid FROM words WHERE words MATCH ?1 AND "
                                              "rowid BETWEEN ?2 AND ?3 ORDER BY rowid DESC"));
    const auto ask_up_to = [&](std::int64_t last) {
        query.reset();
        query.bind(1, expression);
        query.bind(2, ranges.front().first);
        query.bind(3, last);
    };
    ask_up_to(ranges.back().last);
    std::size_t at = ranges.size() - 1;
    std::size_t rows = 0;
    std::size_t misses = 0;
    std::size_t asked_anew = 0;
    for (;;) {
        MC_ASSIGN(const bool row, query.step());
        if (!row) return true;
        const std::int64_t key = query.integer(0);
        while (key < ranges[at].first) --at;  // none lies below the first range
        if (key <= ranges[at].last) {
            if (rows++ == rows_max) return false;
            keys.push_back(key);
            misses = 0;
        } else if (++misses > kMissesMax && asked_anew < kAskedAnewMax) {
            ask_up_to(ranges[at].last);
            misses = 0;
            ++asked_anew;
        }
    }
}

Result<void> WordSearch::find_candidates() {
    std::size_t room = kCandidatesMax;
    std::string candidates;
    std::vector<const WeighedTerm*> common;
    for (const WeighedTerm& term : terms_) {
        std::vector<std::int64_t> keys;
        bool all = false;
        if (ranges_.empty() ? term.passages <= room : room > 0) {
            MC_ASSIGN(all, collect(term.expression, room, keys));
        }
        if (!all) {
            if (term.weight >= kLookUpShareMin * weight_) common.push_back(&term);
            continue;
        }
        room -= std::min(room, keys.size());
        candidates += (candidates.empty() ? "" : " OR ") + term.expression;
        for (const std::int64_t key : keys) found_[key] += term.weight;
    }
    if (found_.empty()) return find_common_candidates();
    if (common.size() > kLookUpsMax) common.resize(kLookUpsMax);
    for (const WeighedTerm* term : common) MC_TRY(look_up(*term, candidates));
    return {};
}

// Adds a frequent term's weight to the candidates that hold it.
Result<void> WordSearch::look_up(const WeighedTerm& term, const std::string& candidates) {
    std::vector<std::int64_t> keys;
    MC_TRY(collect("(" + candidates + ") AND " + term.expression, 2 * kCandidatesMax, keys));
    for (const std::int64_t key : keys) {
        const auto at = found_.find(key);
        if (at != found_.end()) at->second += term.weight;
    }
    return {};
}

// Every term is frequent: the passages that hold the weightiest together, as many of them as leave
// any, and of the last that were written.
Result<void> WordSearch::find_common_candidates() {
    std::string together = terms_.front().expression;
    std::vector<std::int64_t> keys;
    MC_TRY(collect(together, kCandidatesMax, keys));
    double weight = terms_.front().weight;
    for (std::size_t i = 1; i < terms_.size(); ++i) {
        const std::string both = "(" + together + ") AND " + terms_[i].expression;
        std::vector<std::int64_t> holding;
        MC_TRY(collect(both, kCandidatesMax, holding));
        if (holding.empty()) continue;
        together = both;
        weight += terms_[i].weight;
        keys = std::move(holding);
    }
    for (const std::int64_t key : keys) found_[key] = weight;
    return {};
}

std::vector<KeyScore> WordSearch::best(std::size_t count) const {
    struct Ranked {
        std::int64_t key;
        double score;
        double length_factor;
    };

    const double mean = std::max(
        1.0, static_cast<double>(size_.tokens) / std::max<double>(1, double(size_.passages)));
    std::vector<Ranked> ranked;
    ranked.reserve(found_.size());
    for (const auto& [key, weight] : found_) {
        const double length = static_cast<double>(key_token_count(key)) / mean;
        const double factor =
            (1 + kSaturation) / (1 + kSaturation * (1 - kLengthShare + kLengthShare * length));
        ranked.push_back({key, weight / weight_ * std::min(1.0, factor), factor});
    }
    const auto better = [](const Ranked& a, const Ranked& b) {
        if (a.score != b.score) return a.score > b.score;
        if (a.length_factor != b.length_factor) return a.length_factor > b.length_factor;
        return a.key > b.key;
    };
    const std::size_t kept = std::min(count, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(kept),
                      ranked.end(), better);
    std::vector<KeyScore> hits;
    for (std::size_t i = 0; i < kept; ++i)
        hits.push_back({ranked[i].key, static_cast<float>(ranked[i].score)});
    return hits;
}

}  // namespace

Result<void> add_words(SqliteConnection& connection, std::span<const KeyText> passages) {
    MC_ASSIGN(auto insertion, connection.prepare("INSERT INTO words(rowid, terms) VALUES(?1, ?2)"));
    TermCounts counts;
    for (const KeyText& passage : passages) {
        const std::string terms = joined_terms(passage.text, counts);
        insertion.bind(1, passage.key);
        insertion.bind(2, terms);
        MC_TRY(insertion.run());
    }
    return add_counts(connection, counts);
}

Result<void> remove_words(SqliteConnection& connection, std::span<const KeyText> passages) {
    MC_ASSIGN(auto removal, connection.prepare("INSERT INTO words(words, rowid, terms) "
                                               "VALUES('delete', ?1, ?2)"));
    TermCounts counts;
    for (const KeyText& passage : passages) {
        const std::string terms = joined_terms(passage.text, counts);
        removal.bind(1, passage.key);
        removal.bind(2, terms);
        MC_TRY(removal.run());
    }
    return subtract_counts(connection, counts);
}

Result<std::vector<KeyScore>> search_words(const SqliteConnection& connection,
                                           std::string_view question, std::size_t count,
                                           std::span<const KeyRange> ranges,
                                           const CollectionSize& size) {
    return WordSearch(connection, ranges, size).run(question, count);
}

}  // namespace mc::storage
