// SPDX-License-Identifier: Apache-2.0
// A text as tokens, from a file or standard input, however long it is.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/ids.h"
#include "core/result.h"
#include "lm/base_model.h"

namespace mc::apps {

using TokenReceiver = std::function<Result<void>(std::span<const TokenId> tokens)>;

// Hands over the text's tokens as they come, and returns its bytes. file: a path, or "-" for
// standard input. Errors: kInvalidInput for a folder and for an empty text; kIo; the receiver's.
Result<std::uint64_t> read_text_tokens(const std::string& file, const lm::BaseModel& model,
                                       const TokenReceiver& receive);

}  // namespace mc::apps
