// SPDX-License-Identifier: Apache-2.0
#include "documents/heading_path.h"

#include <algorithm>

#include "core/utf8.h"

namespace mc::documents {
namespace {

constexpr std::size_t kLabelBytesMax = 80;
constexpr std::string_view kPathSign = " › ";

bool is_gap(char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
}

// The marker of a fence of code that a line is; empty where it is none.
std::string_view fence_of(std::string_view line) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    if (begin > 3) return {};
    line.remove_prefix(begin);
    return line.starts_with("```") ? "```" : line.starts_with("~~~") ? "~~~" : "";
}

// Number of # that make a line a heading; 0 where it is none.
std::size_t heading_marks(std::string_view line) {
    const std::size_t count = std::min(line.find_first_not_of('#'), line.size());
    return count >= 1 && count <= 6 && count < line.size() && line[count] == ' ' ? count : 0;
}

}  // namespace

std::string short_label(std::string_view text) {
    std::string label;
    for (const char c : text) {
        if (!is_gap(c))
            label.push_back(c);
        else if (!label.empty() && label.back() != ' ')
            label.push_back(' ');
        if (label.size() > 2 * kLabelBytesMax) break;
    }
    while (label.ends_with(' ')) label.pop_back();
    if (label.size() <= kLabelBytesMax) return to_valid_utf8(label);
    label.resize(kLabelBytesMax);
    while (!label.empty() && (static_cast<unsigned char>(label.back()) & 0xc0) == 0x80)
        label.pop_back();
    if (!label.empty() && static_cast<unsigned char>(label.back()) >= 0xc0) label.pop_back();
    return to_valid_utf8(label) + "…";
}

std::string HeadingPath::enter(int level, std::string_view heading) {
    const auto own = static_cast<std::size_t>(std::clamp(level, 0, kHeadingLevelMax));
    headings_[own] = short_label(heading);
    for (std::size_t below = own + 1; below < headings_.size(); ++below) headings_[below].clear();
    std::string path;
    for (const std::string& one : headings_)
        if (!one.empty() && path.size() + one.size() + kPathSign.size() <= kPlaceLabelBytesMax)
            path += (path.empty() ? "" : std::string(kPathSign)) + one;
    return path;
}

bool HeadingPath::empty() const {
    return std::ranges::all_of(headings_, [](const std::string& one) { return one.empty(); });
}

std::vector<Place> markdown_places(std::string_view text) {
    std::vector<Place> places;
    HeadingPath path;
    std::string_view fence;
    for (std::size_t at = 0; at < text.size() && places.size() < kPlacesMax;) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        if (const std::string_view marker = fence_of(line); !marker.empty()) {
            if (fence.empty())
                fence = marker;
            else if (fence == marker)
                fence = {};
        }
        if (const std::size_t marks = fence.empty() ? heading_marks(line) : 0; marks > 0) {
            std::string_view heading = line.substr(marks);
            while (!heading.empty() && (heading.back() == '#' || is_gap(heading.back())))
                heading.remove_suffix(1);
            std::string label = path.enter(static_cast<int>(marks), heading);
            if (!label.empty()) places.push_back({at, std::move(label)});
        }
        at = end + 1;
    }
    return places;
}

bool is_markdown(std::string_view name) {
    return name.ends_with(".md") || name.ends_with(".markdown");
}

}  // namespace mc::documents
