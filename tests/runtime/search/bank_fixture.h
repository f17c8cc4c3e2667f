// SPDX-License-Identifier: Apache-2.0
// A bank in a store on disk whose documents are written as text, without a base model.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "runtime/search/bank_search.h"
#include "tests/lm/tokenizer/toy_tokenizer.h"
#include "tests/support/store_fixture.h"
#include "tests/support/word_embedder.h"

namespace mc::runtime::test {

class BankFixture : public ::testing::Test {
  protected:
    BankFixture() { reopen(storage::StoreMode::kWriteOrCreate); }

    void close() {
        text_.reset();
        nodes_.reset();
        store_.reset();
    }

    void reopen(storage::StoreMode mode) {
        close();
        store_ = storage::open_or_die(storage::test_options(directory_.path(), mode));
        const bool missing = !*store_->find_bank("default");
        if (missing) {
            EXPECT_TRUE(store_->create_bank("default").has_value());
        }
        nodes_ = std::move(*store_->bank_store("default"));
        text_ = std::make_unique<BankText>(*nodes_, *tokenizer_);
    }

    // Appends to the document of this name, made when it is missing.
    DocumentId append(const std::string& name, std::string_view text) {
        auto known = *nodes_->find_document_by_source(name);
        if (!known) {
            DocumentRecord draft;
            draft.source_name = name;
            draft.media_type = "text/plain";
            known = *nodes_->create_document(draft);
        }
        IngestBatch batch;
        batch.document = *known;
        for (const TokenId token : tokenizer_->encode(text)) {
            batch.tokens.push_back(token);
            const auto size = tokenizer_->bytes_of(token).size();
            batch.token_sizes_bytes.push_back(static_cast<std::uint16_t>(size));
            batch.document.byte_count += size;
        }
        batch.document.token_count += batch.tokens.size();
        for (Level level(1); level <= top_level(batch.document.token_count); ++level.value)
            for (std::uint64_t i = node_count(known->token_count, level);
                 i < node_count(batch.document.token_count, level); ++i) {
                const NodeId node{known->id, level, NodeIndex(i)};
                batch.gists.push_back(
                    {node, storage::gist_of(node, storage::test_identity().encoder.shape)});
            }
        EXPECT_TRUE(nodes_->commit(batch));
        return known->id;
    }

    std::unique_ptr<BankSearch> open_search(TextEmbedder* embedder) {
        auto search = BankSearch::open(*text_, *store_, embedder);
        EXPECT_TRUE(search) << search.error().to_string();
        return std::move(*search);
    }

    std::string text_of(const Passage& passage) const {
        return *text_->read_text(passage.document, passage.tokens);
    }

    // The texts of all passages of a document, white space at their ends cut off.
    std::vector<std::string> passages_of(const BankSearch& search, DocumentId document) const {
        const auto record = *nodes_->find_document(document);
        std::vector<std::string> texts;
        const auto passages = *search.index().passages_in(document, {0, record->token_count});
        for (const Passage& passage : passages) {
            std::string text = text_of(passage);
            text.erase(text.find_last_not_of(" \n") + 1);
            text.erase(0, text.find_first_not_of(" \n"));
            texts.push_back(std::move(text));
        }
        return texts;
    }

    storage::ScratchDirectory directory_;
    std::unique_ptr<lm::Tokenizer> tokenizer_ = lm::test::make_toy_tokenizer();
    std::unique_ptr<storage::Store> store_;
    std::unique_ptr<NodeStore> nodes_;
    std::unique_ptr<BankText> text_;
    WordEmbedder embedder_;
};

}  // namespace mc::runtime::test
