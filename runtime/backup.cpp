// SPDX-License-Identifier: Apache-2.0
#include "runtime/backup.h"

#include "storage/backup.h"

namespace mc::runtime {

Result<void> back_up(const Config& config, const Path& destination, telemetry::Metrics& metrics,
                     const std::function<Result<void>(Engine& copy)>& check) {
    const auto check_copy = [&](const Path& folder) -> Result<void> {
        Config of_copy = config;
        of_copy.store = folder;
        MC_ASSIGN(const auto copy, Engine::open(of_copy, Need::kStore, Access::kRead, metrics));
        return check(*copy);
    };
    return storage::back_up_store(config.store, destination, check_copy);
}

}  // namespace mc::runtime
