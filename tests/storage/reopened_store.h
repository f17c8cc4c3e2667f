// SPDX-License-Identifier: Apache-2.0
// A store on disk with the bank "alpha", which a test may close and open again.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "storage/store.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {

class ReopenedStore : public testing::Test {
  protected:
    ReopenedStore() { reopen(StoreMode::kWriteOrCreate); }

    Path directory() const { return scratch_.path() / "store"; }

    void reopen(StoreMode mode) {
        bank_.reset();
        store_.reset();
        store_ = open_or_die(test_options(directory(), mode));
        if (!*store_->find_bank("alpha")) {
            EXPECT_TRUE(store_->create_bank("alpha"));
        }
        bank_ = *store_->bank_store("alpha");
    }

    std::uint64_t faults() const {
        return store_
            ->verify_records(
                [](const RecordFault& fault) { ADD_FAILURE() << fault.error.to_string(); })
            ->faults;
    }

    ScratchDirectory scratch_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<NodeStore> bank_;
};

}  // namespace mc::storage
