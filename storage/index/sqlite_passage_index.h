// SPDX-License-Identifier: Apache-2.0
// PassageIndex in one SQLite file: words, vectors' codes and the watermark are one transaction, so
// an index never claims what it lacks.
//
// Vectors are read into memory by the first search for one; adding does not need them. A reader
// beside a writer sees the newest save, each call one state; what a reader adds, it adds to a copy
// in memory. Threads: one connection behind a mutex. Errors: kStaleIndex for damage, another format
// or another embedder, at open or later; kOutOfSpace and kIo from changes.
#pragma once

#include <memory>
#include <optional>

#include "core/files.h"
#include "storage/index/sqlite_connection.h"
#include "storage/index/vector_codec.h"
#include "tree/passage_index.h"
#include "tree/text_embedder.h"

namespace mc::storage {

struct PassageIndexOptions {
    Path path;
    SqliteAccess access = SqliteAccess::kRead;  // kRead of a file that is absent: kMemory
    TextEmbedderInfo embedder;                  // dim 0: words alone
    std::unique_ptr<VectorCodec> codec;         // null: halves
    std::optional<IndexKeys> keys;              // nullopt: the file is not encrypted
};

// An absent file is an empty index. One that was made with vectors serves a reader without an
// embedder too, for words.
Result<std::unique_ptr<PassageIndex>> open_sqlite_passage_index(PassageIndexOptions options);

}  // namespace mc::storage
