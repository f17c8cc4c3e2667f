// SPDX-License-Identifier: Apache-2.0
// The working context as a picture: one strip per document, a digit per stretch of text.
//
// The strip runs along the document; each cell shows the finest level at which the base model reads
// that stretch: ▁ (or _) raw tokens, 1 … 9 gists of that level. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "working_context/window.h"

namespace mc::apps {

// Requires: columns > 0; the selection is one of the window's.
std::string level_strip(const Window& window, const Selection& selection, std::size_t columns,
                        bool unicode);

// How a document stands in the window: entries by level (raw tokens under level 0).
std::map<std::uint8_t, std::uint64_t> entries_by_level(const Window& window, DocumentId document);

}  // namespace mc::apps
