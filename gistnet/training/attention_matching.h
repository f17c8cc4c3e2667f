// SPDX-License-Identifier: Apache-2.0
// Attention matching: gists are good when every layer's attention gives what it gave over raw text.
//
// The model reads a text raw once. In runs of its tokens, and in every layer, its own queries
// attend to [BOS][gists of the older text][raw tokens since] at compact positions instead of the
// raw text; the loss is the squared difference of the attention's output after the output
// projection, as a share of what showing no gist at all would cost. Every layer's hidden states are
// those of the raw text, so that layers do not disturb one another and nothing goes back through
// the model: a token costs attention alone, and every layer gets its own gradient. (Cf. the
// per-layer regression of Attention Matching, Zweiger et al. 2026, there for one context, here for
// a compressor.) f32. Ownership: borrows model. Threads: one. Errors: libtorch's exceptions pass.
// Letters: P tokens of all runs, T tokens of the text, L layers, Hq query heads, H KV heads, D head
// width.
#pragma once

#include <cstdint>
#include <vector>

#include "gistnet/training/case_batch.h"
#include "gistnet/training/match_run.h"

namespace mc::gistnet {

// A text as the model read it, without BOS.
struct MatchText {
    at::Tensor queries;   // (L, Hq, T, D), before rotation
    at::Tensor attended;  // (L, T, Hq × D)
    at::Tensor keys;      // (L, H, T, D), before rotation
    at::Tensor values;    // (L, H, T, D)
};

// Gists of a text, (n, L, H, D) f32; parents may be empty.
struct MatchGists {
    KeysValues blocks;
    KeysValues parents;
};

struct MatchResult {
    std::vector<double> unexplained;  // (L): 0 as raw, 1 as with no gist
    MatchGists gradient;              // of the layers' mean
};

MatchResult match_attention(const lm::TorchModel& model, const KeysValues& bos,
                            const MatchText& text, const MatchGists& gists,
                            const std::vector<MatchRun>& runs);

}  // namespace mc::gistnet
