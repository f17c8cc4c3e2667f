// SPDX-License-Identifier: Apache-2.0
// Span arithmetic on constants is checked while compiling: level 13 is beyond any document.
// MUST_SAY: call to non-.constexpr. function
#include "core/span_math.h"

#ifdef MC_WRONG
constexpr auto kTokens = mc::tokens_per_node(mc::Level(13));
#else
constexpr auto kTokens = mc::tokens_per_node(mc::Level(12));
#endif
static_assert(kTokens > 0);
