// SPDX-License-Identifier: Apache-2.0
#include "storage/portable/import_document.h"

#include <utility>

#include "core/check.h"
#include "storage/portable/document_spool.h"
#include "tree/document_builder.h"

namespace mc::storage {
namespace {

BankNodeStore& stored_bank_of(NodeStore& nodes) {
    auto* const bank = dynamic_cast<BankNodeStore*>(&nodes);
    MC_CHECK(bank != nullptr, "a bank of a store on disk");
    return *bank;
}

Result<void> encode_into(DocumentSpool& spool, const DocumentMaking& making) {
    const auto builder = DocumentBuilder::begin(making.encoder, making.with_statistics);
    while (true) {
        MC_ASSIGN(const auto piece, making.next());
        if (!piece) return {};
        if (making.cancelled && making.cancelled->load())
            return fail(ErrorCode::kCancelled,
                        "interrupted; whole documents are stored, and the same command goes on");
        if (const auto* original = std::get_if<OriginalRecord>(&*piece)) {
            MC_TRY(spool.add_original(*original));
        } else if (const auto* bytes = std::get_if<OriginalPiece>(&*piece)) {
            MC_TRY(spool.add_original_piece(*bytes));
        } else {
            const auto& tokens = std::get<std::vector<TokenId>>(*piece);
            std::vector<std::uint16_t> sizes;
            for (const TokenId token : tokens) sizes.push_back(making.size_of(token));
            MC_TRY(spool.add_tokens(tokens, sizes));
            MC_ASSIGN(const auto gists, builder->append(tokens));
            for (const NewGist& made : gists) MC_TRY(spool.add_gist(made));
        }
    }
}

}  // namespace

const BankNodeStore& stored_bank(const NodeStore& nodes) {
    const auto* const bank = dynamic_cast<const BankNodeStore*>(&nodes);
    MC_CHECK(bank != nullptr, "a bank of a store on disk");
    return *bank;
}

bool takes_gists_of(const StoreMeta& store, const StoreMeta& other) {
    const StoreIdentity& ours = store.identity;
    const StoreIdentity& theirs = other.identity;
    return ours.base_model_hash == theirs.base_model_hash &&
           ours.tokenizer_hash == theirs.tokenizer_hash &&
           ours.encoder.hash == theirs.encoder.hash && ours.encoder.shape == theirs.encoder.shape &&
           store.codec == other.codec && store.gist_bytes == other.gist_bytes &&
           store.codebook_hash == other.codebook_hash;
}

Result<DocumentRecord> import_document(NodeStore& nodes, const DocumentRecord& record,
                                       DocumentSource& source,
                                       const std::optional<LogPosition>& log) {
    return stored_bank_of(nodes).adopt(record, source, {}, log);
}

Result<LogPosition> log_position(const NodeStore& nodes) {
    return stored_bank(nodes).log_position();
}

Result<void> set_log_position(NodeStore& nodes, const LogPosition& log) {
    return stored_bank_of(nodes).set_log_position(log);
}

Result<DocumentRecord> import_encoding(NodeStore& nodes, const DocumentRecord& record,
                                       const DocumentMaking& making) {
    BankNodeStore& bank = stored_bank_of(nodes);
    MC_ASSIGN(const GistCoder* const coder, bank.parts().require_coder());
    MC_ASSIGN(const auto spool,
              DocumentSpool::make(bank.parts().meta, *coder, bank.parts().seal != nullptr));
    MC_TRY(encode_into(*spool, making));
    MC_TRY(spool->finish());
    if (spool->byte_count() != record.byte_count)
        return fail(ErrorCode::kCorruption,
                    "document \"" + record.source_name + "\": its tokens spell " +
                        std::to_string(spool->byte_count()) + " bytes, its record says " +
                        std::to_string(record.byte_count));
    DocumentRecord made = record;
    made.token_count = spool->token_count();
    made.gist_end = tail_begin(made.token_count);
    if (making.before_storing) MC_TRY(making.before_storing());
    return bank.adopt(made, *spool, making.succession);
}

Result<std::uint64_t> import_tombstones(NodeStore& nodes, std::span<const Tombstone> tombstones) {
    return stored_bank_of(nodes).adopt_tombstones(tombstones);
}

}  // namespace mc::storage
