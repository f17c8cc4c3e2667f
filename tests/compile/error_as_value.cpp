// SPDX-License-Identifier: Apache-2.0
// An Error is not a value: a Result<int> cannot be made from one by accident.
// MUST_SAY: could not convert
#include "core/result.h"

mc::Result<int> answer(mc::Error error) {
#ifdef MC_WRONG
    return error;
#else
    return mc::fail(std::move(error));
#endif
}
