// SPDX-License-Identifier: Apache-2.0
// The laws of a stored document, callable from tests, simulation and verify.
//
// Recomputes everything from the token count; trusts no record. Pure reads.
// Cost: reads every token and gist of the document once; memory stays flat.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "tree/node_store.h"

namespace mc {

// One line per broken law; empty when all hold: as many tokens as the record says; every level's
// groups complete and no group beyond; gists of the given shape, finite, index vectors of unit
// length; byte marks at every stride, in order. A record that fails its checksum is a line too.
// Errors: kInvalidInput for a document that the bank does not have; kIo from the store.
Result<std::vector<std::string>> tree_violations(const NodeStore& store, DocumentId document,
                                                 const GistShape& shape);

// As above, of the bank's journal: commits in order, and every document's tokens covered once, in
// order; of others only those that were forgotten are named. Cost: reads the records of all
// documents and the journal once.
Result<std::vector<std::string>> journal_violations(const NodeStore& store);

// kCorruption with the first violation and their number.
Result<void> check_tree(const NodeStore& store, DocumentId document, const GistShape& shape);

}  // namespace mc
