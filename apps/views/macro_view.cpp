// SPDX-License-Identifier: Apache-2.0
#include "apps/views/macro_view.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>

#include "apps/terminal/text.h"

namespace mc::apps {
namespace {

std::uint64_t bytes_of(const storage::MacroRecord& macro) {
    std::uint64_t bytes = 0;
    for (const Gist& gist : macro.gists)
        bytes += gist.kv.size() * sizeof gist.kv[0] + gist.log_mass.size();
    return bytes;
}

Hash128 hash_of(const std::vector<Gist>& gists) {
    StreamHash hash;
    for (const Gist& gist : gists) {
        hash.update(std::as_bytes(std::span(gist.kv)));
        hash.update(std::as_bytes(std::span(gist.log_mass)));
    }
    return hash.digest();
}

std::string two_decimals(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return std::isfinite(value) ? text : "-";
}

double tokens_per_entry(const storage::MacroRecord& macro) {
    return static_cast<double>(macro.token_count) / static_cast<double>(macro.gists.size());
}

}  // namespace

Json to_json(const storage::MacroRecord& macro) {
    Json line{{"macro", macro.name},
              {"tokens", macro.token_count},
              {"entries", macro.gists.size()},
              {"tokens_per_entry", tokens_per_entry(macro)},
              {"gist_bytes", bytes_of(macro)},
              {"base_model", macro.base_model_name},
              {"base_model_hash", to_hex(macro.base_model_hash)},
              {"recipe_hash", to_hex(macro.recipe_hash)},
              {"gists_hash", to_hex(hash_of(macro.gists))},
              {"steps", macro.steps},
              {"seed", macro.seed},
              {"nll_none", macro.nll_none},
              {"nll_full", macro.nll_full},
              {"nll_gists", macro.nll_gists},
              {"gain_kept", nullptr},
              {"seconds", macro.seconds},
              {"created_us", macro.created_us}};
    if (std::isfinite(macro.gain_kept())) line["gain_kept"] = macro.gain_kept();
    return line;
}

void print_macros(Output& out, const std::vector<storage::MacroRecord>& macros) {
    using Align = Table::Align;
    Table table({{"macro"},
                 {"tokens", Align::kRight},
                 {"entries", Align::kRight},
                 {"gain kept", Align::kRight},
                 {"bytes", Align::kRight},
                 {"created"}});
    for (const storage::MacroRecord& macro : macros)
        table.add_row({macro.name, format_count(macro.token_count),
                       format_count(macro.gists.size()), two_decimals(macro.gain_kept()),
                       format_count(bytes_of(macro)), format_time(macro.created_us)});
    table.print(out);
}

std::string summary_of(const storage::MacroRecord& macro) {
    char times[32];
    std::snprintf(times, sizeof times, "%.1f", tokens_per_entry(macro));
    return format_count(macro.token_count) + " tokens as " + format_count(macro.gists.size()) +
           (macro.gists.size() == 1 ? " entry, " : " entries, ") + times +
           " times fewer; of the instruction's gain " + two_decimals(macro.gain_kept()) + " kept";
}

}  // namespace mc::apps
