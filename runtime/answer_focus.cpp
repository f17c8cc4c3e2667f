// SPDX-License-Identifier: Apache-2.0
// FocusSession's answering form: passages worth reading, within the budget, and background.
#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "runtime/focus_session.h"
#include "runtime/search/reader_text.h"

namespace mc::runtime {
namespace {

bool stands_in(const AnswerWindow& window, const Stretch& stretch) {
    return std::ranges::any_of(window.passages, [&](const Passage& passage) {
        return passage.document == stretch.document && stretch.tokens.contains(passage.tokens);
    });
}

bool overlaps_any(const Stretch& stretch, std::span<const Stretch> others) {
    return std::ranges::any_of(others, [&](const Stretch& other) {
        return other.document == stretch.document && other.tokens.begin < stretch.tokens.end &&
               stretch.tokens.begin < other.tokens.end;
    });
}

}  // namespace

Result<void> FocusSession::focus_on_passages(const QueryOptions& options, QueryReport& report) {
    const std::size_t wanted = asked_->wanted;
    MC_ASSIGN(const auto read, stretches_of(asked_->home_of(), asked_->ranking, wanted));
    MC_TRY(fill_answer_window(options, read));
    MC_TRY(add_background(options));
    report.known = wanted > 0;
    report.cost = answer_window_->cost();
    report.covered_tokens = answer_window_->covered_tokens();
    MC_ASSIGN(const auto others,
              stretches_of(asked_->home_of(), std::span(asked_->ranking).subspan(wanted),
                           options.evidence_count));
    std::vector<Stretch> shown = read;
    for (const Stretch& stretch : others)
        if (!overlaps_any(stretch, read)) shown.push_back(stretch);
    for (const Stretch& stretch : shown) {
        if (report.evidence.size() >= options.evidence_count) break;
        MC_ASSIGN(Evidence evidence, read_evidence(bank_of(stretch.document).text(), stretch));
        if (stands_in(*answer_window_, stretch)) evidence.level = Level(0);
        report.evidence.push_back(std::move(evidence));
    }
    return {};
}

// The best first as long as there is room; what does not fit whole is left out, but of the best
// passage as much stands there as fits. Read in the order in which they were told: all are nearly
// as good as the best, or lead on from it, and what is newest holds.
Result<void> FocusSession::fill_answer_window(const QueryOptions& options,
                                              std::span<const Stretch> stretches) {
    AnswerWindow window;
    window.budget_entries = options.budget;
    window.reserved_entries = asked_->tokens.size();
    if (window.reserved_entries >= options.budget)
        return fail(ErrorCode::kOverBudget, "the question alone takes " +
                                                std::to_string(window.reserved_entries) + " of " +
                                                std::to_string(options.budget) +
                                                " entries; ask a shorter one or raise the budget");
    const std::size_t separator = passage_separator(bank_.text().tokenizer()).size();
    for (const Stretch& stretch : stretches) {
        const std::uint64_t room = options.budget - window.cost();
        Passage passage = stretch.passage();
        if (window.passages.empty()) {
            passage.tokens.end = std::min(passage.tokens.end, passage.tokens.begin + room);
        } else if (passage.tokens.count() + separator > room) {
            continue;
        } else {
            window.separator_entries += separator;
        }
        window.passages.push_back(passage);
    }
    std::ranges::sort(window.passages);
    window_.reset();
    answer_window_ = std::move(window);
    return {};
}

Result<std::vector<FocusSession::Considered>> FocusSession::considered(std::size_t count) const {
    if (!asked_) return fail(ErrorCode::kInvalidInput, "no window yet; ask a question first");
    if (!answer_window_)
        return fail(ErrorCode::kInvalidInput,
                    "a window that covers documents has no passages to choose from; ask with "
                    "policy passages or lensnet");
    std::vector<Considered> out;
    for (const RankedPassage& one :
         std::span(asked_->ranking).first(std::min(count, asked_->ranking.size()))) {
        Considered& added = out.emplace_back(Considered{one, {}, {}});
        const Stretch stretch{one.passage.document, one.passage.tokens, one.score, {}};
        const bool shown = std::ranges::any_of(answer_window_->passages, [&](const Passage& other) {
            const Stretch in_window{other.document, other.tokens, 0, {}};
            return overlaps_any(stretch, std::span(&in_window, 1));
        });
        if (is_read(one.choice) && !shown) added.ranked.choice = PassageChoice::kNoRoom;
        const BankText& text = bank_of(one.passage.document).text();
        MC_ASSIGN(added.document, text.require_document(one.passage.document));
        MC_ASSIGN(added.text, text.read_text(one.passage.document, one.passage.tokens));
    }
    return out;
}

Result<void> FocusSession::add_background(const QueryOptions& options) {
    AnswerWindow& window = *answer_window_;
    std::vector<DocumentShape> shapes;
    for (auto passage = window.passages.rbegin(); passage != window.passages.rend(); ++passage) {
        const bool known = std::ranges::any_of(
            shapes, [&](const auto& shape) { return shape.document == passage->document; });
        if (known) continue;
        MC_ASSIGN(const DocumentRecord record, record_of(passage->document));
        shapes.push_back({record.id, record.token_count, record.gist_end});
    }
    for (const DocumentShape& shape : shapes) {
        const std::uint64_t room = std::min(options.background_entries - window.background.size(),
                                            options.budget - window.cost());
        const auto nodes = background_of(shape, window.passages, room);
        window.background.insert(window.background.end(), nodes.begin(), nodes.end());
    }
    const auto violations = answer_window_violations(window, shapes);
    MC_CHECK(violations.empty(), violations.front());
    return {};
}

}  // namespace mc::runtime
