// SPDX-License-Identifier: Apache-2.0
// fail() makes an error; forgetting to return it would go on as if nothing had happened.
// MUST_SAY: ignoring return value of
#include "core/result.h"

mc::Result<int> half(int number) {
    if (number % 2 != 0)
#ifdef MC_WRONG
        mc::fail(mc::ErrorCode::kInvalidInput, "odd");
#else
        return mc::fail(mc::ErrorCode::kInvalidInput, "odd");
#endif
    return number / 2;
}
