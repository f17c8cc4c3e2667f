// SPDX-License-Identifier: Apache-2.0
#include "eval/retrieval/thesaurus.h"

#include <algorithm>
#include <string_view>

#include "core/embedded_file.h"

MC_EMBED(mc_synonyms, MC_SYNONYMS);

namespace mc::eval {

const std::unordered_map<std::string, std::string>& synonyms() {
    static const auto words = [] {
        std::unordered_map<std::string, std::string> out;
        std::string_view rest(reinterpret_cast<const char*>(mc_synonyms_begin),
                              static_cast<std::size_t>(mc_synonyms_end - mc_synonyms_begin));
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            const std::string_view line = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            const std::size_t tab = line.find('\t');
            if (line.starts_with('#') || tab == std::string_view::npos) continue;
            out.emplace(line.substr(0, tab), line.substr(tab + 1));
        }
        return out;
    }();
    return words;
}

}  // namespace mc::eval
