// SPDX-License-Identifier: Apache-2.0
// The bytes of keys and values, frozen: a change here is a change of the format version.
#include <gtest/gtest.h>

#include <cstring>

#include "core/span_math.h"
#include "storage/lmdb/keys.h"
#include "storage/lmdb/record_codec.h"

namespace mc::storage {
namespace {

std::string hex(std::span<const std::byte> bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const std::byte b : bytes) {
        text.push_back(kDigits[std::to_integer<unsigned>(b) >> 4]);
        text.push_back(kDigits[std::to_integer<unsigned>(b) & 15]);
    }
    return text;
}

std::string hex(std::string_view text) {
    return hex(std::as_bytes(std::span(text)));
}

std::string hex(const RecordWords& words) {
    return hex(std::as_bytes(std::span(words)));
}

std::vector<std::byte> bytes_of(std::string_view digits) {
    std::vector<std::byte> bytes;
    for (std::size_t at = 0; at < digits.size(); at += 2)
        bytes.push_back(std::byte(std::stoi(std::string(digits.substr(at, 2)), nullptr, 16)));
    return bytes;
}

TEST(KeyBytesTest, NumbersAreBigEndianBehindTheirTag) {
    EXPECT_EQ(hex(document_key(BankId(1), DocumentId(7))), "64000000010000000000000007");
    EXPECT_EQ(hex(source_key(BankId(1), "a.txt")),
              "7300000001" + to_hex(xxh3_128(std::as_bytes(std::span("a.txt", 5)))));
    EXPECT_EQ(hex(token_key(DocumentId(7), 258)), "00000000000000070000000000000102");
    EXPECT_EQ(hex(group_key(DocumentId(7), Level(2), NodeIndex(3))),
              "0000000000000007020000000000000003");
    EXPECT_EQ(hex(journal_key(BankId(1), CommitNumber(0x1234))), "000000010000000000001234");
}

TEST(KeyBytesTest, WhatIsForgottenSortsBehindTheDocuments) {
    const std::string announced = announcement_key(BankId(1), DocumentId(7));
    const std::string tombstone = tombstone_key(BankId(1), DocumentId(7));
    EXPECT_EQ(hex(announced), "66000000010000000000000007");
    EXPECT_EQ(hex(tombstone), "74000000010000000000000007");
    EXPECT_LT(document_key(BankId(~0U), DocumentId(~0ULL)), announced);
    EXPECT_EQ(parse_tombstone_key(tombstone)->document, DocumentId(7));
    EXPECT_FALSE(parse_tombstone_key(announced));
    EXPECT_FALSE(parse_document_key(tombstone));
}

TEST(KeyBytesTest, AVersionSortsBehindTheDocumentsAndBeforeAllElse) {
    const std::string version = version_key(BankId(1), DocumentId(7));
    EXPECT_EQ(hex(version), "65000000010000000000000007");
    EXPECT_LT(document_key(BankId(~0U), DocumentId(~0ULL)), version);
    EXPECT_LT(version, announcement_key(BankId(0), DocumentId(0)));
    EXPECT_EQ(parse_version_key(version)->document, DocumentId(7));
    EXPECT_FALSE(parse_document_key(version));
    EXPECT_EQ(describe_key(Database::kDocuments, version), "bank 1, superseded document 7");
}

TEST(RecordBytesTest, ADocumentStandsOrWasSupersededAsItsKeySays) {
    StoredDocument document;
    document.record.id = DocumentId(7);
    document.record.bank = BankId(1);
    document.record.version = 3;
    for (const std::int64_t superseded_us : {0, 99}) {
        document.record.superseded_us = superseded_us;
        const std::string key = key_of(document.record);
        const RecordPlace place{Database::kDocuments, key};
        const RecordWords words = encode_document(place, document);
        const auto read = decode_document(place, std::as_bytes(std::span(words)));
        ASSERT_TRUE(read) << read.error();
        EXPECT_EQ(read->record.version, 3U);
        EXPECT_EQ(read->record.superseded_us, superseded_us);
        document.record.superseded_us = superseded_us == 0 ? 99 : 0;
        const RecordWords wrong = encode_document(place, document);
        EXPECT_FALSE(decode_document(place, std::as_bytes(std::span(wrong))));
    }
}

TEST(KeyBytesTest, AnOriginalAndItsPiecesStandBetweenDocumentsAndNames) {
    const std::string original = original_key(BankId(1), DocumentId(7));
    const std::string piece = piece_key(BankId(1), DocumentId(7), 2);
    EXPECT_EQ(hex(original), "6f000000010000000000000007");
    EXPECT_EQ(hex(piece),
              "7000000001"
              "0000000000000007"
              "0000000000000002");
    EXPECT_EQ(parse_original_key(original)->document, DocumentId(7));
    EXPECT_EQ(parse_piece_key(piece)->piece, 2U);
    EXPECT_FALSE(parse_piece_key(original));
    EXPECT_FALSE(parse_piece_key(source_key(BankId(1), "x")));
    EXPECT_FALSE(parse_document_key(original));
    EXPECT_EQ(describe_key(Database::kDocuments, piece), "bank 1, original of document 7, piece 2");
}

TEST(KeyBytesTest, TheOrderOfKeysIsTheOrderOfNumbers) {
    EXPECT_LT(token_key(DocumentId(1), 0xffff), token_key(DocumentId(1), 0x10000));
    EXPECT_LT(token_key(DocumentId(255), ~0ULL), token_key(DocumentId(256), 0));
    EXPECT_LT(group_key(DocumentId(1), Level(1), NodeIndex(~0ULL)),
              group_key(DocumentId(1), Level(2), NodeIndex(0)));
}

TEST(KeyBytesTest, KeysParseBackAndOtherBytesDoNot) {
    const auto document = parse_document_key(document_key(BankId(3), DocumentId(1ULL << 40)));
    ASSERT_TRUE(document);
    EXPECT_EQ(document->document, DocumentId(1ULL << 40));
    const auto group = parse_group_key(group_key(DocumentId(5), Level(12), NodeIndex(6)));
    ASSERT_TRUE(group);
    EXPECT_EQ(group->level, Level(12));
    EXPECT_EQ(group->parent, NodeIndex(6));
    EXPECT_FALSE(parse_document_key(source_key(BankId(3), "x")));
    EXPECT_FALSE(parse_token_key(""));
    EXPECT_FALSE(parse_journal_key(std::string(13, '\0')));
    EXPECT_EQ(describe_key(Database::kTokens, token_key(DocumentId(7), 3)), "document 7, chunk 3");
    EXPECT_EQ(describe_key(Database::kGists, "odd"), "key 0x6f6464");
}

const std::string kTokenKey = token_key(DocumentId(7), 0);
const RecordPlace kTokenPlace{Database::kTokens, kTokenKey};

// docs/storage-format.md spells these bytes out.
constexpr const char* kTokenRecord =
    "72fc3988f7b94b7d"
    "0000000005000000"
    "0000000002000100"
    "0500000000000000"
    "0200000000000000"
    "0100000032000000"
    "01000201ffbf0000";

TEST(RecordBytesTest, AChunkOfThreeTokensIsTheseBytes) {
    EXPECT_EQ(hex(encode_tokens(kTokenPlace, {5, {1, 258, 49151}})), kTokenRecord);
}

TEST(RecordBytesTest, AJournalEntryIsTheseBytes) {
    const std::string key = journal_key(BankId(1), CommitNumber(2));
    EXPECT_EQ(hex(encode_journal({Database::kJournal, key}, {DocumentId(7), {32, 96}, 258})),
              "a7ea57b84090a71e"
              "0000000005000000"
              "0000000004000000"
              "0700000000000000"
              "2000000000000000"
              "6000000000000000"
              "0201000000000000");
}

TEST(RecordBytesTest, AJournalEntryOfBeforeThereWereTimesHasNone) {
    const std::string key = journal_key(BankId(1), CommitNumber(2));
    const auto entry = decode_journal({Database::kJournal, key}, bytes_of("53237c153ad81e25"
                                                                          "0000000004000000"
                                                                          "0000000003000000"
                                                                          "0700000000000000"
                                                                          "2000000000000000"
                                                                          "6000000000000000"));
    ASSERT_TRUE(entry) << entry.error();
    EXPECT_EQ(entry->tokens, (TokenSpan{32, 96}));
    EXPECT_EQ(entry->added_us, 0);
}

TEST(RecordBytesTest, EveryFlippedBitAndEveryCutIsNoticed) {
    const RecordWords words = encode_tokens(kTokenPlace, {5, {1, 258, 49151}});
    std::vector<std::byte> bytes(words.size() * 8);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        EXPECT_FALSE(decode_tokens(kTokenPlace, bytes)) << "bit " << bit;
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(decode_tokens(kTokenPlace, std::span(bytes).first(size)));
    EXPECT_TRUE(decode_tokens(kTokenPlace, bytes));
}

TEST(RecordBytesTest, ARecordUnderAnotherKeyOrDatabaseIsRefused) {
    const RecordWords words = encode_tokens(kTokenPlace, {5, {1}});
    const auto bytes = std::as_bytes(std::span(words));
    const std::string other = token_key(DocumentId(7), 1);
    EXPECT_FALSE(decode_tokens({Database::kTokens, other}, bytes));
    EXPECT_FALSE(decode_tokens({Database::kGists, kTokenKey}, bytes));
}

TEST(RecordBytesTest, AnyAddressDoes) {
    const RecordWords words = encode_tokens(kTokenPlace, {5, {1, 2, 3}});
    std::vector<std::byte> room(words.size() * 8 + 8);
    for (std::size_t shift = 0; shift < 8; ++shift) {
        std::memcpy(room.data() + shift, words.data(), words.size() * 8);
        const auto chunk =
            decode_tokens(kTokenPlace, std::span(room).subspan(shift, words.size() * 8));
        ASSERT_TRUE(chunk);
        EXPECT_EQ(chunk->tokens, (std::vector<TokenId>{1, 2, 3}));
    }
}

StoreMeta meta_of_one_head() {
    StoreMeta meta;
    meta.identity.encoder.shape = {1, 1, 2, 1};
    meta.identity.encoder.name = "kv-last";
    meta.identity.encoder.hash = {3, 4};
    meta.gist_bytes = encoded_gist_bytes(GistCodec::kFp16, meta.identity.encoder.shape);
    return meta;
}

// As it was written before gists had a log-mass: the message has no pointer for it.
constexpr const char* kOldGroup =
    "8543536ad7616e9c000000000d00000000000000010005000100000000000000"
    "100000000200000015000000420000001500000012000000150000000c000000"
    "150000000c000000030000000000000004000000000000000000000000000000"
    "00000000000000000000803f000000000000004000000000";

TEST(RecordBytesTest, GroupsOfBeforeLogMassOpenAndHaveNone) {
    const std::string key = group_key(DocumentId(1), Level(1), NodeIndex(0));
    std::vector<std::byte> bytes;
    for (std::string_view rest = kOldGroup; !rest.empty(); rest.remove_prefix(2))
        bytes.push_back(
            static_cast<std::byte>(std::stoi(std::string(rest.substr(0, 2)), nullptr, 16)));
    const auto group = decode_group({Database::kGists, key}, bytes, meta_of_one_head());
    ASSERT_TRUE(group) << group.error();
    EXPECT_EQ(group->count, 1);
    EXPECT_EQ(group->mean_nll, std::vector<float>{1});
    EXPECT_TRUE(group->log_mass.empty());
}

TEST(RecordBytesTest, LogMassComesBackAsItWas) {
    const std::string key = group_key(DocumentId(1), Level(1), NodeIndex(0));
    const RecordPlace place{Database::kGists, key};
    StoredGroup group;
    group.count = 2;
    group.encoder_hash = {3, 4};
    group.kv.resize(2 * meta_of_one_head().gist_bytes);
    group.log_mass = {-128, 127};
    group.index_vectors = {0, 0};
    group.mean_nll = group.mean_entropy = {1, 2};
    const RecordWords words = encode_group(place, group);
    EXPECT_EQ(decode_group(place, std::as_bytes(std::span(words)), meta_of_one_head())->log_mass,
              group.log_mass);
}

// A message that was sealed with a right checksum but says impossible things.
TEST(RecordBytesTest, SealedNonsenseIsRefused) {
    const StoreMeta meta = meta_of_one_head();
    const std::string key = group_key(DocumentId(1), Level(1), NodeIndex(0));
    const RecordPlace place{Database::kGists, key};
    StoredGroup group;
    group.count = 1;
    group.encoder_hash = {3, 4};
    group.kv.resize(meta.gist_bytes);
    group.index_vectors = {0};
    group.mean_nll = {1};
    group.mean_entropy = {2};
    const auto decode = [&](const StoredGroup& wrong) {
        const RecordWords words = encode_group(place, wrong);
        return decode_group(place, std::as_bytes(std::span(words)), meta).has_value();
    };
    EXPECT_TRUE(decode(group));
    StoredGroup wrong = group;
    wrong.kv.push_back(std::byte{0});
    EXPECT_FALSE(decode(wrong));
    wrong = group;
    wrong.log_mass = {1, 2};  // one layer, one head
    EXPECT_FALSE(decode(wrong));
    wrong = group;
    wrong.index_vectors.clear();
    EXPECT_FALSE(decode(wrong));
    wrong = group;
    wrong.codec = static_cast<GistCodec>(9);
    EXPECT_FALSE(decode(wrong));
    wrong.codec = GistCodec::kInt8;  // not the store's
    EXPECT_FALSE(decode(wrong));
    wrong = group;
    wrong.encoder_hash = {3, 5};
    const RecordWords foreign = encode_group(place, wrong);
    const auto refused = decode_group(place, std::as_bytes(std::span(foreign)), meta);
    ASSERT_FALSE(refused);
    for (const std::string& named : {std::string("kv-last"), to_hex({3, 4}), to_hex({3, 5})})
        EXPECT_NE(refused.error().find(named), std::string::npos) << refused.error();
    const RecordWords uses = encode_uses({Database::kStats, key}, UseGroup{});
    EXPECT_FALSE(decode_uses({Database::kStats, key}, std::as_bytes(std::span(uses))));
    // Another type's message under this key: its pointers are not what the reader expects.
    const RecordWords journal = encode_journal(place, {DocumentId(1), {0, 1}});
    EXPECT_FALSE(decode_group(place, std::as_bytes(std::span(journal)), meta));
    StoredDocument document;
    document.record.token_count = kDocumentTokensMax + 1;
    const std::string document_place = document_key(BankId(1), DocumentId(1));
    const RecordWords long_one = encode_document({Database::kDocuments, document_place}, document);
    EXPECT_FALSE(decode_document({Database::kDocuments, document_place},
                                 std::as_bytes(std::span(long_one))));
}

}  // namespace
}  // namespace mc::storage
