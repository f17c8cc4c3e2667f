// SPDX-License-Identifier: Apache-2.0
// Under which headings a text stands, as the label of a place: "Part 1 › Chapter 2".
// Value type; pure functions.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tree/original.h"

namespace mc::documents {

// Below the title at level 0: those of HTML and of word processors.
inline constexpr int kHeadingLevelMax = 9;

// One line of some 80 bytes, cut between characters.
std::string short_label(std::string_view text);

class HeadingPath {
  public:
    // A heading ends those of its level and below. level: 0…kHeadingLevelMax. Returns the path.
    std::string enter(int level, std::string_view heading);

    bool empty() const;

  private:
    std::array<std::string, kHeadingLevelMax + 1> headings_;
};

// The headings of Markdown: lines that begin with one to six #, outside of fenced code.
std::vector<Place> markdown_places(std::string_view text);

// By the ending of a name.
bool is_markdown(std::string_view name);

}  // namespace mc::documents
