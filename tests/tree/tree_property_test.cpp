// SPDX-License-Identifier: Apache-2.0
// The law of ingest: the tree depends on the tokens alone, not on how they came or on restarts.
#include <gtest/gtest.h>

#include "tests/support/tree_fixture.h"
#include "tree/read_window.h"
#include "tree/remake_gists.h"
#include "tree/tree_check.h"
#include "tree/tree_graph.h"

namespace mc {
namespace {

constexpr std::uint64_t kSeed = 20260311;

bool is_same(const Gist& a, const Gist& b) {
    const auto same = [](float x, float y) { return x == y || (std::isnan(x) && std::isnan(y)); };
    return a.kv == b.kv && a.index_vector == b.index_vector &&
           same(a.statistics.mean_nll, b.statistics.mean_nll) &&
           same(a.statistics.mean_entropy, b.statistics.mean_entropy);
}

// Bit for bit.
void expect_same_tree(MemoryNodeStore& a, DocumentId in_a, MemoryNodeStore& b, DocumentId in_b) {
    const auto& left = a.content(in_a);
    const auto& right = b.content(in_b);
    ASSERT_EQ(left.tokens, right.tokens);
    ASSERT_EQ(left.groups.size(), right.groups.size());
    for (const auto& [key, group] : left.groups) {
        ASSERT_TRUE(right.groups.contains(key));
        const auto& other = right.groups.at(key).gists;
        ASSERT_EQ(group.gists.size(), other.size());
        for (std::size_t slot = 0; slot < other.size(); ++slot) {
            ASSERT_TRUE(is_same(group.gists[slot], other[slot]))
                << "level " << int{key.first.value} << ", parent " << key.second.value << ", slot "
                << slot;
        }
    }
}

// Chunk sizes from single tokens to several windows.
std::uint64_t random_chunk(Rng& rng) {
    return rng.below(1ULL << rng.below(13));
}

TEST(TreeLaws, AnyChunkingAndAnyRestartGiveTheSameTree) {
    Rng rng(kSeed);
    FakeEncoder encoder;
    for (int round = 0; round < 600; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        const bool with_statistics = rng.below(2) == 0;
        const auto tokens = random_tokens(rng, rng.below(1ULL << (4 + rng.below(13))));
        MemoryNodeStore whole_store;
        GrowingDocument whole(whole_store, encoder, "book", with_statistics);
        ASSERT_TRUE(whole.append(tokens));

        MemoryNodeStore store;
        GrowingDocument document(store, encoder, "book", with_statistics);
        for (std::size_t begin = 0; begin < tokens.size();) {
            const std::size_t end = std::min(tokens.size(), begin + random_chunk(rng));
            const auto at = [&](std::size_t i) {
                return tokens.begin() + static_cast<std::ptrdiff_t>(i);
            };
            ASSERT_TRUE(document.append({at(begin), at(end)}));
            begin = end;
            if (rng.below(3) == 0) document.resume();
        }
        ASSERT_NO_FATAL_FAILURE(expect_same_tree(whole_store, whole.id(), store, document.id()));
        ASSERT_TRUE(check_tree(store, document.id(), encoder.info().shape));
    }
}

TEST(TreeLaws, HoldAfterEveryRandomOperation) {
    Rng rng(kSeed + 1);
    for (int round = 0; round < 100; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        MemoryNodeStore store;
        FakeEncoder encoder;
        std::vector<GrowingDocument> documents;
        for (int i = 0; i < 40; ++i) {
            const std::uint64_t choice = rng.below(10);
            if (documents.empty() || choice == 0) {
                documents.emplace_back(store, encoder, std::to_string(documents.size()),
                                       rng.below(2) == 0);
            }
            GrowingDocument& document = documents[rng.below(documents.size())];
            if (choice == 1) {
                encoder.fail_after(rng.below(2));
                const bool was_taken = document.append(random_tokens(rng, 2'000)).has_value();
                encoder.fail_after(~0ULL);
                ASSERT_FALSE(was_taken);  // it takes two calls at least
                document.resume();
            } else if (choice == 2) {
                document.resume();
            } else {
                ASSERT_TRUE(document.append(random_tokens(rng, random_chunk(rng))));
            }
            for (const GrowingDocument& each : documents) {
                const auto checked = check_tree(store, each.id(), encoder.info().shape);
                ASSERT_TRUE(checked) << checked.error().to_string();
            }
        }
        for (const GrowingDocument& each : documents) {
            ASSERT_TRUE(reachability_violations(store, each.id())->empty());
        }
    }
}

TEST(TreeLaws, AGistOfLevelOneDependsOnItsWindowsTokensAndNoOthers) {
    Rng rng(kSeed + 2);
    FakeEncoder encoder;
    for (int round = 0; round < 200; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        auto tokens = random_tokens(rng, 3'000);
        MemoryNodeStore before_store;
        GrowingDocument before(before_store, encoder, "book");
        ASSERT_TRUE(before.append(tokens));
        const std::uint64_t changed = rng.below(tokens.size());
        tokens[changed] ^= 1;
        MemoryNodeStore after_store;
        GrowingDocument after(after_store, encoder, "book");
        ASSERT_TRUE(after.append(tokens));
        for (std::uint64_t block = 0; block < node_count(tokens.size(), Level(1)); ++block) {
            const TokenSpan span = span_of(Level(1), NodeIndex(block));
            const std::uint64_t window_begin = span.begin / kWindowNewTokens * kWindowNewTokens;
            const std::uint64_t read_begin =
                window_begin - std::min(window_begin, kWindowContextTokens);
            const bool reads_it = read_begin <= changed && changed < span.end;
            const auto gist_in = [&](MemoryNodeStore& store, DocumentId id) {
                return store.content(id)
                    .groups.at({Level(1), NodeIndex(block / kBlockSize)})
                    .gists[block % kBlockSize];
            };
            ASSERT_EQ(gist_in(before_store, before.id()).kv != gist_in(after_store, after.id()).kv,
                      reads_it)
                << "block " << block << ", token " << changed;
        }
    }
}

// Some tokens of a document become others, as forgetting does it.
void change(MemoryNodeStore& store, DocumentId document, std::span<const TokenSpan> changed,
            TokenId to, GistEncoder& encoder) {
    auto tokens = store.content(document).tokens;
    Redaction redaction;
    redaction.document = **store.find_document(document);
    redaction.blank = to;
    redaction.unindexed.assign(changed.begin(), changed.end());
    for (const TokenSpan span : changed) {
        redaction.runs.push_back({span, 0});
        for (std::uint64_t i = span.begin; i < span.end; ++i) tokens[i] = to;
    }
    const auto made =
        remake_gists(store, redaction.document, encoder, changed, [&](TokenSpan span) {
            return Result<std::vector<TokenId>>(
                {tokens.begin() + static_cast<std::ptrdiff_t>(span.begin),
                 tokens.begin() + static_cast<std::ptrdiff_t>(span.end)});
        });
    ASSERT_TRUE(made);
    redaction.gists = *made;
    ASSERT_TRUE(store.announce_forgets(std::vector{Tombstone{document, 0, 0, ""}}));
    ASSERT_TRUE(store.redact(redaction));
}

TEST(TreeLaws, ChangedTokensGiveTheTreeOfTheChangedText) {
    Rng rng(kSeed);
    FakeEncoder encoder;
    for (int round = 0; round < 200; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        const bool with_statistics = rng.below(2) == 0;
        auto tokens = random_tokens(rng, 1 + rng.below(1ULL << (4 + rng.below(12))));
        MemoryNodeStore store;
        GrowingDocument document(store, encoder, "book", with_statistics);
        ASSERT_TRUE(document.append(tokens));
        std::vector<TokenSpan> changed;
        for (std::uint64_t at = rng.below(tokens.size()); at < tokens.size();
             at += 1 + rng.below(2000)) {
            const std::uint64_t end =
                std::min<std::uint64_t>(tokens.size(), at + 1 + rng.below(100));
            changed.push_back({at, end});
            for (; at < end; ++at) tokens[at] = 7;
        }
        change(store, document.id(), changed, 7, encoder);
        MemoryNodeStore fresh_store;
        GrowingDocument fresh(fresh_store, encoder, "book", with_statistics);
        ASSERT_TRUE(fresh.append(tokens));
        expect_same_tree(store, document.id(), fresh_store, fresh.id());
    }
}

TEST(TreeLaws, OnlyGistsThatReadAChangedTokenAreMadeAgain) {
    Rng rng(kSeed);
    FakeEncoder encoder;
    MemoryNodeStore store;
    GrowingDocument document(store, encoder, "book");
    ASSERT_TRUE(document.append(random_tokens(rng, 32 * 1024)));
    const auto remade = [&](TokenSpan span) {
        const auto read = [&](TokenSpan part) { return store.read_tokens(document.id(), part); };
        return *remake_gists(store, document.record(), encoder, std::vector{span}, read);
    };
    // Its window may have had 256 tokens of left context, of an older version: blocks 24 to 47.
    const auto made = remade({768, 769});
    ASSERT_EQ(made.size(), 24U + 2U + 1U);
    EXPECT_EQ(made.front().node, (NodeId{document.id(), Level(1), NodeIndex(24)}));
    EXPECT_EQ(made[23].node, (NodeId{document.id(), Level(1), NodeIndex(47)}));
    EXPECT_EQ(made.back().node, (NodeId{document.id(), Level(3), NodeIndex(0)}));
}

}  // namespace
}  // namespace mc
