// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/named_codec.h"

#include <algorithm>

#include "storage/codec/codebook_file.h"

namespace mc::eval {
namespace {

Result<NamedCodec> with_codebook(std::string name, const std::string& file, const GistShape& shape,
                                 std::span<const EncoderInfo> encoders) {
    MC_ASSIGN(const storage::GistCodebook book, runtime::load_codebook(file));
    NamedCodec codec;
    codec.name = std::move(name);
    codec.codebook_hash = book.hash;
    codec.encoder_hash = book.encoder_hash;
    if (std::none_of(encoders.begin(), encoders.end(),
                     [&](const EncoderInfo& encoder) { return codec.fits(encoder); }))
        return fail(ErrorCode::kUsage, "codec " + codec.name +
                                           ": its codebook was trained on gists of encoder " +
                                           book.encoder_name + " (" + to_hex(book.encoder_hash) +
                                           "), which is not among those to measure");
    MC_ASSIGN(codec.coder, storage::GistCoder::make(storage::GistCodec::kPq, shape, &book));
    return codec;
}

Result<NamedCodec> named_codec(const std::string& setting, const GistShape& shape,
                               std::span<const EncoderInfo> encoders) {
    const std::size_t separator = setting.find('=');
    if (separator != std::string::npos)
        return with_codebook(setting.substr(0, separator), setting.substr(separator + 1), shape,
                             encoders);
    const auto codec = storage::codec_from_name(setting);
    if (!codec) return fail(ErrorCode::kUsage, "no codec is called " + setting);
    if (*codec == storage::GistCodec::kPq) return with_codebook(setting, "auto", shape, encoders);
    NamedCodec plain;
    plain.name = setting;
    MC_ASSIGN(plain.coder, storage::GistCoder::make(*codec, shape, nullptr));
    return plain;
}

}  // namespace

Result<std::vector<NamedCodec>> named_codecs(std::span<const std::string> settings,
                                             const GistShape& shape,
                                             std::span<const EncoderInfo> encoders) {
    std::vector<NamedCodec> codecs;
    for (const std::string& setting : settings) {
        MC_ASSIGN(NamedCodec codec, named_codec(setting, shape, encoders));
        codecs.push_back(std::move(codec));
    }
    return codecs;
}

}  // namespace mc::eval
