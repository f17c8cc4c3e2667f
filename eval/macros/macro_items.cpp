// SPDX-License-Identifier: Apache-2.0
#include "eval/macros/macro_items.h"

#include <span>
#include <utility>

#include "core/check.h"
#include "core/embedded_file.h"
#include "core/hash.h"
#include "core/rng.h"
#include "eval/measure/table_rows.h"

MC_EMBED(mc_macro_instructions, MC_MACRO_INSTRUCTIONS);

namespace mc::eval {
namespace {

constexpr std::size_t kRules = 6;  // of a made instruction

// Rows are kind, set, text.
std::vector<std::string> texts_of(std::string_view kind, std::string_view set) {
    std::vector<std::string> texts;
    for (TableRow& row : table_rows(mc_macro_instructions_begin, mc_macro_instructions_end)) {
        MC_CHECK(row.size() == 3, "instructions.tsv: a row of another width");
        if (row[0] == kind && row[1] == set) texts.push_back(std::move(row[2]));
    }
    return texts;
}

// So many of them, in random order.
std::vector<std::string> draw(std::vector<std::string> from, std::size_t count, Rng& rng) {
    MC_CHECK(count <= from.size(), "instructions.tsv has not so many");
    for (std::size_t i = 0; i < count; ++i)
        std::swap(from[i], from[i + rng.below(from.size() - i)]);
    from.resize(count);
    return from;
}

}  // namespace

std::vector<MacroInstruction> macro_instructions(std::string_view set, std::size_t count,
                                                 std::size_t messages, std::uint64_t seed) {
    const bool is_whole = set == "human";
    const auto heads = texts_of(is_whole ? "text" : "role", set);
    const auto forms = texts_of("form", set);
    const auto rules = texts_of("rule", set);
    const auto inputs = texts_of("input", "all");
    MC_CHECK(count <= heads.size(), "instructions.tsv has not so many");
    Rng rng(seed ^ xxh3_64(std::as_bytes(std::span(set))));
    std::vector<MacroInstruction> made;
    for (std::size_t i = 0; i < count; ++i) {
        MacroInstruction one{std::string(set), i, heads[i], {}};
        if (!is_whole) {
            for (const std::string& rule : draw(rules, kRules, rng)) one.text += " " + rule;
            one.text += " " + forms.at(i);
        }
        one.messages = draw(inputs, messages, rng);
        made.push_back(std::move(one));
    }
    return made;
}

}  // namespace mc::eval
