// SPDX-License-Identifier: Apache-2.0
// The laws of the working context under at least 100,000 random edits a run, checked after each.
#include <gtest/gtest.h>

#include "tests/working_context/window_cases.h"
#include "working_context/invariants.h"
#include "working_context/legality.h"

namespace mc {
namespace {

constexpr std::uint64_t kSeed = 20260301;
constexpr std::uint64_t kEditsWanted = 150'000;
constexpr std::uint64_t kEditsPerWindow = 500;

AllocatorLimits random_limits(Rng& rng) {
    return {rng.uniform(), rng.below(4), rng.below(4)};
}

// Any edit near the window, legal or not.
Edit random_edit(const Window& window, Rng& rng) {
    return rng.below(3) > 0 ? expand(random_node(window, rng)) : collapse(random_node(window, rng));
}

TEST(WindowLaws, HoldAfterEveryRandomEditAndRefusal) {
    Rng rng(kSeed);
    std::uint64_t legal_count = 0;
    std::uint64_t refused_count = 0;
    while (legal_count < kEditsWanted) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        Window window = random_window(rng);
        ASSERT_TRUE(check_window(window));
        for (std::uint64_t i = 0; i < kEditsPerWindow; ++i) {
            const AllocatorLimits limits = random_limits(rng);
            const Edit edit = random_edit(window, rng);
            const bool is_legal = may_apply(window, edit, limits) == Legality::kLegal;
            const Window before = window;
            const auto applied = window.apply(edit, limits);
            ASSERT_EQ(applied.has_value(), is_legal) << to_string(edit);
            const auto checked = check_window(window);
            ASSERT_TRUE(checked) << to_string(edit) << ": " << checked.error().to_string();
            ASSERT_EQ(window == before, !is_legal);
            legal_count += is_legal ? 1 : 0;
            refused_count += is_legal ? 0 : 1;
            if (rng.below(8) == 0) window.begin_step();
        }
    }
    EXPECT_GT(refused_count, kEditsWanted / 10);  // both branches were exercised
}

TEST(WindowLaws, UndoRestoresExactlyWhatWasThere) {
    Rng rng(kSeed + 1);
    for (int round = 0; round < 400; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        Window window = random_window(rng);
        std::vector<std::pair<Window, Undo>> history;
        for (int i = 0; i < 60; ++i) {
            const Window before = window;
            auto applied = window.apply(random_edit(window, rng));
            if (applied) history.emplace_back(before, std::move(*applied));
        }
        for (auto past = history.rbegin(); past != history.rend(); ++past) {
            window.undo(past->second);
            ASSERT_EQ(window, past->first);
        }
    }
}

TEST(WindowLaws, ExpandThenCollapseIsTheIdentity) {
    Rng rng(kSeed + 2);
    std::uint64_t tried = 0;
    while (tried < 2'000) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        Window window = random_window(rng);
        for (int i = 0; i < 30; ++i) {
            const std::vector<Edit> legal = legal_edits(window, kNoLimits);
            if (legal.empty()) break;
            const Edit edit = legal[rng.below(legal.size())];
            const std::vector<Entry> before = bare(window);
            ASSERT_TRUE(window.apply(edit));
            ASSERT_NE(bare(window), before);
            const bool was_expand = edit.kind == Edit::Kind::kExpand;
            const Window after = window;
            ASSERT_TRUE(window.apply(was_expand ? collapse(edit.node) : expand(edit.node)));
            ASSERT_EQ(bare(window), before);
            window = after;
            ++tried;
        }
    }
}

TEST(WindowLaws, LegalEditsAreExactlyThoseThatLegalityPermits) {
    Rng rng(kSeed + 3);
    for (int round = 0; round < 60; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        Window window = random_window(rng);
        for (int i = 0; i < 10; ++i) {
            const AllocatorLimits limits = random_limits(rng);
            std::vector<Edit> expected;
            for (const Selection& selection : window.selections()) {
                for (std::uint8_t level = 1; level <= 4; ++level) {
                    const std::uint64_t count =
                        node_count(selection.shape.token_count, Level(level));
                    for (std::uint64_t index = 0; index < count; ++index) {
                        const NodeId at{selection.shape.document, Level(level), NodeIndex(index)};
                        for (const Edit edit : {expand(at), collapse(at)}) {
                            if (may_apply(window, edit, limits) == Legality::kLegal) {
                                expected.push_back(edit);
                            }
                        }
                    }
                }
            }
            std::vector<Edit> listed = legal_edits(window, limits);
            std::sort(expected.begin(), expected.end());
            std::sort(listed.begin(), listed.end());
            ASSERT_EQ(listed, expected);
            if (!listed.empty()) {
                ASSERT_TRUE(window.apply(listed[rng.below(listed.size())], limits));
            }
            window.begin_step();
        }
    }
}

TEST(WindowLaws, GrowingByAnyStepsCoversTheSameTokens) {
    Rng rng(kSeed + 4);
    for (int round = 0; round < 300; ++round) {
        SCOPED_TRACE("rng state " + std::to_string(rng.state()));
        const std::uint64_t begin_count = rng.below(200);
        const std::uint64_t end_count = begin_count + rng.below(300);
        Window at_once = window_of(begin_count, 1000);
        Window stepwise = at_once;
        ASSERT_TRUE(at_once.grow(DocumentShape::of(DocumentId(1), end_count)));
        for (std::uint64_t count = begin_count; count < end_count;) {
            count = std::min(end_count, count + 1 + rng.below(40));
            ASSERT_TRUE(stepwise.grow(DocumentShape::of(DocumentId(1), count)));
            ASSERT_TRUE(check_window(stepwise));
        }
        ASSERT_EQ(bare(stepwise), bare(at_once));
    }
}

}  // namespace
}  // namespace mc
