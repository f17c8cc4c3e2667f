// SPDX-License-Identifier: Apache-2.0
#include "working_context/entry.h"

namespace mc {

std::string to_string(const Entry& entry) {
    if (!entry.is_raw()) return to_string(entry.node());
    return "d" + std::to_string(entry.document.value) + "[" + std::to_string(entry.span.begin) +
           "," + std::to_string(entry.span.end) + ")";
}

std::string to_string(const Edit& edit) {
    return (edit.kind == Edit::Kind::kExpand ? "expand " : "collapse ") + to_string(edit.node);
}

}  // namespace mc
