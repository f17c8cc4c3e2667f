// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/evidence.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/span_math.h"
#include "core/utf8.h"

namespace mc::runtime {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\f\v";

// First words of an English sentence that say nothing without the sentence before it.
constexpr std::string_view kLeaningWords[] = {
    "he",    "she",  "it",    "they", "him",   "her",     "his",     "its",
    "their", "this", "these", "that", "those", "there",   "then",    "such",
    "so",    "thus", "hence", "both", "also",  "however", "instead", "otherwise"};

std::string rank_text(std::size_t rank, const char* name) {
    return rank == 0 ? "" : std::string(name) + " rank " + std::to_string(rank);
}

std::string found_by(const RankedPassage& ranked) {
    if (!ranked.lead.empty()) return "tells of " + ranked.lead + ", whom another passage names";
    std::string why = rank_text(ranked.words_rank, "words");
    const std::string vectors = rank_text(ranked.vectors_rank, "vectors");
    if (!why.empty() && !vectors.empty()) why += ", ";
    return why + vectors;
}

std::string explain(const RankedPassage& ranked) {
    if (!ranked.gain) return found_by(ranked);
    char gain[48];
    std::snprintf(gain, sizeof gain, "expected gain %+.2f nats", *ranked.gain);
    return gain + (ranked.gain_parts.empty() ? "" : " (" + ranked.gain_parts + ")") + "; " +
           found_by(ranked);
}

bool leans_on_what_precedes(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n\"'([*_-"), text.size());
    std::string word;
    for (std::size_t at = begin; at < text.size(); ++at) {
        const auto c = static_cast<unsigned char>(text[at]);
        const bool upper = c >= 'A' && c <= 'Z';
        if (!upper && (c < 'a' || c > 'z')) break;
        word += static_cast<char>(upper ? c + ('a' - 'A') : c);
    }
    return std::ranges::find(kLeaningWords, word) != std::end(kLeaningWords);
}

// The passage right before one, in the same paragraph; none where there is no room for it.
Result<std::optional<Passage>> passage_before(const BankText& text, const PassageIndex& index,
                                              const Passage& passage) {
    const std::uint64_t begin = passage.tokens.begin;
    if (begin == 0) return std::optional<Passage>();
    MC_ASSIGN(const auto found, index.passages_in(passage.document, {begin - 1, begin}));
    if (found.empty()) return std::optional<Passage>();
    const Passage before = found.front();
    if (passage.tokens.end - before.tokens.begin > kEvidenceTokensMax)
        return std::optional<Passage>();
    MC_ASSIGN(const std::string words, text.read_text(before.document, before.tokens));
    const std::size_t end = words.find_last_not_of(kWhiteSpace);
    const std::string_view gap = std::string_view(words).substr(end + 1);
    if (std::ranges::count(gap, '\n') > 1) return std::optional<Passage>();
    return std::optional<Passage>(before);
}

Result<TokenSpan> widened(const BankText& text, const PassageIndex& index, const Passage& passage) {
    MC_ASSIGN(const std::string words, text.read_text(passage.document, passage.tokens));
    if (!leans_on_what_precedes(words)) return passage.tokens;
    MC_ASSIGN(const auto before, passage_before(text, index, passage));
    if (!before) return passage.tokens;
    return TokenSpan{before->tokens.begin, passage.tokens.end};
}

bool belong_together(const Stretch& a, const Stretch& b) {
    if (a.document != b.document) return false;
    const TokenSpan both{std::min(a.tokens.begin, b.tokens.begin),
                         std::max(a.tokens.end, b.tokens.end)};
    const std::uint64_t apart = a.tokens.count() + b.tokens.count();
    return both.count() < apart || (both.count() == apart && apart <= kEvidenceTokensMax);
}

// Joins a stretch with those that it touches, at the place and for the reasons of the best of them.
void join(std::vector<Stretch>& stretches, Stretch added) {
    std::size_t place = stretches.size();
    for (std::size_t i = 0; i < stretches.size();) {
        if (!belong_together(stretches[i], added)) {
            ++i;
            continue;
        }
        Stretch& known = stretches[i];
        known.tokens = {std::min(known.tokens.begin, added.tokens.begin),
                        std::max(known.tokens.end, added.tokens.end)};
        if (i < place)
            added = std::move(known);
        else
            added.tokens = known.tokens;
        place = std::min(place, i);
        stretches.erase(stretches.begin() + static_cast<std::ptrdiff_t>(i));
        i = 0;  // the longer stretch may touch one that was passed over
    }
    place = std::min(place, stretches.size());
    stretches.insert(stretches.begin() + static_cast<std::ptrdiff_t>(place), std::move(added));
}

}  // namespace

Result<std::vector<Stretch>> stretches_of(const BankText& text, const PassageIndex& index,
                                          std::span<const RankedPassage> ranking,
                                          std::size_t count) {
    return stretches_of([&](DocumentId) { return PassageHome{text, index}; }, ranking, count);
}

Result<std::vector<Stretch>> stretches_of(const HomeOf& home_of,
                                          std::span<const RankedPassage> ranking,
                                          std::size_t count) {
    std::vector<Stretch> stretches;
    for (const RankedPassage& ranked : ranking.first(std::min(count, ranking.size()))) {
        const PassageHome home = home_of(ranked.passage.document);
        MC_ASSIGN(const TokenSpan tokens, widened(home.text, home.index, ranked.passage));
        join(stretches, {ranked.passage.document, tokens, ranked.score, explain(ranked)});
    }
    return stretches;
}

Result<std::vector<Stretch>> stretches_of_blocks(const PassageIndex& index,
                                                 const BlockScores& scores,
                                                 std::span<const RankedPassage> ranking,
                                                 std::size_t count) {
    std::vector<std::pair<NodeId, double>> blocks(scores.begin(), scores.end());
    std::ranges::sort(blocks, [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    std::vector<Stretch> stretches;
    for (const auto& [block, score] : blocks) {
        if (stretches.size() >= count) break;
        const TokenSpan span = span_of(block);
        MC_ASSIGN(const auto passages, index.passages_in(block.document, span));
        if (passages.empty()) continue;
        std::string why = "chosen by the policy alone";
        for (const RankedPassage& ranked : ranking)
            if (std::ranges::find(passages, ranked.passage) != passages.end()) {
                why = explain(ranked);
                break;
            }
        join(stretches, {block.document,
                         {passages.front().tokens.begin, passages.back().tokens.end},
                         score,
                         std::move(why)});
    }
    return stretches;
}

Result<Evidence> read_evidence(const BankText& text, const Stretch& stretch) {
    Evidence evidence;
    evidence.bank = text.nodes().bank().name;
    MC_ASSIGN(evidence.document, text.require_document(stretch.document));
    evidence.tokens = stretch.tokens;
    evidence.score = stretch.score;
    evidence.why = stretch.why;
    MC_ASSIGN(const ByteSpan bytes, text.byte_span_of(stretch.document, stretch.tokens));
    MC_ASSIGN(const std::string whole, text.read_text(stretch.document, stretch.tokens));
    const std::size_t begin = std::min(whole.find_first_not_of(kWhiteSpace), whole.size());
    const std::size_t end = whole.find_last_not_of(kWhiteSpace) + 1;
    evidence.bytes = {bytes.begin + begin, bytes.begin + std::max(begin, end)};
    MC_ASSIGN(evidence.place, text.place_of(stretch.document, evidence.bytes));
    evidence.text = to_valid_utf8(std::string_view(whole).substr(begin, evidence.bytes.count()));
    return evidence;
}

}  // namespace mc::runtime
