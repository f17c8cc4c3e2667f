// SPDX-License-Identifier: Apache-2.0
// Whole documents into a bank: with the gists that they bring, or with new ones.
//
// Each is one transaction: a kill leaves all of a document or nothing.
// Requires: nodes are a bank of a Store. Threads: one. Errors, with nothing changed: those of
// BankNodeStore::adopt(); kModel, kCancelled while gists are made.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "core/result.h"
#include "storage/lmdb/bank_node_store.h"
#include "storage/portable/bank_file.h"
#include "tree/gist_encoder.h"
#include "tree/log_position.h"

namespace mc::storage {

// The bank behind the port.
const BankNodeStore& stored_bank(const NodeStore& nodes);

// Whether gists of the one store can stand in the other as they are.
bool takes_gists_of(const StoreMeta& store, const StoreMeta& other);

// Requires: the source's groups are of this store's codec and encoder. log: how far the bank has
// followed its log with this document; becomes durable with it.
Result<DocumentRecord> import_document(NodeStore& nodes, const DocumentRecord& record,
                                       DocumentSource& source,
                                       const std::optional<LogPosition>& log = {});

// How far the bank has followed its log. Errors: the store's.
Result<LogPosition> log_position(const NodeStore& nodes);
Result<void> set_log_position(NodeStore& nodes, const LogPosition& log);

// Its original, then its tokens, any number at a time.
using MadePiece = std::variant<OriginalRecord, OriginalPiece, std::vector<TokenId>>;

// How a document's text becomes tokens and gists of this store.
struct DocumentMaking {
    GistEncoder& encoder;
    // What comes next of the document, nullopt at its end. The tokens must spell as many bytes as
    // the record says (kCorruption otherwise).
    std::function<Result<std::optional<MadePiece>>()> next;
    std::function<std::uint16_t(TokenId)> size_of;  // in bytes
    const std::atomic<bool>* cancelled = nullptr;
    bool with_statistics = false;
    // Called once the whole document is made, before anything of it is stored; may be empty.
    std::function<Result<void>()> before_storing = {};
    // What the document takes the place of, in the transaction that stores it.
    std::optional<Succession> succession = {};
};

// The record's token count is made anew. Cost: as ingest.
Result<DocumentRecord> import_encoding(NodeStore& nodes, const DocumentRecord& record,
                                       const DocumentMaking& making);

// How many the bank did not have yet.
Result<std::uint64_t> import_tombstones(NodeStore& nodes, std::span<const Tombstone> tombstones);

}  // namespace mc::storage
