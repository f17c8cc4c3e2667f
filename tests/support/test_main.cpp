// SPDX-License-Identifier: Apache-2.0
// The main program of every GoogleTest executable: one in which a test was skipped and none failed
// ends with kSkipped, so that ctest counts it as skipped and not as passed.
#include <gtest/gtest.h>

namespace {

constexpr int kSkipped = 77;  // SKIP_RETURN_CODE of mc_test()

}  // namespace

int main(int argument_count, char** arguments) {
    testing::InitGoogleTest(&argument_count, arguments);
    const int failed = RUN_ALL_TESTS();
    if (failed != 0) return failed;
    return testing::UnitTest::GetInstance()->skipped_test_count() > 0 ? kSkipped : 0;
}
