// SPDX-License-Identifier: Apache-2.0
// Whether a document's gists have statistics, which is decided when its first one is made.
// Errors: kCorruption where the store lacks that one; those of the store's reads.
#pragma once

#include <optional>

#include "core/result.h"
#include "tree/node_store.h"

namespace mc {

// nullopt: the document has no gist. Cost: one read.
Result<std::optional<bool>> has_statistics(const NodeStore& store, const DocumentRecord& document);

}  // namespace mc
