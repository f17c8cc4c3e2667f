// SPDX-License-Identifier: Apache-2.0
#include "telemetry/tensorboard.h"

#include <array>
#include <bit>

namespace mc::telemetry {
namespace {

constexpr std::uint32_t kCastagnoliReversed = 0x82f63b78U;
constexpr std::uint32_t kMaskDelta = 0xa282ead8U;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc >> 1) ^ ((crc & 1U) != 0 ? kCastagnoliReversed : 0U);
        table[i] = crc;
    }
    return table;
}

constexpr auto kCrcTable = make_crc_table();

// Little-endian bytes of an unsigned number.
template <class T>
std::string fixed(T value) {
    std::string out;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
    return out;
}

std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    out.push_back(static_cast<char>(value));
    return out;
}

// A length-delimited protobuf field.
std::string message(int field, std::string_view content) {
    return varint(static_cast<std::uint64_t>(field) << 3 | 2) + varint(content.size()) +
           std::string(content);
}

std::string record(std::string_view data) {
    const auto masked = [](std::string_view bytes) {
        const std::uint32_t crc = crc32c(bytes);
        return fixed(((crc >> 15) | (crc << 17)) + kMaskDelta);
    };
    const std::string length = fixed(static_cast<std::uint64_t>(data.size()));
    return length + masked(length) + std::string(data) + masked(data);
}

std::string event(const ScalarPoint& point) {
    std::string value = message(1, point.tag);
    value += varint(2 << 3 | 5) + fixed(std::bit_cast<std::uint32_t>(point.value));
    std::string out = varint(1 << 3 | 1) + fixed(std::uint64_t{0});  // wall_time 0.0
    out += varint(2 << 3 | 0) + varint(point.step);
    return out + message(5, message(1, value));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
    std::uint32_t crc = ~0U;
    for (const char byte : bytes)
        crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
    return ~crc;
}

std::string tensorboard_bytes(std::span<const ScalarPoint> points) {
    const std::string version =
        varint(1 << 3 | 1) + fixed(std::uint64_t{0}) + message(3, "brain.Event:2");
    std::string out = record(version);
    for (const ScalarPoint& point : points) out += record(event(point));
    return out;
}

Result<void> write_tensorboard(const Path& folder, std::span<const ScalarPoint> points) {
    const std::string bytes = tensorboard_bytes(points);
    return replace_file(folder / "events.out.tfevents.0.megacontext",
                        std::as_bytes(std::span(bytes)));
}

}  // namespace mc::telemetry
