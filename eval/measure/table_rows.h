// SPDX-License-Identifier: Apache-2.0
// Rows of an embedded table: tab-separated lines, those that begin with # left out. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace mc::eval {

using TableRow = std::vector<std::string>;

std::vector<TableRow> table_rows(const std::byte* begin, const std::byte* end);

}  // namespace mc::eval
