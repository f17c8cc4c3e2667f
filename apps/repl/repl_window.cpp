// SPDX-License-Identifier: Apache-2.0
// The dot-commands about the working context: .window, .why, .expand, .collapse, .stats.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/repl/repl.h"
#include "apps/terminal/text.h"
#include "apps/terminal/window_strip.h"
#include "apps/views/render.h"

namespace mc::apps {
namespace {

constexpr std::size_t kStripColumns = 72;

Json entry_json(const Window& window, const WindowEntry& item) {
    return {{"document", to_text(item.entry.document)},
            {"level", item.entry.level.value},
            {"tokens", to_json(item.entry.span)},
            {"cost", item.entry.cost()},
            {"age", window.age_steps(item)}};
}

// "raw 320, L1 40, L2 7".
std::string levels_of(const Window& window, DocumentId document) {
    std::string text;
    for (const auto& [level, entries] : entries_by_level(window, document))
        text +=
            (text.empty() ? "" : ", ") + format_level(Level(level)) + " " + format_count(entries);
    return text;
}

std::uint64_t covered_tokens(const Window& window) {
    std::uint64_t tokens = 0;
    for (const Selection& selection : window.selections()) tokens += selection.range.count();
    return tokens;
}

}  // namespace

Result<const Window*> Repl::window() const {
    const Window* window = session_.focus->window();
    if (window != nullptr) return window;
    if (session_.focus->answer_window() != nullptr)
        return fail(ErrorCode::kInvalidInput,
                    "a window of passages has nothing to expand or collapse: choose another "
                    ".policy and ask again");
    return fail(ErrorCode::kInvalidInput, "no working context yet: ask a question first");
}

Json Repl::window_json(const Window& window) const {
    Json entries = Json::array();
    for (const WindowEntry& item : window.entries()) entries.push_back(entry_json(window, item));
    return {{"budget", window.budget_entries()},
            {"cost", window.cost()},
            {"reserved", window.reserved_entries()},
            {"covered_tokens", covered_tokens(window)},
            {"step", window.step()},
            {"entries", std::move(entries)}};
}

void Repl::print_window(const Window& window) const {
    for (const Selection& selection : window.selections()) {
        const DocumentId document = selection.shape.document;
        out_.text(out_.strong(to_text(document)) + "  tokens " +
                  format_range(selection.range.begin, selection.range.end) + "  " +
                  levels_of(window, document));
        out_.text("[" + level_strip(window, selection, kStripColumns, out_.unicode()) + "]");
    }
    out_.text("cost " + format_count(window.cost()) + " of " +
              format_count(window.budget_entries()) + " entries (" +
              format_count(window.reserved_entries()) + " kept for the question), covers " +
              format_count(covered_tokens(window)) + " tokens");
}

Json Repl::window_json(const AnswerWindow& window) const {
    Json background = Json::array();
    for (const NodeId node : window.background) background.push_back(to_string(node));
    Json passages = Json::array();
    for (const Passage& passage : window.passages)
        passages.push_back({{"document", to_text(passage.document)},
                            {"tokens", to_json(passage.tokens)},
                            {"cost", passage.tokens.count()}});
    return {{"budget", window.budget_entries},
            {"cost", window.cost()},
            {"reserved", window.reserved_entries},
            {"separators", window.separator_entries},
            {"covered_tokens", window.covered_tokens()},
            {"background", std::move(background)},
            {"passages", std::move(passages)}};
}

// As the reader sees it: background first, the best passage last.
void Repl::print_window(const AnswerWindow& window) const {
    if (!window.background.empty())
        out_.text(out_.strong("background") + "  " + to_string(window.background.front()) + " … " +
                  to_string(window.background.back()) + "  " +
                  format_count(window.background.size()) + " gists");
    for (const Passage& passage : window.passages)
        out_.text(out_.strong(to_text(passage.document)) + "  tokens " +
                  format_range(passage.tokens.begin, passage.tokens.end) + "  raw " +
                  format_count(passage.tokens.count()));
    if (window.passages.empty()) out_.text("no passage is likely to answer: the window is empty");
    out_.text("cost " + format_count(window.cost()) + " of " + format_count(window.budget_entries) +
              " entries (" + format_count(window.reserved_entries) +
              " kept for the question), covers " + format_count(window.covered_tokens()) +
              " tokens");
}

Result<void> Repl::do_window(std::string_view) {
    if (const AnswerWindow* shown = session_.focus->answer_window()) {
        if (out_.json())
            out_.json(window_json(*shown));
        else
            print_window(*shown);
        return {};
    }
    MC_ASSIGN(const Window* const shown, window());
    if (out_.json())
        out_.json(window_json(*shown));
    else
        print_window(*shown);
    return {};
}

Result<void> Repl::do_why(std::string_view) {
    MC_ASSIGN(const auto considered, session_.focus->considered(kConsideredShown));
    if (out_.json())
        out_.json({{"considered", to_json(considered)}});
    else
        print_considered(out_, considered);
    return {};
}

Result<void> Repl::edit(std::string_view arguments, Edit::Kind kind) {
    MC_TRY(window());
    MC_ASSIGN(const NodeId node, parse_node(arguments));
    const bool expands = kind == Edit::Kind::kExpand;
    MC_TRY(expands ? session_.focus->expand(node) : session_.focus->collapse(node));
    MC_ASSIGN(const Window* const after, window());
    if (out_.json())
        out_.json({{expands ? "expanded" : "collapsed", to_string(node)},
                   {"cost", after->cost()},
                   {"budget", after->budget_entries()}});
    else
        out_.text((expands ? "expanded " : "collapsed ") + to_string(node) + ": cost " +
                  format_count(after->cost()) + " of " + format_count(after->budget_entries()));
    return {};
}

Result<void> Repl::do_expand(std::string_view arguments) {
    return edit(arguments, Edit::Kind::kExpand);
}

Result<void> Repl::do_collapse(std::string_view arguments) {
    return edit(arguments, Edit::Kind::kCollapse);
}

Result<void> Repl::do_stats(std::string_view) {
    MC_ASSIGN(const std::uint64_t disk_bytes, session_.engine->store().size_on_disk_bytes());
    MC_ASSIGN(const runtime::BankSearch* const search, session_.bank->search());
    Json stats{{"store", config_.store.string()},
               {"bank", config_.bank},
               {"commit", session_.opened_at.value},
               {"disk_bytes", disk_bytes},
               {"passages", search->index().size()},
               {"vector_dim", search->index().vector_dim()},
               {"policy", config_.policy},
               {"budget", config_.budget_entries},
               {"cost", nullptr},
               {"covered_tokens", nullptr},
               {"tokens_per_entry", nullptr},
               {"edits", nullptr},
               {"seconds_search", nullptr},
               {"seconds_focus", nullptr}};
    if (last_report_) {
        const std::uint64_t cost = std::max<std::uint64_t>(last_report_->cost, 1);
        stats["cost"] = last_report_->cost;
        stats["covered_tokens"] = last_report_->covered_tokens;
        stats["tokens_per_entry"] =
            static_cast<double>(last_report_->covered_tokens) / static_cast<double>(cost);
        stats["edits"] = last_report_->edits;
        stats["seconds_search"] = last_report_->seconds_search;
        stats["seconds_focus"] = last_report_->seconds_focus;
    }
    Json session;
    for (const telemetry::MetricTotal& total : metrics_.totals())
        std::visit([&](auto value) { session[total.name] = value; }, total.value);
    if (out_.json()) {
        stats["session"] = std::move(session);
        out_.json(stats);
        return {};
    }
    // On a screen, what was not counted says nothing.
    for (const auto& [name, value] : session.items())
        if (value != 0) stats[name] = value;
    for (const auto& [key, value] : stats.items()) {
        if (value.is_null()) continue;
        std::string label = key;
        label.resize(24, ' ');
        out_.text(out_.faint(label) + (value.is_string() ? value.get<std::string>()
                                       : value.is_number_unsigned()
                                           ? format_count(value.get<std::uint64_t>())
                                           : format_number(value.get<double>())));
    }
    return {};
}

}  // namespace mc::apps
