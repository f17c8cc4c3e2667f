// SPDX-License-Identifier: Apache-2.0
// WordPiece on a toy vocabulary, and on the default embedder's against an independent tokenizer.
#include "embedder/wordpiece.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/files.h"

namespace mc::embedder {
namespace {

using Ids = std::vector<std::int32_t>;

constexpr std::string_view kToy =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\n##a\nthe\n,\n日\ncafe\n##s\n";

std::unique_ptr<WordPiece> toy() {
    return WordPiece::parse(kToy, "toy.txt").value();
}

std::string parse_error(std::string_view vocabulary) {
    const auto parsed = WordPiece::parse(vocabulary, "v.txt");
    EXPECT_FALSE(parsed);
    if (parsed) return "";
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidInput);
    return parsed.error().to_string();
}

TEST(WordPieceToy, takes_the_longest_piece_first) {
    EXPECT_EQ(toy()->encode("unaffable", 99), (Ids{2, 4, 5, 6, 3}));
    EXPECT_EQ(toy()->encode("unaaff", 99), (Ids{2, 4, 7, 5, 3}));
}

TEST(WordPieceToy, a_word_that_no_pieces_spell_is_unknown_as_a_whole) {
    EXPECT_EQ(toy()->encode("unaffx the", 99), (Ids{2, 1, 8, 3}));
    EXPECT_EQ(toy()->encode("aff", 99), (Ids{2, 1, 3})) << "##aff does not begin a word";
}

TEST(WordPieceToy, case_and_accents_do_not_matter) {
    EXPECT_EQ(toy()->encode("THE CAFÉS", 99), (Ids{2, 8, 11, 12, 3}));
    EXPECT_EQ(toy()->encode("cafe\u0301", 99), (Ids{2, 11, 3}));
}

TEST(WordPieceToy, punctuation_and_ideographs_are_words) {
    EXPECT_EQ(toy()->encode("the,日日the", 99), (Ids{2, 8, 9, 10, 10, 8, 3}));
}

TEST(WordPieceToy, controls_and_bytes_that_are_no_text_vanish) {
    EXPECT_EQ(toy()->encode(std::string_view("th\0e \x01", 6), 99), (Ids{2, 8, 3}));
    EXPECT_EQ(toy()->encode("\xff the \xc3", 99), (Ids{2, 8, 3}));
    EXPECT_EQ(toy()->encode("", 99), (Ids{2, 3}));
}

TEST(WordPieceToy, a_control_token_that_a_text_spells_is_text) {
    const Ids ids = toy()->encode("[SEP] [CLS]", 99);
    EXPECT_EQ(std::ranges::count(ids, 3), 1);
    EXPECT_EQ(std::ranges::count(ids, 2), 1);
}

TEST(WordPieceToy, is_cut_at_the_end_and_still_closed) {
    EXPECT_EQ(toy()->encode("the the the the", 4), (Ids{2, 8, 8, 3}));
    EXPECT_EQ(toy()->encode("the unaffable", 4), (Ids{2, 8, 4, 3})) << "also within a word";
    EXPECT_EQ(toy()->encode("the", 2), (Ids{2, 3}));
}

TEST(WordPieceVocabulary, lines_may_end_as_on_windows_and_the_last_may_not_end) {
    const auto parsed = WordPiece::parse("[UNK]\r\n[CLS]\r\n[SEP]\r\nthe", "v.txt");
    ASSERT_TRUE(parsed);
    EXPECT_EQ((*parsed)->size(), 4u);
    EXPECT_EQ((*parsed)->encode("the", 9), (Ids{1, 3, 2}));
}

TEST(WordPieceVocabulary, a_damaged_file_is_named_with_its_line) {
    EXPECT_EQ(parse_error("[UNK]\n[CLS]\nthe\n"), "v.txt: no line \"[SEP]\": no BERT vocabulary");
    EXPECT_EQ(parse_error(""), "v.txt: no line \"[UNK]\": no BERT vocabulary");
    EXPECT_EQ(parse_error("[UNK]\n[CLS]\nthe\nthe\n"), "v.txt: line 4 repeats the piece \"the\"");
    EXPECT_EQ(parse_error("[UNK]\n\xff\n"), "v.txt: line 2 is not UTF-8");
    EXPECT_EQ(parse_error("[UNK]\n\nthe\n"), "v.txt: line 2 is empty");
}

TEST(WordPieceGolden, agrees_with_an_independent_tokenizer) {
    const auto vocabulary = read_file(Path(MC_DEFAULT_EMBEDDER) / "vocab.txt", 1 << 24);
    if (!vocabulary)
        GTEST_SKIP() << "no default embedder at " << MC_DEFAULT_EMBEDDER << ": run scripts/setup";
    const auto pieces = WordPiece::parse(*vocabulary, "vocab.txt");
    ASSERT_TRUE(pieces) << pieces.error().to_string();
    const auto cases = nlohmann::json::parse(
        read_file(Path(MC_GOLDEN_DIR) / "embedder/wordpiece.json", 1 << 24).value());
    ASSERT_GT(cases.size(), 100u);
    for (const auto& one : cases) {
        const auto part = one["text"].get<std::string>();
        std::string text;
        for (std::size_t i = one.value("times", std::size_t{1}); i > 0; --i) text += part;
        EXPECT_EQ((*pieces)->encode(text, 256), one["ids"].get<Ids>()) << part;
    }
}

}  // namespace
}  // namespace mc::embedder
