// SPDX-License-Identifier: Apache-2.0
// Where the first passage of a text ends. Pure functions of the text from the passage's begin on.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "text/passages.h"

namespace mc::text {

// The begin of the second passage; nullopt when what is there does not decide it, so that nothing
// that is appended later can move a bound that was given.
std::optional<std::size_t> first_bound(std::string_view text, TextShape shape);

// Where a passage that is too long is cut: after the last clause of its second half, else after its
// last white space there, else at its last whole character. Requires: text is not empty.
std::size_t cut_within(std::string_view text);

}  // namespace mc::text
