// SPDX-License-Identifier: Apache-2.0
// A result that nobody looks at is an error that nobody sees.
// MUST_SAY: ignoring returned value of type
#include "core/result.h"

mc::Result<int> step();
mc::Result<void> other_step();

mc::Result<void> caller() {
    MC_TRY(step());
#ifdef MC_WRONG
    other_step();
#else
    MC_TRY(other_step());
#endif
    return {};
}
