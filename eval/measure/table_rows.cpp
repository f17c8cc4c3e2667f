// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/table_rows.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace mc::eval {

std::vector<TableRow> table_rows(const std::byte* begin, const std::byte* end) {
    std::vector<TableRow> rows;
    std::string_view rest(reinterpret_cast<const char*>(begin),
                          static_cast<std::size_t>(end - begin));
    while (!rest.empty()) {
        const std::size_t line_end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, line_end);
        rest.remove_prefix(std::min(line_end + 1, rest.size()));
        if (line.empty() || line.starts_with('#')) continue;
        TableRow row;
        for (std::size_t tab = line.find('\t'); tab != std::string_view::npos;
             tab = line.find('\t')) {
            row.emplace_back(line.substr(0, tab));
            line.remove_prefix(tab + 1);
        }
        row.emplace_back(line);
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace mc::eval
