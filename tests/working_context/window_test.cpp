// SPDX-License-Identifier: Apache-2.0
#include "working_context/window.h"

#include <gtest/gtest.h>

#include "tests/working_context/window_cases.h"
#include "working_context/invariants.h"
#include "working_context/legality.h"

namespace mc {
namespace {

TEST(CoarsestWindow, HoldsTheHighestNodesThenTheTailRaw) {
    const Window window = window_of(2 * 1024 + 32 + 5, 100);
    const std::vector<Entry> expected = {Entry::gist(node(1, 2, 0)), Entry::gist(node(1, 2, 1)),
                                         Entry::gist(node(1, 1, 64)),
                                         Entry::raw(DocumentId(1), {2080, 2085})};
    EXPECT_EQ(bare(window), expected);
    EXPECT_EQ(window.cost(), 3u + 5u);
    EXPECT_TRUE(check_window(window));
}

TEST(CoarsestWindow, CutsRawRunsAtBlocksWhereARangeBeginsInsideOne) {
    Selection selection = whole(1, 200);
    selection.range = {10, 90};
    const Window window = *Window::make_coarsest({{selection}, {}, 100, 0});
    const std::vector<Entry> expected = {Entry::raw(DocumentId(1), {10, 32}),
                                         Entry::gist(node(1, 1, 1)),
                                         Entry::raw(DocumentId(1), {64, 90})};
    EXPECT_EQ(bare(window), expected);
}

TEST(CoarsestWindow, KeepsProtectedBlocksRaw) {
    const WindowSpec spec{{whole(1, 128)}, {{DocumentId(1), {40, 41}}}, 100, 0};
    const std::vector<Entry> expected = {Entry::gist(node(1, 1, 0)),
                                         Entry::raw(DocumentId(1), {32, 64}),
                                         Entry::gist(node(1, 1, 2)), Entry::gist(node(1, 1, 3))};
    EXPECT_EQ(bare(*Window::make_coarsest(spec)), expected);
}

TEST(CoarsestWindow, KeepsDocumentsInTheOrderGiven) {
    const Window window =
        *Window::make_coarsest({{whole(9, 32), whole(2, 64), whole(5, 3)}, {}, 100, 0});
    const std::vector<Entry> expected = {Entry::gist(node(9, 1, 0)), Entry::gist(node(2, 1, 0)),
                                         Entry::gist(node(2, 1, 1)),
                                         Entry::raw(DocumentId(5), {0, 3})};
    EXPECT_EQ(bare(window), expected);
    EXPECT_EQ(window.position_of(DocumentId(5), 2), 3u);
    EXPECT_EQ(window.position_of(node(2, 1, 1)), 2u);
    EXPECT_EQ(window.position_of(DocumentId(5), 3), std::nullopt);
    EXPECT_EQ(window.position_of(node(9, 1, 1)), std::nullopt);
}

TEST(CoarsestWindow, NamesTheSmallestBudgetThatWorks) {
    WindowSpec spec{{whole(1, 1024 + 7)}, {}, 10, 3};
    const auto refused = Window::make_coarsest(spec);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kOverBudget);
    EXPECT_NE(refused.error().message().find("at least 11"), std::string::npos);
    spec.budget_entries = 11;
    EXPECT_TRUE(Window::make_coarsest(spec));
}

TEST(CoarsestWindow, RefusesABudgetOfZeroAsWrongUsage) {
    const auto refused = Window::make_coarsest({{whole(1, 64)}, {}, 0, 0});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kUsage);
}

TEST(CoarsestWindow, RefusesSpecsThatContradictThemselves) {
    Selection beyond = whole(1, 64);
    beyond.range.end = 65;
    const ProtectedSpan elsewhere{DocumentId(2), {0, 1}};
    const ProtectedSpan outside{DocumentId(1), {60, 65}};
    for (const WindowSpec& spec :
         {WindowSpec{{beyond}, {}, 100, 0}, WindowSpec{{whole(1, 64), whole(1, 64)}, {}, 100, 0},
          WindowSpec{{whole(1, 64)}, {elsewhere}, 100, 0},
          WindowSpec{{whole(1, 64)}, {outside}, 100, 0}}) {
        const auto refused = Window::make_coarsest(spec);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidInput);
    }
}

