// SPDX-License-Identifier: Apache-2.0
#include "eval/conditions.h"

#include "core/span_math.h"

namespace mc::eval {

std::vector<Condition> conditions_for(const DeltaNllOptions& options) {
    const std::uint32_t context = options.context_tokens;
    const auto blocks = static_cast<std::uint32_t>(context / kBlockSize);
    std::vector<Condition> conditions = {
        {std::string(kConditionNone), ConditionKind::kNone, 0, 0},
        {std::string(kConditionFull), ConditionKind::kFull, context, 0},
    };
    for (std::size_t e = 0; e < options.encoders.size(); ++e) {
        const std::string& name = options.encoders[e];
        conditions.push_back({name, ConditionKind::kGists, blocks, e});
        conditions.push_back(
            {std::string(kShuffledPrefix) + name, ConditionKind::kShuffledGists, blocks, e});
    }
    conditions.push_back({"embedding-mean", ConditionKind::kEmbeddingMean, blocks, 0});
    conditions.push_back({"zero", ConditionKind::kZeroGists, blocks, 0});
    // As many raw tokens as there are gists, then what a gist would have to be worth.
    for (const std::uint32_t raw : {blocks, 2 * blocks, 4 * blocks, 8 * blocks, 16 * blocks})
        conditions.push_back({"last-" + std::to_string(raw), ConditionKind::kLastRaw, raw, 0});
    return conditions;
}

}  // namespace mc::eval
