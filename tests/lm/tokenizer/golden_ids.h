// SPDX-License-Identifier: Apache-2.0
// Texts with the ids that a reference gives them. One line each: the text in hexadecimal ('-' when
// empty), a colon, its ids; # begins a comment.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/files.h"
#include "core/ids.h"

namespace mc::lm::test {

struct GoldenIds {
    std::string text;
    std::vector<TokenId> ids;
};

inline std::vector<GoldenIds> read_golden_ids(const Path& path) {
    const auto content = read_file(path, 1 << 20);
    MC_CHECK(content.has_value(), "golden file " + path.string());
    std::istringstream lines(*content);
    std::vector<GoldenIds> all;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#')) continue;
        GoldenIds& one = all.emplace_back();
        const std::size_t colon = line.find(':');
        MC_CHECK(colon != std::string::npos, line);
        for (std::size_t i = 0; line[0] != '-' && i < colon; i += 2)
            one.text.push_back(static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16)));
        std::istringstream numbers(line.substr(colon + 1));
        for (TokenId id = 0; numbers >> id;) one.ids.push_back(id);
    }
    return all;
}

}  // namespace mc::lm::test