TEST(CoarsestWindow, CoversTenMillionTokensInAFewEntries) {
    EXPECT_LE(window_of(10'000'000, 10'000).cost(), 5u * 31u);
}

TEST(Edits, ExpandLevelOneGivesItsThirtyTwoTokens) {
    Window window = window_of(64, 100);
    ASSERT_TRUE(window.apply(expand(node(1, 1, 0))));
    EXPECT_EQ(window.entries()[0].entry, Entry::raw(DocumentId(1), {0, 32}));
    EXPECT_EQ(window.cost(), 33u);
}

TEST(Edits, ExpandAHigherLevelGivesItsThirtyTwoChildren) {
    Window window = window_of(1024, 100);
    ASSERT_TRUE(window.apply(expand(node(1, 2, 0))));
    ASSERT_EQ(window.entries().size(), 32u);
    EXPECT_EQ(window.entries()[31].entry, Entry::gist(node(1, 1, 31)));
}

TEST(Edits, AnIllegalEditInAListLeavesTheWindowAsItWas) {
    Window window = window_of(2048, 100);
    const Window before = window;
    const std::vector<Edit> edits = {expand(node(1, 2, 0)), expand(node(1, 1, 3)),
                                     expand(node(1, 1, 4))};  // 2 + 3 × 31 + … = 95, fits
    ASSERT_TRUE(window.apply(edits));
    window = before;
    const std::vector<Edit> over = {edits[0], edits[1], edits[2], expand(node(1, 1, 5))};
    const auto refused = window.apply(over);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kOverBudget);
    EXPECT_EQ(window, before);
}

TEST(Edits, UndoInReverseOrderRestoresEveryAge) {
    Window window = window_of(2048, 200);
    const Window before = window;
    const Undo first = *window.apply(expand(node(1, 2, 1)));
    const Undo second = *window.apply(expand(node(1, 1, 40)));
    window.undo(second);
    window.undo(first);
    EXPECT_EQ(window, before);
}

TEST(EditsDeathTest, UndoOutOfOrderIsABug) {
    Window window = window_of(2048, 200);
    const Undo first = *window.apply(expand(node(1, 2, 1)));
    ASSERT_TRUE(window.apply(expand(node(1, 1, 40))));
    EXPECT_DEATH(window.undo(first), "changed since");
}

TEST(LegalityReasons, NameWhatStandsInTheWay) {
    Window window =
        *Window::make_coarsest({{whole(1, 2048 + 40)}, {{DocumentId(1), {2060, 2088}}}, 60, 0});
    const auto& limits = kNoLimits;
    EXPECT_EQ(may_expand(window, node(2, 1, 0), limits), Legality::kNotSelected);
    EXPECT_EQ(may_expand(window, node(1, 1, 65), limits), Legality::kNotComplete);
    EXPECT_EQ(may_expand(window, node(1, 99, 0), limits), Legality::kNotComplete);
    EXPECT_EQ(may_expand(window, node(1, 1, 0), limits), Legality::kNotPresent);
    EXPECT_EQ(may_collapse(window, node(1, 2, 0), limits), Legality::kNotPresent);
    EXPECT_EQ(may_collapse(window, node(1, 1, 64), limits), Legality::kProtected);
    EXPECT_EQ(may_expand(window, node(1, 2, 0), limits), Legality::kBudget);
    EXPECT_TRUE(window.set_budget(100, 0));
    EXPECT_EQ(may_expand(window, node(1, 2, 0), limits), Legality::kLegal);
}

TEST(LegalityReasons, ARangeThatCutsANodeDoesNotHoldIt) {
    Selection selection = whole(1, 2048);
    selection.range = {0, 2047};
    const Window window = *Window::make_coarsest({{selection}, {}, 100, 0});
    EXPECT_EQ(may_collapse(window, node(1, 2, 1), kNoLimits), Legality::kNotSelected);
}

TEST(LegalityReasons, CollapseWantsAllChildrenAtOneLevel) {
    Window window = window_of(1024, 200);
    ASSERT_TRUE(window.apply(expand(node(1, 2, 0))));
    EXPECT_EQ(may_collapse(window, node(1, 2, 0), kNoLimits), Legality::kLegal);
    ASSERT_TRUE(window.apply(expand(node(1, 1, 31))));
    EXPECT_EQ(may_collapse(window, node(1, 2, 0), kNoLimits), Legality::kNotPresent);
}

TEST(Ages, MinimumResidencyAndCooldownCountSteps) {
    const AllocatorLimits limits{0.0, 3, 2};
    Window window = window_of(64, 100);
    ASSERT_TRUE(window.apply(expand(node(1, 1, 0)), limits));
    EXPECT_EQ(may_collapse(window, node(1, 1, 0), limits), Legality::kResidency);
    window.begin_step();
    EXPECT_EQ(may_collapse(window, node(1, 1, 0), limits), Legality::kResidency);
    window.begin_step();
    ASSERT_TRUE(window.apply(collapse(node(1, 1, 0)), limits));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(may_expand(window, node(1, 1, 0), limits), Legality::kCooldown);
        EXPECT_EQ(may_expand(window, node(1, 1, 0), kNoLimits), Legality::kLegal);
        window.begin_step();
    }
    EXPECT_EQ(may_expand(window, node(1, 1, 0), limits), Legality::kLegal);
}

