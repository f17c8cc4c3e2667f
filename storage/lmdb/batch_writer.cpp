// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/batch_writer.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"
#include "core/span_math.h"
#include "formats/half_float.h"

namespace mc::storage {
namespace {

void check_continues(const StoredDocument& stored, const IngestBatch& batch) {
    const DocumentRecord& before = stored.record;
    const DocumentRecord& after = batch.document;
    MC_CHECK(after.id == before.id && after.bank == before.bank &&
                 after.source_name == before.source_name,
             "a batch for another document");
    MC_CHECK(batch.token_sizes_bytes.size() == batch.tokens.size(), "one size per token");
    MC_CHECK(after.token_count == before.token_count + batch.tokens.size(),
             "the batch's tokens do not continue the document");
    const std::uint64_t bytes_added = std::accumulate(
        batch.token_sizes_bytes.begin(), batch.token_sizes_bytes.end(), std::uint64_t{0});
    MC_CHECK(after.byte_count == before.byte_count + bytes_added,
             "the batch's bytes do not continue the document");
    MC_CHECK(after.token_count <= kDocumentTokensMax, "document beyond kDocumentTokensMax");
}

Result<void> append_tokens(WriteTransaction& txn, const DocumentRecord& before,
                           const IngestBatch& batch) {
    std::size_t taken = 0;
    std::uint64_t byte = before.byte_count;
    while (taken < batch.tokens.size()) {
        const std::uint64_t position = before.token_count + taken;
        const std::uint64_t index = position / kTokenMarkStride;
        TokenChunk chunk;
        if (position % kTokenMarkStride == 0) {
            chunk.first_byte = byte;
        } else {
            MC_ASSIGN(chunk, require_chunk(txn, before, index));
        }
        const std::size_t count = std::min<std::size_t>(kTokenMarkStride - chunk.tokens.size(),
                                                        batch.tokens.size() - taken);
        for (std::size_t i = taken; i < taken + count; ++i) {
            chunk.tokens.push_back(batch.tokens[i]);
            byte += batch.token_sizes_bytes[i];
        }
        taken += count;
        MC_TRY(
            put_record(txn, Database::kTokens, token_key(before.id, index), encode_tokens, chunk));
    }
    return {};
}

// A group has log-mass for all of its gists or for none.
void append_log_mass(StoredGroup& group, const Gist& gist, std::uint64_t count) {
    MC_CHECK(gist.log_mass.empty() || gist.log_mass.size() == count, "log-mass of another shape");
    if (gist.log_mass.empty() && group.log_mass.empty()) return;
    group.log_mass.resize(group.count * count, 0);
    group.log_mass.insert(group.log_mass.end(), gist.log_mass.begin(), gist.log_mass.end());
    group.log_mass.resize((group.count + std::uint64_t{1}) * count, 0);
}

// Collects the gists of one parent and writes them when the next parent begins.
class GroupWriter {
  public:
    GroupWriter(WriteTransaction& txn, const StoreMeta& meta, const GistCoder& coder,
                StoredDocument& stored)
        : txn_(txn), meta_(meta), coder_(coder), stored_(stored) {}

    Result<void> append(const NewGist& made) {
        const NodeId node = made.node;
        MC_CHECK(node.document == stored_.record.id, "a gist of another document");
        MC_CHECK(node.level >= Level(1) && node.level <= kLevelMax, "a gist of no level");
        if (stored_.gist_counts.size() < node.level.value)
            stored_.gist_counts.resize(node.level.value, 0);
        std::uint64_t& count = stored_.gist_counts[node.level.value - 1u];
        MC_CHECK(node.index.value == count, "the batch's gists leave a gap or overwrite");
        const NodeIndex parent(node.index.value >> kBlockBits);
        if (!open_ || level_ != node.level || parent_ != parent) {
            MC_TRY(flush());
            MC_TRY(start(node.level, parent));
        }
        MC_TRY(append_gist(group_, made.gist, meta_, coder_));
        ++count;
        return {};
    }

    Result<void> flush() {
        if (!open_) return {};
        open_ = false;
        return put_record(txn_, Database::kGists, group_key(stored_.record.id, level_, parent_),
                          encode_group, group_);
    }

