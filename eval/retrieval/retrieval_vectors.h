// SPDX-License-Identifier: Apache-2.0
// Index vectors of a retrieval run: read by the base model in resumable parts, or from a file.
//
// Ownership: borrows everything for the call. Threads: one. Errors: kInvalidInput for a file that
// was made for other texts; kCancelled with whole parts kept; kIo, kOutOfSpace, kModel.
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "eval/retrieval/retrieval_search.h"
#include "gistnet/index/index_reader.h"

namespace mc::eval {

// Vectors of all blocks and queries, for each kind of the reader. Parts are kept in folder under
// the identity of texts, model and weights; those that are there are not read again.
Result<std::vector<VectorTable>> read_vectors(
    const lm::BaseModel& model, const gistnet::IndexReader& reader, const Haystack& haystack,
    std::span<const RetrievalQuery> queries, const std::string& texts_hash, const Path& folder,
    const std::function<void(std::uint64_t)>& blocks_done, const std::atomic<bool>* cancelled);

// Another program's: safetensors with blocks (blocks, D) and queries (queries, D), F32, and the
// texts' hash as metadata field texts_hash.
Result<VectorTable> load_vectors(const Path& path, const Haystack& haystack,
                                 std::span<const RetrievalQuery> queries,
                                 const std::string& texts_hash);

}  // namespace mc::eval
