// SPDX-License-Identifier: Apache-2.0
#include "apps/terminal/window_strip.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/check.h"

namespace mc::apps {
namespace {

constexpr unsigned kNothing = std::numeric_limits<unsigned>::max();

std::string cell_text(unsigned level, bool unicode) {
    if (level == kNothing) return " ";
    if (level == 0) return unicode ? "\xE2\x96\x81" : "_";  // ▁
    return std::string(1, level < 10 ? static_cast<char>('0' + level) : '+');
}

}  // namespace

std::string level_strip(const Window& window, const Selection& selection, std::size_t columns,
                        bool unicode) {
    MC_CHECK(columns > 0, "a strip has at least one column");
    const TokenSpan range = selection.range;
    if (range.empty()) return {};
    const std::uint64_t cell_count = std::min<std::uint64_t>(columns, range.count());
    std::vector<unsigned> cells(cell_count, kNothing);
    // Documents have fewer than 2^40 tokens and strips fewer than 2^16 columns: no overflow.
    const auto cell_of = [&](std::uint64_t token) {
        return (token - range.begin) * cell_count / range.count();
    };
    for (const WindowEntry& item : window.entries()) {
        const Entry& entry = item.entry;
        if (entry.document != selection.shape.document) continue;
        const std::uint64_t last = cell_of(entry.span.end - 1);
        for (std::uint64_t cell = cell_of(entry.span.begin); cell <= last; ++cell)
            cells[cell] = std::min<unsigned>(cells[cell], entry.level.value);
    }
    std::string strip;
    for (const unsigned level : cells) strip += cell_text(level, unicode);
    return strip;
}

std::map<std::uint8_t, std::uint64_t> entries_by_level(const Window& window, DocumentId document) {
    std::map<std::uint8_t, std::uint64_t> counts;
    for (const WindowEntry& item : window.entries())
        if (item.entry.document == document) counts[item.entry.level.value] += item.entry.cost();
    return counts;
}

}  // namespace mc::apps
