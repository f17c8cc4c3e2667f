// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/redaction_writer.h"

#include <algorithm>

#include "core/check.h"
#include "core/span_math.h"
#include "formats/half_float.h"
#include "storage/lmdb/batch_writer.h"

namespace mc::storage {
namespace {

void check_fits(const StoredDocument& stored, const Redaction& redaction) {
    const DocumentRecord& before = stored.record;
    const DocumentRecord& after = redaction.document;
    MC_CHECK(after.id == before.id && after.bank == before.bank &&
                 after.source_name == before.source_name && after.token_count == before.token_count,
             "a redaction of another document");
    MC_CHECK(!redaction.runs.empty() && !redaction.unindexed.empty(), "a redaction of nothing");
    std::uint64_t removed = 0;
    std::uint64_t end = 0;
    for (const BlankedRun& run : redaction.runs) {
        MC_CHECK(run.tokens.begin >= end && run.tokens.begin < run.tokens.end &&
                     run.tokens.end <= before.token_count,
                 "runs out of order");
        MC_CHECK(run.tokens.begin / kTokenMarkStride == (run.tokens.end - 1) / kTokenMarkStride,
                 "a run across two chunks");
        end = run.tokens.end;
        removed += run.byte_count;
    }
    MC_CHECK(after.byte_count + removed == before.byte_count, "bytes that do not add up");
}

Result<void> blank_tokens(WriteTransaction& txn, const DocumentRecord& document,
                          const Redaction& redaction) {
    std::uint64_t removed = 0;
    auto run = redaction.runs.begin();
    for (std::uint64_t index = run->tokens.begin / kTokenMarkStride;
         chunk_size(document.token_count, index) > 0; ++index) {
        MC_ASSIGN(TokenChunk chunk, require_chunk(txn, document, index));
        chunk.first_byte -= removed;
        const std::uint64_t begin = index * kTokenMarkStride;
        for (; run != redaction.runs.end() && run->tokens.begin / kTokenMarkStride == index;
             ++run) {
            std::fill(chunk.tokens.begin() + static_cast<std::ptrdiff_t>(run->tokens.begin - begin),
                      chunk.tokens.begin() + static_cast<std::ptrdiff_t>(run->tokens.end - begin),
                      redaction.blank);
            removed += run->byte_count;
        }
        MC_TRY(put_record(txn, Database::kTokens, token_key(document.id, index), encode_tokens,
                          chunk));
    }
    return {};
}

// Writes a gist over another of the group. Requires: slot < group.count.
Result<void> replace_gist(StoredGroup& group, std::uint64_t slot, const Gist& gist,
                          const StoreMeta& meta, const GistCoder& coder) {
    const GistShape& shape = meta.identity.encoder.shape;
    MC_CHECK(slot < group.count, "a gist that is not there yet");
    MC_CHECK(gist.kv.size() == shape.kv_count() && gist.index_vector.size() == shape.index_dim,
             "a gist of another shape");
    MC_TRY(coder.encode(
        gist.kv, std::span(group.kv).subspan(slot * coder.gist_bytes(), coder.gist_bytes())));
    const std::uint64_t masses = shape.log_mass_count();
    if (!gist.log_mass.empty()) group.log_mass.resize(group.count * masses, 0);
    for (std::uint64_t i = 0; i < masses && !group.log_mass.empty(); ++i)
        group.log_mass[slot * masses + i] =
            gist.log_mass.empty() ? std::int8_t{0} : gist.log_mass[i];
    for (std::uint64_t i = 0; i < shape.index_dim; ++i)
        group.index_vectors[slot * shape.index_dim + i] = float_to_half(gist.index_vector[i]);
    group.mean_nll[slot] = gist.statistics.mean_nll;
    group.mean_entropy[slot] = gist.statistics.mean_entropy;
    return {};
}

Result<void> replace_gists(WriteTransaction& txn, const StoreMeta& meta, const GistCoder& coder,
                           const StoredDocument& stored, std::span<const NewGist> gists) {
    const auto parent_at = [&](std::size_t i) { return parent_of(gists[i].node); };
    for (std::size_t first = 0; first < gists.size();) {
        const NodeId parent = parent_at(first);
        const Level level = gists[first].node.level;
        MC_CHECK(parent.document == stored.record.id, "a gist of another document");
        MC_ASSIGN(StoredGroup group, require_group(txn, meta, stored, level, parent.index));
        for (; first < gists.size() && parent_at(first) == parent; ++first)
            MC_TRY(replace_gist(group, slot_in_parent(gists[first].node), gists[first].gist, meta,
                                coder));
        MC_TRY(put_record(txn, Database::kGists, group_key(stored.record.id, level, parent.index),
                          encode_group, group));
    }
    return {};
}

}  // namespace

Result<void> write_redaction(WriteTransaction& txn, const StoreMeta& meta, const GistCoder& coder,
                             StoredDocument& stored, const Redaction& redaction) {
    check_fits(stored, redaction);
    MC_TRY(blank_tokens(txn, stored.record, redaction));
    MC_TRY(replace_gists(txn, meta, coder, stored, redaction.gists));
    stored.record = redaction.document;
    return put_record(txn, Database::kDocuments, document_key(stored.record.bank, stored.record.id),
                      encode_document, stored);
}

}  // namespace mc::storage
