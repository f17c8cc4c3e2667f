// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/text_input.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/files.h"

namespace mc::apps {
namespace {

constexpr std::size_t kReadBytes = 1 << 16;

}  // namespace

Result<std::uint64_t> read_text_tokens(const std::string& file, const lm::BaseModel& model,
                                       const TokenReceiver& receive) {
    std::ifstream opened;
    if (file != "-") {
        std::error_code ignored;
        if (std::filesystem::is_directory(file, ignored))
            return fail(ErrorCode::kInvalidInput, file + " is a folder");
        opened.open(file, std::ios::binary);
        if (!opened) return fail(system_error(errno, "open", file));
    }
    std::istream& in = file == "-" ? std::cin : opened;
    lm::StreamEncoder encoder(model.tokenizer());
    std::string buffer(kReadBytes, '\0');
    std::uint64_t byte_count = 0;
    while (in) {
        in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        const auto size = static_cast<std::size_t>(in.gcount());
        byte_count += size;
        MC_TRY(receive(encoder.push(std::string_view(buffer).substr(0, size))));
    }
    if (in.bad()) return fail(ErrorCode::kIo, "cannot read " + file);
    MC_TRY(receive(encoder.finish()));
    if (byte_count == 0) return fail(ErrorCode::kInvalidInput, file + " is empty");
    return byte_count;
}

}  // namespace mc::apps
