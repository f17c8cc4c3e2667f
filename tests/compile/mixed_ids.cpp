// SPDX-License-Identifier: Apache-2.0
// A document is not a node index, although both are 64-bit numbers.
// MUST_SAY: could not convert
#include "core/ids.h"

mc::NodeId first_node([[maybe_unused]] mc::DocumentId document, mc::NodeIndex index) {
#ifdef MC_WRONG
    return {index, mc::Level(1), index};
#else
    return {document, mc::Level(1), index};
#endif
}

bool same(mc::DocumentId a, mc::DocumentId b) {
    return a == b;
}
