// SPDX-License-Identifier: Apache-2.0
#include "core/check.h"

#include <cstdio>
#include <cstdlib>

namespace mc {

void check_failed(std::string_view condition, std::string_view file, int line,
                  const std::string& detail) {
    std::fprintf(stderr, "megacontext: internal check failed: %.*s (%s) at %.*s:%d\n",
                 static_cast<int>(condition.size()), condition.data(), detail.c_str(),
                 static_cast<int>(file.size()), file.data(), line);
    std::abort();
}

}  // namespace mc
