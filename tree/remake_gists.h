// SPDX-License-Identifier: Apache-2.0
// The gists of a document some of whose tokens are to be others: of every block whose reading saw
// one of them, and of all nodes above, as an ingest of the changed text would have made them.
//
// Changes nothing: the caller stores what comes back. Siblings that stay are read from the store,
// so a parent is made of what its codec kept of them, as after a resumed ingest. Threads: one.
// Errors: those of the store's reads and of the encoder.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/result.h"
#include "tree/gist_encoder.h"
#include "tree/node_store.h"

namespace mc {

// Tokens of the document as they are to be.
using ChangedText = std::function<Result<std::vector<TokenId>>(TokenSpan span)>;

// changed: ascending, none empty, within the document. In order of node. Cost: one pass of the base
// model over each window that read a changed token, and the output head where the document's gists
// have statistics; memory for all gists that it returns.
Result<std::vector<NewGist>> remake_gists(const NodeStore& store, const DocumentRecord& document,
                                          GistEncoder& encoder, std::span<const TokenSpan> changed,
                                          const ChangedText& text);

}  // namespace mc
