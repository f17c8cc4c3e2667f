// SPDX-License-Identifier: Apache-2.0
// Checks for bugs in this program. Always on; they print what they know and end the process.
// Wrong input and failing disks are not bugs: those are Result errors (core/result.h).
#pragma once

#include <string>
#include <string_view>

namespace mc {

[[noreturn]] void check_failed(std::string_view condition, std::string_view file, int line,
                               const std::string& detail);

}  // namespace mc

// MC_CHECK(condition, detail string): ends the process with condition and detail when false.
#define MC_CHECK(condition, detail)                                                     \
    do {                                                                                \
        if (!(condition)) ::mc::check_failed(#condition, __FILE__, __LINE__, (detail)); \
    } while (false)

// For hot loops and whole-structure walks: on in the dev, light and asan presets.
#if defined(MC_DEBUG_CHECKS)
#define MC_DCHECK(condition, detail) MC_CHECK(condition, detail)
#else
#define MC_DCHECK(condition, detail) \
    do {                             \
    } while (false)
#endif
