// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/batch_plan.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace mc::lm::test {
namespace {

RC_GTEST_PROP(BatchPlan, every_row_runs_once_beside_rows_of_its_kind_with_little_padding, ()) {
    const auto row = rc::gen::map(
        rc::gen::tuple(rc::gen::inRange(0, 3), rc::gen::inRange(0, 4), rc::gen::inRange(0, 60)),
        [](const auto& parts) {
            return std::string(static_cast<std::size_t>(std::get<0>(parts)), 'c') +
                   std::string(static_cast<std::size_t>(std::get<1>(parts)), 'g') +
                   std::string(static_cast<std::size_t>(std::get<2>(parts)), 'c');
        });
    const auto rows = *rc::gen::container<std::vector<std::string>>(row);
    const auto entries_max = *rc::gen::inRange<std::size_t>(1, 500);
    std::vector<int> seen(rows.size(), 0);
    for (const auto& batch : plan_batches(rows, entries_max)) {
        const std::string& longest = rows[batch.front()];
        std::size_t filled = 0;
        for (const std::size_t i : batch) {
            ++seen[i];
            filled += rows[i].size();
            RC_ASSERT(longest.starts_with(rows[i]));
        }
        const std::size_t padded = longest.size() * batch.size();
        RC_ASSERT(batch.size() == 1 || padded <= entries_max);
        RC_ASSERT(static_cast<double>(padded - filled) <=
                  kPaddingShareMax * static_cast<double>(padded) + 1e-9);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) RC_ASSERT(seen[i] == (rows[i].empty() ? 0 : 1));
}

TEST(BatchPlan, near_lengths_share_a_batch) {
    const std::vector<std::string> rows = {std::string(100, 'c'), std::string(95, 'c'),
                                           std::string(20, 'c'), std::string(97, 'c')};
    const std::vector<std::vector<std::size_t>> expected = {{0, 3, 1}, {2}};
    EXPECT_EQ(plan_batches(rows, 1024), expected);
}

}  // namespace
}  // namespace mc::lm::test
