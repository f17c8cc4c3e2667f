// SPDX-License-Identifier: Apache-2.0
#include "apps/views/tree_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/terminal/text.h"
#include "apps/views/render.h"
#include "core/span_math.h"

namespace mc::apps {
namespace {

constexpr std::size_t kLabelColumns = 12;
constexpr std::size_t kTextColumns = 96;

void print_field(Output& out, std::string label, const std::string& value) {
    label.resize(kLabelColumns, ' ');
    out.text(out.faint(label) + value);
}

Json child_json(const NodeView& view, std::uint64_t slot) {
    return view.node.level == Level(1) ? Json(nullptr) : Json(to_string(child_of(view.node, slot)));
}

}  // namespace

Result<NodeView> view_node(const runtime::BankText& bank, NodeId node) {
    MC_ASSIGN(auto document, bank.require_document(node.document));
    NodeView view;
    view.node = node;
    view.document = std::move(document);
    const std::uint64_t gist_end = view.document.gist_end;
    if (node.index.value >= node_count(gist_end, node.level))
        return fail(ErrorCode::kInvalidInput,
                    "there is no node " + to_string(node) + ": " + to_text(node.document) +
                        " has " + levels_text(gist_end) + waiting_text(view.document));
    MC_ASSIGN(const auto group,
              bank.nodes().find_gists(node.document, node.level, parent_of(node).index));
    const std::uint64_t slot = slot_in_parent(node);
    if (!group || slot >= group->gists.size())
        return fail(ErrorCode::kCorruption, "the gist of node " + to_string(node) +
                                                " is missing from the store; run verify");
    view.statistics = group->gists[slot].statistics;
    view.tokens = span_of(node);
    MC_ASSIGN(view.bytes, bank.byte_span_of(node.document, view.tokens));
    const TokenSpan start{view.tokens.begin,
                          std::min(view.tokens.end, view.tokens.begin + kNodeTextTokens)};
    MC_ASSIGN(view.text, bank.read_text(node.document, start));
    MC_ASSIGN(view.use, bank.nodes().node_use(node));
    if (node.level < kLevelMax) {
        const NodeId parent = parent_of(node);
        if (parent.index.value < node_count(gist_end, parent.level)) view.parent = parent;
    }
    return view;
}

Json to_json(const NodeView& view) {
    return {{"node", to_string(view.node)},
            {"document", to_text(view.document.id)},
            {"source", view.document.source_name},
            {"level", view.node.level.value},
            {"index", view.node.index.value},
            {"tokens", to_json(view.tokens)},
            {"bytes", to_json(view.bytes)},
            {"parent", view.parent ? Json(to_string(*view.parent)) : Json(nullptr)},
            {"first_child", child_json(view, 0)},
            {"last_child", child_json(view, kBlockSize - 1)},
            {"mean_nll", view.statistics.mean_nll},
            {"mean_entropy", view.statistics.mean_entropy},
            {"access_count", view.use.access_count},
            {"last_used_us", view.use.last_used_us},
            {"text_start", view.text}};
}

void print_node(Output& out, const NodeView& view) {
    out.text(out.strong(to_string(view.node)) + "  " + printable(view.document.source_name));
    print_field(out, "tokens", format_range(view.tokens.begin, view.tokens.end));
    print_field(out, "bytes", format_range(view.bytes.begin, view.bytes.end));
    print_field(out, "parent", view.parent ? to_string(*view.parent) : "none yet");
    print_field(out, "children",
                view.node.level == Level(1) ? "raw tokens"
                                            : to_string(child_of(view.node, 0)) + " to " +
                                                  to_string(child_of(view.node, kBlockSize - 1)));
    print_field(out, "mean NLL", format_number(view.statistics.mean_nll) + " nats a token");
    print_field(out, "entropy", format_number(view.statistics.mean_entropy) + " nats a token");
    print_field(out, "used",
                view.use.access_count == 0 ? "never"
                                           : format_count(view.use.access_count) + " times, last " +
                                                 format_time(view.use.last_used_us));
    out.text(wrapped(trimmed(view.text) + (view.tokens.count() > kNodeTextTokens ? " …" : ""), "  ",
                     kTextColumns));
}

void print_tree(Output& out, const DocumentRecord& document) {
    out.text(out.strong(to_text(document.id) + "  " + printable(document.source_name)) + "  " +
             format_count(document.token_count) + " tokens, " + format_count(document.byte_count) +
             " bytes" + (document.complete ? "" : ", interrupted") + waiting_text(document));
    using Align = Table::Align;
    Table table({{"level"}, {"nodes", Align::kRight}, {"tokens each", Align::kRight}, {"covers"}});
    for (std::uint8_t n = top_level(document.gist_end).value; n >= 1; --n) {
        const Level level(n);
        const std::uint64_t nodes = node_count(document.gist_end, level);
        table.add_row({format_level(level), format_count(nodes),
                       format_count(tokens_per_node(level)),
                       "tokens " + format_range(0, nodes * tokens_per_node(level))});
    }
    const std::uint64_t tail = tail_begin(document.token_count);
    if (document.gist_end < tail)
        table.add_row({"no gists yet", "", format_count(tail - document.gist_end),
                       "tokens " + format_range(document.gist_end, tail)});
    table.add_row({"tail", "", std::to_string(document.token_count - tail),
                   "tokens " + format_range(tail, document.token_count)});
    table.print(out);
}

}  // namespace mc::apps
