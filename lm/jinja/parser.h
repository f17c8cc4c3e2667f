// SPDX-License-Identifier: Apache-2.0
// Template source → statements. Pure.
// Errors: kInvalidInput naming the line, and the construct where it is one of Jinja's that is not
// supported (macro, include, …).
#pragma once

#include <string_view>
#include <vector>

#include "core/result.h"
#include "lm/jinja/ast.h"

namespace mc::lm::jinja {

Result<std::vector<Statement>> parse_template(std::string_view source);

}  // namespace mc::lm::jinja
