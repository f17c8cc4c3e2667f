// SPDX-License-Identifier: Apache-2.0
// The event file against the CRC's published vectors and bytes that TensorFlow's own protobuf
// classes serialise for the same event.
#include "telemetry/tensorboard.h"

#include <gtest/gtest.h>

namespace mc::telemetry {
namespace {

TEST(TensorBoard, the_checksum_has_the_published_values) {
    EXPECT_EQ(crc32c("123456789"), 0xe3069283U);            // the CRC catalogue's check value
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);  // RFC 3720, B.4
    EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

TEST(TensorBoard, a_scalar_is_one_record_after_the_version) {
    const std::vector<ScalarPoint> points = {{"a", 300, 1.5F}};
    const std::string bytes = tensorboard_bytes(points);
    // wall_time 0, file_version "brain.Event:2": 24 bytes of data in 16 of frame.
    ASSERT_GT(bytes.size(), 40U);
    EXPECT_EQ(bytes.substr(0, 8), std::string("\x18\0\0\0\0\0\0\0", 8));
    EXPECT_EQ(bytes.substr(21, 15),
              "\x1a\x0d"
              "brain.Event:2");
    const std::string event = bytes.substr(40 + 12, bytes.size() - 40 - 16);
    EXPECT_EQ(event, std::string("\x09\0\0\0\0\0\0\0\0"  // wall_time
                                 "\x10\xac\x02"          // step 300
                                 "\x2a\x0a\x0a\x08"      // summary, value
                                 "\x0a\x01"
                                 "a"  // tag
                                 "\x15\0\0\xc0\x3f",
                                 24));  // simple_value 1.5
}

TEST(TensorBoard, equal_points_give_equal_bytes) {
    const std::vector<ScalarPoint> points = {{"a", 1, 0.5F}, {"b", 2, -3.0F}};
    EXPECT_EQ(tensorboard_bytes(points), tensorboard_bytes(points));
    EXPECT_NE(tensorboard_bytes(points), tensorboard_bytes(std::span(points).first(1)));
}

}  // namespace
}  // namespace mc::telemetry
