// SPDX-License-Identifier: Apache-2.0
// The memory store keeps the rules of the port that other tests rely on.
#include "tests/support/memory_node_store.h"

#include <gtest/gtest.h>

#include "tests/support/tree_fixture.h"

namespace mc {
namespace {

TEST(MemoryNodeStore, RefusesDocumentsThatItDoesNotHave) {
    MemoryNodeStore store;
    const DocumentId unknown(9);
    EXPECT_EQ(store.read_tokens(unknown, {}).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(store.find_gists(unknown, Level(1), NodeIndex(0)).error().code(),
              ErrorCode::kInvalidInput);
    EXPECT_EQ(*store.find_document(unknown), std::nullopt);
}

TEST(MemoryNodeStore, GivesASourceNameToOneDocument) {
    MemoryNodeStore store;
    DocumentRecord draft;
    draft.source_name = "a";
    const DocumentId first = store.create_document(draft)->id;
    EXPECT_EQ(store.create_document(draft).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(store.find_document_by_source("a").value()->id, first);
    draft.source_name = "b";
    EXPECT_NE(store.create_document(draft)->id, first);
}

TEST(MemoryNodeStore, MarksLieAtMostOneStrideBefore) {
    MemoryNodeStore store;
    FakeEncoder encoder;
    GrowingDocument document(store, encoder, "book");
    Rng rng(3);
    for (int i = 0; i < 7; ++i) ASSERT_TRUE(document.append(random_tokens(rng, 700)));
    const auto& content = store.content(document.id());
    std::uint64_t byte = 0;
    for (std::uint64_t token = 0; token < content.tokens.size(); ++token) {
        const TokenByteMark by_token = *store.mark_before_token(document.id(), token);
        ASSERT_LE(by_token.token, token);
        ASSERT_LE(token - by_token.token, kTokenMarkStride);
        const TokenByteMark by_byte = *store.mark_before_byte(document.id(), byte);
        ASSERT_EQ(by_byte.byte, by_token.byte);
        byte += static_cast<std::uint64_t>(1 + content.tokens[token] % 4);
    }
    EXPECT_EQ(byte, content.record.byte_count);
}

TEST(MemoryNodeStoreDeathTest, ABatchThatLeavesAGapIsABug) {
    MemoryNodeStore store;
    DocumentRecord record = *store.create_document({});
    IngestBatch batch = make_batch(record, {}, {});
    batch.gists.push_back({{record.id, Level(1), NodeIndex(1)}, {}});
    EXPECT_DEATH((void)store.commit(batch), "gap");
    batch.gists.clear();
    batch.document.token_count = 1;
    EXPECT_DEATH((void)store.commit(batch), "continue");
}

TEST(MemoryNodeStore, CountsUse) {
    MemoryNodeStore store;
    const DocumentId document = store.create_document({})->id;
    const NodeId node{document, Level(1), NodeIndex(0)};
    ASSERT_TRUE(store.record_use(std::vector<NodeId>{node, node}, 5));
    EXPECT_EQ(store.node_use(node)->access_count, 2u);
    EXPECT_EQ(store.node_use(node)->last_used_us, 5);
}

}  // namespace
}  // namespace mc
