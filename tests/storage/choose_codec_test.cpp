// SPDX-License-Identifier: Apache-2.0
// A new store's codec: what was asked for, or the smallest that is as good as fp16.
#include "storage/codec/store_codec.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "storage/codec/codebook_file.h"
#include "storage/store.h"
#include "tests/support/codebook_fixture.h"
#include "tests/support/store_fixture.h"

namespace mc::runtime {
namespace {

using storage::GistCodec;

const storage::GistCodebook& own_codebook() {
    static const storage::GistCodebook book = *load_codebook(kOwnCodebook);
    return book;
}

// As the encoder that the program's own codebook was trained for says of itself.
EncoderInfo own_encoder() {
    EncoderInfo encoder;
    encoder.name = own_codebook().encoder_name;
    encoder.hash = own_codebook().encoder_hash;
    encoder.shape = own_codebook().shape;
    return encoder;
}

// The same form, other gists: an untrained pooling, or one of a later training.
EncoderInfo other_encoder() {
    EncoderInfo encoder = own_encoder();
    ++encoder.hash.low;
    return encoder;
}

StoreCodec chosen(const std::string& codec, const EncoderInfo& encoder,
                  const std::string& codebook = kOwnCodebook) {
    Config config;
    config.codec = codec;
    config.codebook = codebook;
    auto result = choose_codec(config, encoder);
    EXPECT_TRUE(result) << codec;
    return result ? std::move(*result) : StoreCodec();
}

class ChooseCodecTest : public testing::Test {
  protected:
    // A codebook of another encoder than the program's own, as a file.
    std::string file_for(const EncoderInfo& encoder) const {
        const std::string path = scratch_.path() / "book.safetensors";
        EXPECT_TRUE(save_codebook(path, storage::random_codebook(encoder, 2), {}));
        return path;
    }

    Result<std::unique_ptr<storage::Store>> make_store(const StoreCodec& codec) const {
        storage::StoreOptions options = storage::test_options(scratch_.path() / "store");
        options.codec_at_creation = codec.codec;
        options.codebook = codec.codebook ? &*codec.codebook : nullptr;
        return storage::Store::open(options);
    }

    storage::ScratchDirectory scratch_;
};

TEST_F(ChooseCodecTest, AutoIsPqForTheEncoderOfTheProgramsOwnCodebook) {
    const StoreCodec codec = chosen("auto", own_encoder());
    EXPECT_EQ(codec.codec, GistCodec::kPq);
    ASSERT_TRUE(codec.codebook);
    EXPECT_EQ(codec.codebook->hash, own_codebook().hash);
}

TEST_F(ChooseCodecTest, AutoIsInt8ForAnyOtherEncoder) {
    for (const EncoderInfo& encoder : {other_encoder(), storage::test_identity().encoder}) {
        const StoreCodec codec = chosen("auto", encoder);
        EXPECT_EQ(codec.codec, GistCodec::kInt8);
        EXPECT_FALSE(codec.codebook);
    }
}

TEST_F(ChooseCodecTest, ACodecThatIsNamedIsTakenWhateverFits) {
    for (const EncoderInfo& encoder : {own_encoder(), other_encoder()}) {
        for (const GistCodec wanted : storage::kGistCodecs) {
            const StoreCodec codec = chosen(std::string(storage::codec_name(wanted)), encoder);
            EXPECT_EQ(codec.codec, wanted);
            EXPECT_EQ(codec.codebook.has_value(), wanted == GistCodec::kPq);
        }
    }
}

TEST_F(ChooseCodecTest, AutoTakesACodebookFileThatFits) {
    const EncoderInfo encoder = storage::test_identity().encoder;
    const StoreCodec codec = chosen("auto", encoder, file_for(encoder));
    const auto store = make_store(codec);
    ASSERT_TRUE(store) << store.error().to_string();
    EXPECT_EQ((*store)->meta().codec, GistCodec::kPq);
    EXPECT_EQ((*store)->meta().codebook_hash, codec.codebook->hash);
}

TEST_F(ChooseCodecTest, ACodebookFileThatDoesNotFitMakesNoStore) {
    EncoderInfo other = storage::test_identity().encoder;
    ++other.hash.low;
    const std::string file = file_for(other);
    for (const char* setting : {"auto", "pq"}) {
        const auto refused = make_store(chosen(setting, storage::test_identity().encoder, file));
        ASSERT_FALSE(refused) << setting;
        EXPECT_EQ(refused.error().code(), ErrorCode::kModelMismatch);
    }
}

TEST_F(ChooseCodecTest, ACodebookFileThatIsMissingIsAnErrorOnlyWhereItIsRead) {
    Config config;
    config.codebook = scratch_.path() / "none.safetensors";
    config.codec = "int8";
    EXPECT_TRUE(choose_codec(config, own_encoder()));
    for (const char* setting : {"auto", "pq"}) {
        config.codec = setting;
        EXPECT_FALSE(choose_codec(config, own_encoder())) << setting;
    }
}

}  // namespace
}  // namespace mc::runtime
