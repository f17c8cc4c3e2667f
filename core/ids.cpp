// SPDX-License-Identifier: Apache-2.0
#include "core/ids.h"

namespace mc {

std::string to_string(NodeId node) {
    return "d" + std::to_string(node.document.value) + "/L" + std::to_string(node.level.value) +
           "/" + std::to_string(node.index.value);
}

}  // namespace mc