  private:
    Result<void> start(Level level, NodeIndex parent) {
        open_ = true;
        level_ = level;
        parent_ = parent;
        group_ = empty_group(meta_);
        if (group_size(stored_.gist_counts[level.value - 1u], parent) == 0) return {};
        MC_ASSIGN(group_, require_group(txn_, meta_, stored_, level, parent));
        return {};
    }

    WriteTransaction& txn_;
    const StoreMeta& meta_;
    const GistCoder& coder_;
    StoredDocument& stored_;
    bool open_ = false;
    Level level_;
    NodeIndex parent_;
    StoredGroup group_;
};

}  // namespace

StoredGroup empty_group(const StoreMeta& meta) {
    StoredGroup group;
    group.codec = meta.codec;
    group.encoder_hash = meta.identity.encoder.hash;
    return group;
}

Result<void> append_gist(StoredGroup& group, const Gist& gist, const StoreMeta& meta,
                         const GistCoder& coder) {
    const GistShape& shape = meta.identity.encoder.shape;
    MC_CHECK(gist.kv.size() == shape.kv_count(), "a gist of another shape");
    MC_CHECK(gist.index_vector.size() == shape.index_dim, "an index vector of another width");
    const std::size_t begin = group.kv.size();
    group.kv.resize(begin + coder.gist_bytes());
    MC_TRY(coder.encode(gist.kv, std::span(group.kv).subspan(begin)));
    append_log_mass(group, gist, shape.log_mass_count());
    for (const float value : gist.index_vector) group.index_vectors.push_back(float_to_half(value));
    group.mean_nll.push_back(gist.statistics.mean_nll);
    group.mean_entropy.push_back(gist.statistics.mean_entropy);
    ++group.count;
    return {};
}

std::uint64_t chunk_size(std::uint64_t token_count, std::uint64_t chunk) {
    const std::uint64_t begin = chunk * kTokenMarkStride;
    return begin >= token_count ? 0 : std::min(kTokenMarkStride, token_count - begin);
}

std::uint64_t group_size(std::uint64_t gist_count, NodeIndex parent) {
    if (parent.value > (gist_count >> kBlockBits)) return 0;  // before a shift could overflow
    const std::uint64_t begin = parent.value << kBlockBits;
    return begin >= gist_count ? 0 : std::min(kBlockSize, gist_count - begin);
}

Result<TokenChunk> require_chunk(const ReadTransaction& txn, const DocumentRecord& document,
                                 std::uint64_t chunk) {
    const std::string key = token_key(document.id, chunk);
    MC_ASSIGN(TokenChunk found, require_record(txn, Database::kTokens, key, decode_tokens));
    if (found.tokens.size() != chunk_size(document.token_count, chunk))
        return fail(corrupt_record(txn.directory(), Database::kTokens, key,
                                   "not as many tokens as the document's record says"));
    return found;
}

Result<StoredGroup> require_group(const ReadTransaction& txn, const StoreMeta& meta,
                                  const StoredDocument& document, Level level, NodeIndex parent) {
    const std::string key = group_key(document.record.id, level, parent);
    MC_ASSIGN(StoredGroup found, require_record(txn, Database::kGists, key, decode_group, meta));
    if (found.count != group_size(document.gist_counts[level.value - 1u], parent))
        return fail(corrupt_record(txn.directory(), Database::kGists, key,
                                   "not as many gists as the document's record says"));
    return found;
}

Result<void> write_batch(WriteTransaction& txn, const StoreMeta& meta, const GistCoder& coder,
                         StoredDocument& stored, const IngestBatch& batch) {
    check_continues(stored, batch);
    MC_TRY(append_tokens(txn, stored.record, batch));
    GroupWriter groups(txn, meta, coder, stored);
    for (const NewGist& made : batch.gists) MC_TRY(groups.append(made));
    MC_TRY(groups.flush());
    stored.record = batch.document;
    stored.record.gist_end = gist_end_of(stored.gist_counts);
    MC_CHECK(stored.record.gist_end <= stored.record.token_count,
             "a gist beyond the document's tokens");
    MC_CHECK(stored.gist_counts == gist_counts_of(stored.record.gist_end),
             "gists of one level without those above");
    return put_record(txn, Database::kDocuments, document_key(stored.record.bank, stored.record.id),
                      encode_document, stored);
}

}  // namespace mc::storage
