// SPDX-License-Identifier: Apache-2.0
// Sealing: what was changed, moved or sealed with another key does not open; keys and their header.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "storage/lmdb/record_seal.h"
#include "storage/seal/key_header.h"
#include "storage/seal/sealer.h"
#include "storage/seal/sector_cipher.h"
#include "storage/seal/store_file.h"
#include "tests/support/key_fixture.h"

namespace mc::storage {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Secret secret_of(std::uint8_t byte) {
    Secret secret;
    std::ranges::fill(secret.bytes(), byte);
    return secret;
}

TEST(SealerTest, WhatIsSealedOpensAtItsPlaceAlone) {
    const Sealer sealer(secret_of(1));
    for (const std::string& text : {std::string(), std::string("a"), std::string(100'000, 'x')}) {
        const auto sealed = sealer.seal("tokens/7", bytes_of(text));
        EXPECT_EQ(sealed.size(), text.size() + Sealer::kOverheadBytes);
        ASSERT_TRUE(sealer.open("tokens/7", sealed));
        EXPECT_EQ(text_of(*sealer.open("tokens/7", sealed)), text);
        EXPECT_FALSE(sealer.open("tokens/8", sealed));
        EXPECT_FALSE(Sealer(secret_of(2)).open("tokens/7", sealed));
        EXPECT_NE(sealer.seal("tokens/7", bytes_of(text)), sealed);
    }
}

TEST(SealerTest, AnyChangedBitAndAnyMissingEndIsNoticed) {
    const Sealer sealer(secret_of(1));
    const auto sealed = sealer.seal("place", bytes_of("seventeen letters"));
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        auto changed = sealed;
        changed[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        EXPECT_FALSE(sealer.open("place", changed)) << "bit " << bit;
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(sealer.open("place", std::span(sealed).first(size))) << size;
}

TEST(SealerTest, SecretsForPurposesDifferAndFollowFromTheKey) {
    const auto bytes = [](const auto& secret) {
        return std::vector<std::uint8_t>(secret.bytes().begin(), secret.bytes().end());
    };
    EXPECT_EQ(bytes(derive_secret(secret_of(1), 1)), bytes(derive_secret(secret_of(1), 1)));
    EXPECT_NE(bytes(derive_secret(secret_of(1), 1)), bytes(derive_secret(secret_of(1), 2)));
    EXPECT_NE(bytes(derive_secret(secret_of(1), 1)), bytes(derive_secret(secret_of(2), 1)));
    EXPECT_NE(hide_name(secret_of(1), "work"), hide_name(secret_of(1), "works"));
    EXPECT_NE(hide_name(secret_of(1), "work"), hide_name(secret_of(2), "work"));
    const IndexKeys keys = StoreSeal(secret_of(1)).index_keys("1/passages.sqlite");
    EXPECT_NE(bytes(keys.content), bytes(keys.log));
    EXPECT_NE(bytes(keys.content), bytes(index_keys_of('x').content));
}

// IEEE 1619-2007, vector 10.
TEST(SectorCipherTest, EncryptsAsTheStandardSays) {
    constexpr std::string_view kKey =
        "\x27\x18\x28\x18\x28\x45\x90\x45\x23\x53\x60\x28\x74\x71\x35\x26"
        "\x62\x49\x77\x57\x24\x70\x93\x69\x99\x59\x57\x49\x66\x96\x76\x27"
        "\x31\x41\x59\x26\x53\x58\x97\x93\x23\x84\x62\x64\x33\x83\x27\x95"
        "\x02\x88\x41\x97\x16\x93\x99\x37\x51\x05\x82\x09\x74\x94\x45\x92";
    constexpr std::string_view kExpected =
        "\x1c\x3b\x3a\x10\x2f\x77\x03\x86\xe4\x83\x6c\x99\xe3\x70\xcf\x9b"
        "\xea\x00\x80\x3f\x5e\x48\x23\x57\xa4\xae\x12\xd4\x14\xa3\xe6\x3b";
    SectorKey key;
    std::memcpy(key.bytes().data(), kKey.data(), kKey.size());
    std::vector<std::byte> sector(SectorCipher::kSectorBytes);
    for (std::size_t i = 0; i < sector.size(); ++i) sector[i] = static_cast<std::byte>(i & 0xff);
    const auto plain = sector;
    SectorCipher cipher(key);
    cipher.encrypt(0xff, sector);
    EXPECT_EQ(text_of(std::span(sector).first(kExpected.size())), kExpected);
    cipher.decrypt(0xff, sector);
    EXPECT_EQ(sector, plain);
}

TEST(SectorCipherTest, SectorsDifferAndTheBeginningOfOneStandsAlone) {
    SectorCipher cipher(index_keys_of('k').content);
    std::vector<std::byte> two(2 * SectorCipher::kSectorBytes, std::byte{7});
    cipher.encrypt(40, two);
    const std::span sectors(two);
    EXPECT_NE(text_of(sectors.first(512)), text_of(sectors.last(512)));
    std::vector<std::byte> part(two.begin(), two.begin() + 48);
    cipher.decrypt(40, part);
    EXPECT_EQ(part, std::vector<std::byte>(48, std::byte{7}));
}

TEST(KeyHeaderTest, TheDataKeyComesBackWithTheKeyThatWrappedIt) {
    const Secret data_key = random_secret();
    const StoreKey file = key_of('a');
    const auto phrase = StoreKey::from_passphrase("correct horse", "the passphrase");
    ASSERT_TRUE(phrase);
    for (const StoreKey* key : {&file, &*phrase}) {
        const auto header = wrap_data_key(data_key, *key);
        ASSERT_TRUE(header);
        ASSERT_EQ(header->size(), kKeyHeaderBytes);
        EXPECT_EQ(*key_kind_of(bytes_of(*header), "it"), key->kind());
        const auto opened = unwrap_data_key(bytes_of(*header), key, "it");
        ASSERT_TRUE(opened) << opened.error().to_string();
        EXPECT_TRUE(std::ranges::equal(opened->bytes(), data_key.bytes()));
        EXPECT_NE(*wrap_data_key(data_key, *key), *header);
    }
}

TEST(KeyHeaderTest, AWrongKeyIsSaidByItsName) {
    const StoreKey file = key_of('a');
    const StoreKey other = key_of('b');
    const auto phrase = StoreKey::from_passphrase("correct horse", "the passphrase");
    const std::string header = *wrap_data_key(random_secret(), file);
    const auto error = [&](const StoreKey* key) {
        const auto opened = unwrap_data_key(bytes_of(header), key, "store /data/s");
        EXPECT_FALSE(opened);
        EXPECT_EQ(opened.error().code(), ErrorCode::kKey);
        return opened.error().message();
    };
    EXPECT_NE(error(&other).find("the key does not open store /data/s"), std::string::npos);
    EXPECT_NE(error(&other).find(other.name()), std::string::npos);
    EXPECT_NE(error(nullptr).find("give --key-file FILE"), std::string::npos);
    EXPECT_NE(error(&*phrase).find("is encrypted with a key file"), std::string::npos);
}

TEST(KeyHeaderTest, AChangedHeaderIsDamageAndNeverAnotherKey) {
    const StoreKey key = key_of('a');
    const std::string header = *wrap_data_key(random_secret(), key);
    for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
        std::string changed = header;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
        const auto opened = unwrap_data_key(bytes_of(changed), &key, "it");
        ASSERT_FALSE(opened) << "bit " << bit;
        EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption) << "bit " << bit;
    }
}

TEST(StoreKeyTest, FilesAndPassphrasesThatAreNoKeysAreRefused) {
    const ScratchDirectory scratch;
    const Path file = scratch.path() / "key";
    EXPECT_EQ(StoreKey::from_file(file).error().code(), ErrorCode::kInvalidInput);
    std::ofstream(file) << std::string(31, 'x');
    EXPECT_NE(StoreKey::from_file(file).error().message().find("31 bytes"), std::string::npos);
    std::ofstream(file) << "\nsecond line";
    EXPECT_EQ(StoreKey::from_passphrase_file(file).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(StoreKey::from_passphrase("", "it").error().code(), ErrorCode::kInvalidInput);
}

TEST(StoreKeyTest, APassphraseIsTheFirstLineOfItsFile) {
    const ScratchDirectory scratch;
    const auto secret_in = [&](const std::string& content) {
        std::ofstream(scratch.path() / "phrase", std::ios::binary) << content;
        const auto key = StoreKey::from_passphrase_file(scratch.path() / "phrase");
        const Secret secret = *key->derive({KeyKind::kPassphrase, 1, 64, {}});
        return std::vector<std::uint8_t>(secret.bytes().begin(), secret.bytes().end());
    };
    EXPECT_EQ(secret_in("horse"), secret_in("horse\n"));
    EXPECT_EQ(secret_in("horse"), secret_in("horse\r\nmore"));
    EXPECT_NE(secret_in("horse"), secret_in("horse "));
}

TEST(StoreKeyTest, AMadeKeyFileIsItsOwnersAndIsNeverWrittenOver) {
    const ScratchDirectory scratch;
    const Path file = scratch.path() / "key";
    ASSERT_TRUE(make_key_file(file));

    struct stat info {};

    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_EQ(static_cast<std::size_t>(info.st_size), kKeyFileBytes);
    const std::string before = *read_file(file, 1024);
    EXPECT_EQ(make_key_file(file).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(*read_file(file, 1024), before);
    ASSERT_TRUE(make_key_file(scratch.path() / "other"));
    EXPECT_NE(*read_file(scratch.path() / "other", 1024), before);
}

TEST(StoreFileTest, ASmallFileOpensUnderItsNameAlone) {
    const ScratchDirectory scratch;
    const StoreSeal seal(secret_of(3));
    const Path file = scratch.path() / "keys.json";
    ASSERT_TRUE(replace_store_file(&seal, file, "who may"));
    EXPECT_EQ(*read_store_file(&seal, file, 100), "who may");
    EXPECT_EQ(bytes_below(scratch.path()).find("who may"), std::string::npos);
    std::filesystem::rename(file, scratch.path() / "other.json");
    EXPECT_EQ(read_store_file(&seal, scratch.path() / "other.json", 100).error().code(),
              ErrorCode::kCorruption);
    ASSERT_TRUE(replace_store_file(nullptr, file, "who may"));
    EXPECT_EQ(*read_file(file, 100), "who may");
    EXPECT_EQ(*read_store_file(nullptr, file, 100), "who may");
    EXPECT_EQ(read_store_file(&seal, file, 100).error().code(), ErrorCode::kCorruption);
}

// What the first programs of this format wrote, with the data key 00 01 … 1f and the key files and
// passphrase below: it opens for ever.
TEST(SealFormatTest, WhatWasSealedOnceStillOpens) {
    const auto bytes = [](std::string_view hex) {
        std::vector<std::byte> made;
        for (std::size_t i = 0; i < hex.size(); i += 2)
            made.push_back(
                static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
        return made;
    };
    const auto of_file = bytes(
        "4d435345414c0d0a01000000010000000000000000000000f35d0202a2e469fe1564850a5818f320f85f0a33"
        "9d8b45c401a4b18d8fe472185424808cef575b7c86b4476a8cd79674a510ee1ff9cbe9185b832304d304906f"
        "000a126f8038dcdf7247011c659ea10cb9fdf4b1e68ec15f0aaf5699076e3023");
    const auto of_phrase = bytes(
        "4d435345414c0d0a010000000200000003000000000001006727b136035c2c2a301acf3dafba0fd0e112d1f4"
        "3bb039bb784613451fb5d77f590c65a9e270be60e73b725118d95e7b62c413378c63343b819848b0bbb154c2"
        "5c8b452d906d47382e0003462b13c586cfbd3d1174f0b13797cab93f810b3085");
    const StoreKey file = key_of('a');
    const auto phrase = StoreKey::from_passphrase("correct horse", "the passphrase");
    const auto data_key = unwrap_data_key(of_file, &file, "it");
    const auto same = unwrap_data_key(of_phrase, &*phrase, "it");
    ASSERT_TRUE(data_key && same);
    EXPECT_TRUE(std::ranges::equal(data_key->bytes(), same->bytes()));
    const StoreSeal seal(*data_key);
    const auto chunk = open_record(
        seal, Database::kTokens, token_key(DocumentId(7), 0),
        bytes(
            "8b99172ae6b3991190f0f03b46f0c29d35fd597fff435815917836561a6913f6ae83458337a83c52bdf543"
            "c31d5ba1b745"));
    ASSERT_TRUE(chunk);
    EXPECT_EQ(text_of(chunk->value()), "the value");
    const auto bank_key = bytes("d3a24bc9653e767018ceb92f134318a8");
    EXPECT_EQ(stored_key(seal, Database::kBanks, "work"), text_of(bank_key));
    const auto bank = open_record(
        seal, Database::kBanks, text_of(bank_key),
        bytes(
            "915a293174fa904641db79af60aa52e226406f5ad0f947b27cbb2ab5b4ac91947cbb78bf4dc18b36e120e2"
            "9b85dd29149e2636396776c7"));
    ASSERT_TRUE(bank);
    EXPECT_EQ(bank->key, "work");
    EXPECT_EQ(text_of(bank->value()), "the value");
    EXPECT_EQ(stored_key(seal, Database::kDocuments, source_key(BankId(1), "notes")),
              text_of(bytes("7300000001c5162a0ecd7338b74044f85e729ae794")));
    const IndexKeys keys = seal.index_keys("1/passages.sqlite");
    const std::pair<const SectorKey*, const char*> sectors[] = {
        {&keys.content, "1f6a11036ce95ce2e929f5b852f695ce"},
        {&keys.log, "b92a1c9e9f58bd08c652b73b069083fb"},
        {&keys.journal, "d226aad82cae59c0c392d99bcaa19fd3"}};
    for (const auto& [key, expected] : sectors) {
        std::vector<std::byte> block(16);
        SectorCipher(*key).encrypt(3, block);
        EXPECT_EQ(block, bytes(expected));
    }
    const auto content = seal.files().open(
        "keys.json",
        bytes(
            "162b79b5a63d072954bb2ae9c883bc9686d3dc6a850a73115582ab6934c9bca45e9ef98a5e20f8ee9cd38f"
            "e35017ed5e51"));
    ASSERT_TRUE(content);
    EXPECT_EQ(text_of(*content), "the value");
}

}  // namespace
}  // namespace mc::storage
