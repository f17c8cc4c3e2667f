// SPDX-License-Identifier: Apache-2.0
// What the data key of a store is used for: a secret of its own for records, for names in keys, for
// each file of an index, and for small files beside them.
// Value type. Threads: const methods free. Errors: none.
#pragma once

#include <string_view>

#include "storage/seal/sealer.h"
#include "storage/seal/sector_cipher.h"

namespace mc::storage {

// Of an index: each file of it is encrypted by itself.
struct IndexKeys {
    SectorKey content;
    SectorKey log;
    SectorKey journal;
};

class StoreSeal {
  public:
    explicit StoreSeal(const Secret& data_key);

    const Secret& data_key() const { return data_key_; }

    const Sealer& records() const { return records_; }

    // Whole small files of a store; bound to their names.
    const Sealer& files() const { return files_; }

    // What a name looks like in a key.
    HiddenName hidden(std::string_view name) const { return hide_name(names_, name); }

    // index: its place in the store ("7/passages.sqlite").
    IndexKeys index_keys(std::string_view index) const;

  private:
    Secret data_key_;
    Sealer records_;
    Sealer files_;
    Secret names_;
    Secret indexes_;
};

}  // namespace mc::storage
