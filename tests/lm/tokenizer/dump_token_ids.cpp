// SPDX-License-Identifier: Apache-2.0
// dump_token_ids MODEL TEXT IDS: encodes TEXT and writes its ids to IDS as little-endian
// int32. For tokenizer_parity.py.
#include <cstdio>
#include <limits>

#include "core/files.h"
#include "lm/tokenizer/tokenizer.h"

namespace {

mc::Result<void> dump(const mc::Path& model, const mc::Path& text_path, const mc::Path& ids_path) {
    MC_ASSIGN(const auto tokenizer, mc::lm::Tokenizer::open(model));
    MC_ASSIGN(const auto text, mc::read_file(text_path, std::numeric_limits<std::uint64_t>::max()));
    const std::vector<mc::TokenId> ids = tokenizer->encode(text);
    return mc::replace_file(ids_path, std::as_bytes(std::span(ids)));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: dump_token_ids MODEL TEXT IDS\n");
        return 2;
    }
    const auto result = dump(argv[1], argv[2], argv[3]);
    if (!result) std::fprintf(stderr, "%s\n", result.error().to_string().c_str());
    return result ? 0 : 1;
}
