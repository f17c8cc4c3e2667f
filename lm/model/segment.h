// SPDX-License-Identifier: Apache-2.0
// What a model is given to read: runs of tokens, input vectors and gists. Value types; gists are
// borrowed for the call.
#pragma once

#include <utility>
#include <vector>

#include "core/ids.h"
#include "tree/gist.h"

namespace mc::lm {

// A run of entries of one kind; exactly one member is not empty. Pointers are borrowed for the
// call.
struct Segment {
    std::vector<TokenId> tokens;
    std::vector<float> vectors;  // (n, hidden_dim): input vectors in place of embeddings
    std::vector<const Gist*> gists;

    static Segment of_tokens(std::vector<TokenId> t) { return {std::move(t), {}, {}}; }

    static Segment of_gists(std::vector<const Gist*> g) { return {{}, {}, std::move(g)}; }

    static Segment of_vectors(std::vector<float> v) { return {{}, std::move(v), {}}; }
};

// Independent context and scored tokens, for BaseModel::score_batch.
struct ScoringCase {
    std::vector<Segment> context;  // read first, nothing in front: pass BOS yourself
    std::vector<TokenId> scored;
};

}  // namespace mc::lm
