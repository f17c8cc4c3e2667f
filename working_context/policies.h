// SPDX-License-Identifier: Apache-2.0
// Scorers that need no training: the baselines of every comparison and the first things to use.
//
//   recency        the newest blocks: nearest the window's end
//   random         blocks drawn by the request's seed: a control
//   uniform        the same level everywhere, as fine as the budget allows
//   keep-high-nll  the blocks that surprised the base model most; needs ingest with --stats
//   bm25, cosine   the request's lexical or vector hits
//   hybrid         both fused (hit_fusion.h)
//
// All are deterministic for a window, a request and its seed. The names are those of the setting
// (kPolicyNames, core/config.h).
#pragma once

#include <memory>
#include <string_view>

#include "core/result.h"
#include "working_context/focus_scorer.h"

namespace mc {

// Errors: kUsage for an unknown name, listing the valid ones.
Result<std::unique_ptr<FocusScorer>> make_policy(std::string_view name);

}  // namespace mc
