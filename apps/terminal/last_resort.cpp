// SPDX-License-Identifier: Apache-2.0
#include "apps/terminal/last_resort.h"

#include <exception>

namespace mc::apps {

int run_with_last_resort(Output& out, const std::function<int()>& body) {
    try {
        return body();
    } catch (const std::exception& error) {
        out.internal_error(error.what());
    } catch (...) {
        out.internal_error("something was thrown that is no exception");
    }
    return kExitInternal;
}

}  // namespace mc::apps
