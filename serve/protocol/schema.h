// SPDX-License-Identifier: Apache-2.0
// Checks a value against a JSON Schema of the few keywords that the verbs use.
//
// Known: type (a name or a list of names), properties, required, additionalProperties (false or a
// schema), items, enum, minimum, maximum, minLength, maxItems. Other keywords say nothing here.
// Pure. Errors: kInvalidInput naming the field.
#pragma once

#include <string>

#include "serve/protocol/json.h"

namespace mc::serve {

// name: what the value is called in an error, such as "recall".
Result<void> check_schema(const Json& schema, const Json& value, const std::string& name);

}  // namespace mc::serve
