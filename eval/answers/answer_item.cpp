// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/answer_item.h"

#include "core/span_math.h"

namespace mc::eval {

std::string_view name_of(BlockPlace place) {
    switch (place) {
        case BlockPlace::k0:
            return "0";
        case BlockPlace::k8:
            return "8";
        case BlockPlace::k16:
            return "16";
        case BlockPlace::k24:
            return "24";
        case BlockPlace::k31:
            return "31";
        case BlockPlace::kAcross:
            return "across";
    }
    MC_CHECK(false, "no such place");
}

std::uint64_t block_offset(BlockPlace place, std::uint64_t fact_tokens) {
    switch (place) {
        case BlockPlace::k0:
            return 0;
        case BlockPlace::k8:
            return 8;
        case BlockPlace::k16:
            return 16;
        case BlockPlace::k24:
            return 24;
        case BlockPlace::k31:
            return 31;
        case BlockPlace::kAcross:
            return (kBlockSize - fact_tokens / 2 % kBlockSize) % kBlockSize;
    }
    MC_CHECK(false, "no such place");
}

}  // namespace mc::eval
