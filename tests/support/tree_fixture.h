// SPDX-License-Identifier: Apache-2.0
// Documents grown through the real builder into a memory store, in batches as a test likes them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/rng.h"
#include "tests/support/fake_encoder.h"
#include "tests/support/memory_node_store.h"
#include "tree/document_builder.h"

namespace mc {

inline std::vector<TokenId> random_tokens(Rng& rng, std::uint64_t count) {
    std::vector<TokenId> tokens(count);
    for (TokenId& token : tokens) token = static_cast<TokenId>(rng.below(49'152));
    return tokens;
}

// What a batch holds; every token stands for 1 to 4 bytes.
inline IngestBatch make_batch(DocumentRecord record, std::vector<TokenId> tokens,
                              std::vector<NewGist> gists) {
    IngestBatch batch;
    for (const TokenId token : tokens) {
        batch.token_sizes_bytes.push_back(static_cast<std::uint16_t>(1 + token % 4));
        record.byte_count += batch.token_sizes_bytes.back();
    }
    record.token_count += tokens.size();
    batch.document = std::move(record);
    batch.tokens = std::move(tokens);
    batch.gists = std::move(gists);
    return batch;
}

// One document under construction.
class GrowingDocument {
  public:
    GrowingDocument(NodeStore& store, GistEncoder& encoder, const std::string& source_name,
                    bool with_statistics = false)
        : store_(store), encoder_(encoder), with_statistics_(with_statistics) {
        DocumentRecord draft;
        draft.source_name = source_name;
        id_ = store_.create_document(draft)->id;
        resume();
    }

    DocumentId id() const { return id_; }

    DocumentRecord record() const { return **store_.find_document(id_); }

    // Drops the builder and makes another from the store, as after a restart.
    void resume() {
        const DocumentRecord now = record();
        builder_ = std::move(*DocumentBuilder::resume(store_, now, encoder_, with_statistics_));
        const auto tail = *store_.read_tokens(id_, {now.gist_end, now.token_count});
        MC_CHECK(builder_->append(tail)->empty(), "a document whose gists are all made");
    }

    // Appends and commits.
    Result<void> append(std::vector<TokenId> tokens) {
        MC_ASSIGN(auto gists, builder_->append(tokens));
        MC_TRY(store_.commit(make_batch(record(), std::move(tokens), std::move(gists))));
        return {};
    }

  private:
    NodeStore& store_;
    GistEncoder& encoder_;
    bool with_statistics_;
    DocumentId id_;
    std::unique_ptr<DocumentBuilder> builder_;
};

}  // namespace mc
