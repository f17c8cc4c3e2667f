// SPDX-License-Identifier: Apache-2.0
// Where a document's file lay when it was taken in: what tells two documents of one name apart, and
// two spellings of one file together.
#pragma once

#include <string_view>

namespace mc::runtime {

// Of a document's metadata: the absolute path, links resolved. Absent where the name was given by
// the user or an agent, and in documents of before it was kept.
inline constexpr std::string_view kSourcePathKey = "megacontext.path";

}  // namespace mc::runtime
