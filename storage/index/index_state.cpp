// SPDX-License-Identifier: Apache-2.0
#include "storage/index/index_state.h"

namespace mc::storage {

const char* const kStateSchema =
    "CREATE TABLE state(format INTEGER, saves INTEGER, watermark INTEGER, passages INTEGER,"
    " tokens INTEGER, embedder_name TEXT, embedder_hash TEXT, vector_dim INTEGER,"
    " vector_codec TEXT);"
    "INSERT INTO state(format) VALUES(0);";

Result<IndexState> read_state(const SqliteConnection& connection) {
    MC_ASSIGN(auto row, connection.prepare("SELECT format, saves, watermark, passages, tokens, "
                                           "embedder_name, embedder_hash, vector_dim, "
                                           "vector_codec FROM state"));
    MC_ASSIGN(const bool there, row.step());
    bool sound = there && row.integer(0) == kPassageIndexFormat;
    for (const int column : {1, 2, 3, 4, 7}) sound = sound && row.integer(column) >= 0;
    if (!sound)
        return fail(ErrorCode::kStaleIndex,
                    "the passage index has another format; it can be "
                    "rebuilt");
    IndexState state;
    state.saves = row.integer(1);
    state.watermark = CommitNumber(static_cast<std::uint64_t>(row.integer(2)));
    state.size = {static_cast<std::uint64_t>(row.integer(3)),
                  static_cast<std::uint64_t>(row.integer(4))};
    state.embedder_name = row.text(5);
    state.embedder_hash = row.text(6);
    state.vector_dim = static_cast<std::uint32_t>(row.integer(7));
    state.codec = row.text(8);
    return state;
}

Result<void> write_state(SqliteConnection& connection, const IndexState& state) {
    MC_ASSIGN(auto update,
              connection.prepare("UPDATE state SET format = ?1, saves = ?2, watermark = ?3, "
                                 "passages = ?4, tokens = ?5, embedder_name = ?6, "
                                 "embedder_hash = ?7, vector_dim = ?8, vector_codec = ?9"));
    update.bind(1, kPassageIndexFormat);
    update.bind(2, state.saves);
    update.bind(3, static_cast<std::int64_t>(state.watermark.value));
    update.bind(4, static_cast<std::int64_t>(state.size.passages));
    update.bind(5, static_cast<std::int64_t>(state.size.tokens));
    update.bind(6, state.embedder_name);
    update.bind(7, state.embedder_hash);
    update.bind(8, static_cast<std::int64_t>(state.vector_dim));
    update.bind(9, state.codec);
    return update.run();
}

}  // namespace mc::storage
