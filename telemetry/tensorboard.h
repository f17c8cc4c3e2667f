// SPDX-License-Identifier: Apache-2.0
// Scalars as a TensorBoard event file.
//
// Format: TFRecord framing (tensorflow/core/lib/io/record_writer.h: length, masked CRC-32C of the
// length, data, masked CRC-32C of the data) around Event messages
// (tensorflow/core/util/event.proto), whose few fields are written by hand. The whole file is made
// anew from its points, so a resumed run needs no appending. Threads: free. Errors: as
// replace_file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/result.h"

namespace mc::telemetry {

struct ScalarPoint {
    std::string tag;  // "train/loss"
    std::uint64_t step = 0;
    float value = 0;
};

// The file's bytes; wall times are zero, so that equal points give equal bytes.
std::string tensorboard_bytes(std::span<const ScalarPoint> points);

// Writes events.out.tfevents.0.megacontext into a folder.
Result<void> write_tensorboard(const Path& folder, std::span<const ScalarPoint> points);

// CRC-32C (Castagnoli) of bytes; RFC 3720, appendix B.4.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace mc::telemetry
