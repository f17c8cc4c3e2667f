// SPDX-License-Identifier: Apache-2.0
// Of which commit the sources of this build are: what results.json records as git_hash.
#pragma once

namespace mc::eval {

// 40 hexadecimal digits, and "-dirty" when a tracked file differed from the commit when this was
// built; empty without git.
extern const char* const kBuildCommit;

}  // namespace mc::eval
