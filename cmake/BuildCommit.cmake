# Run at every build (cmake -DSOURCE=… -DOUTPUT=… -P): writes a source file that says of which commit
# the sources are, with "-dirty" when tracked files differ from it; empty without git. A file that
# would not change is not touched, so nothing is compiled again.
execute_process(COMMAND git describe --always --dirty --abbrev=40 --exclude=*
                WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
    set(commit "")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
// SPDX-License-Identifier: Apache-2.0
// Made by cmake/BuildCommit.cmake.
#include "eval/report/build_commit.h"

namespace mc::eval {

const char* const kBuildCommit = "@commit@";

}  // namespace mc::eval
]] @ONLY)