TEST(Growth, NewTokensJoinTheOpenRunAndBecomeCollapsible) {
    Window window = window_of(40, 100);
    EXPECT_EQ(may_collapse(window, node(1, 1, 1), kNoLimits), Legality::kNotComplete);
    ASSERT_TRUE(window.grow(DocumentShape::of(DocumentId(1), 70)));
    const std::vector<Entry> expected = {Entry::gist(node(1, 1, 0)),
                                         Entry::raw(DocumentId(1), {32, 64}),
                                         Entry::raw(DocumentId(1), {64, 70})};
    EXPECT_EQ(bare(window), expected);
    EXPECT_TRUE(check_window(window));
    EXPECT_EQ(may_collapse(window, node(1, 1, 1), AllocatorLimits{0.0, 5, 5}), Legality::kLegal);
}

TEST(Growth, TokensWithoutGistsStayRaw) {
    Window window = window_of(40, 100);
    ASSERT_TRUE(window.grow({DocumentId(1), 70, 32}));
    EXPECT_EQ(may_collapse(window, node(1, 1, 1), kNoLimits), Legality::kNotComplete);
    ASSERT_TRUE(window.grow({DocumentId(1), 70, 64}));
    EXPECT_EQ(may_collapse(window, node(1, 1, 1), kNoLimits), Legality::kLegal);
}

TEST(Growth, GrowsTheDocumentInTheMiddleOfTheWindow) {
    Window window = *Window::make_coarsest({{whole(3, 32), whole(2, 32)}, {}, 100, 0});
    ASSERT_TRUE(window.grow(DocumentShape::of(DocumentId(3), 34)));
    const std::vector<Entry> expected = {Entry::gist(node(3, 1, 0)),
                                         Entry::raw(DocumentId(3), {32, 34}),
                                         Entry::gist(node(2, 1, 0))};
    EXPECT_EQ(bare(window), expected);
    EXPECT_TRUE(check_window(window));
}

TEST(Growth, ARangeThatEndsBeforeTheDocumentStaysAsItIs) {
    Selection selection = whole(1, 100);
    selection.range = {0, 64};
    Window window = *Window::make_coarsest({{selection}, {}, 100, 0});
    const std::vector<Entry> before = bare(window);
    ASSERT_TRUE(window.grow(DocumentShape::of(DocumentId(1), 500)));
    EXPECT_EQ(bare(window), before);
}

TEST(Growth, BeyondTheBudgetIsRefusedAndChangesNothing) {
    Window window = window_of(32, 10);
    const Window before = window;
    const auto refused = window.grow(DocumentShape::of(DocumentId(1), 42));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kOverBudget);
    EXPECT_EQ(window, before);
    EXPECT_FALSE(window.grow(DocumentShape::of(DocumentId(1), 31)));
    EXPECT_FALSE(window.grow(DocumentShape::of(DocumentId(8), 31)));
}

TEST(Protection, NeedsRawTokensAndThenForbidsTheCollapse) {
    Window window = window_of(64, 100);
    EXPECT_FALSE(window.set_protected({{DocumentId(1), {3, 4}}}));
    ASSERT_TRUE(window.apply(expand(node(1, 1, 0))));
    ASSERT_TRUE(window.set_protected({{DocumentId(1), {3, 4}}}));
    EXPECT_EQ(may_collapse(window, node(1, 1, 0), kNoLimits), Legality::kProtected);
    ASSERT_TRUE(window.set_protected({}));
    EXPECT_EQ(may_collapse(window, node(1, 1, 0), kNoLimits), Legality::kLegal);
}

TEST(Budget, CannotFallBelowTheCost) {
    Window window = window_of(64, 100);
    ASSERT_TRUE(window.apply(expand(node(1, 1, 0))));
    EXPECT_FALSE(window.set_budget(40, 8));
    EXPECT_FALSE(window.set_budget(0, 0));
    EXPECT_TRUE(window.set_budget(41, 8));
    EXPECT_EQ(window.cost(), 41u);
    EXPECT_TRUE(check_window(window));
}

TEST(Names, AreThoseOfEveryInterface) {
    EXPECT_EQ(to_string(Entry::raw(DocumentId(7), {64, 96})), "d7[64,96)");
    EXPECT_EQ(to_string(Entry::gist(node(7, 2, 13))), "d7/L2/13");
    EXPECT_EQ(to_string(collapse(node(7, 2, 13))), "collapse d7/L2/13");
}

#if defined(MC_DEBUG_CHECKS)
// Another window's undo has the right revision and leaves a hole.
TEST(WindowLawsDeathTest, AreCheckedAfterEveryEditWhereDebugChecksAreOn) {
    Window one = window_of(2 * 1024, 200);
    Window other = window_of(2 * 1024, 200);
    const Undo undo_one = *one.apply(expand(node(1, 2, 0)));
    ASSERT_TRUE(other.apply(expand(node(1, 2, 1))));
    EXPECT_DEATH(other.undo(undo_one), "does not continue at token 1024");
}
#endif

}  // namespace
}  // namespace mc
