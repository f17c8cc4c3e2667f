// SPDX-License-Identifier: Apache-2.0
#include "tree/gist_statistics.h"

#include <cmath>

namespace mc {

Result<std::optional<bool>> has_statistics(const NodeStore& store, const DocumentRecord& document) {
    if (document.gist_end == 0) return std::optional<bool>();
    MC_ASSIGN(const auto group, store.find_gists(document.id, Level(1), NodeIndex(0)));
    if (!group || group->gists.empty())
        return fail(ErrorCode::kCorruption, "document d" + std::to_string(document.id.value) +
                                                " has no first gist; run megacontext verify");
    return std::optional(!std::isnan(group->gists.front().statistics.mean_nll));
}

}  // namespace mc
