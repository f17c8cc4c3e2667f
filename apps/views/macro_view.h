// SPDX-License-Identifier: Apache-2.0
// Macros as text and as JSON. Free functions. Errors: none.
#pragma once

#include <vector>

#include "apps/terminal/output.h"
#include "runtime/macros.h"
#include "serve/forms.h"

namespace mc::apps {

using serve::to_json;

// All but the text and the gists themselves.
Json to_json(const storage::MacroRecord& macro);

void print_macros(Output& out, const std::vector<storage::MacroRecord>& macros);

// "143 tokens as 4 entries, 35.8 times fewer; of the instruction's gain .93 kept".
std::string summary_of(const storage::MacroRecord& macro);

}  // namespace mc::apps
