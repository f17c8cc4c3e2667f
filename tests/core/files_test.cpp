// SPDX-License-Identifier: Apache-2.0
#include "core/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace mc {
namespace {

constexpr std::uint64_t kAnySize = 1 << 20;

std::span<const std::byte> content_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A folder of its own for each test, removed afterwards.
class Files : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "mc_files_XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    Path write(const std::string& name, std::string_view content) {
        EXPECT_TRUE(replace_file(folder_ / name, content_of(content)));
        return folder_ / name;
    }

    Path folder_;
};

// Gives up root's right to read everything for as long as it lives.
class AsNobody {
  public:
    AsNobody() {
        if (::geteuid() == 0) dropped_ = ::seteuid(65534) == 0;
    }

    ~AsNobody() {
        if (dropped_ && ::seteuid(0) != 0) std::abort();
    }

    AsNobody(const AsNobody&) = delete;
    AsNobody& operator=(const AsNobody&) = delete;

  private:
    bool dropped_ = false;
};

TEST_F(Files, what_was_written_is_read_back_byte_for_byte) {
    const std::string content("line\n\0\xff\xfe end", 11);
    const Path path = write("a.bin", content);
    EXPECT_EQ(read_file(path, kAnySize).value(), content);
}

TEST_F(Files, an_empty_file_reads_as_no_bytes) {
    EXPECT_EQ(read_file(write("empty", ""), kAnySize).value(), "");
}

TEST_F(Files, the_size_limit_is_inclusive) {
    const Path path = write("ten", "0123456789");
    EXPECT_TRUE(read_file(path, 10));
    const auto over = read_file(path, 9);
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(over.error().to_string().find("larger than the limit of 9 bytes"), std::string::npos);
    EXPECT_NE(over.error().to_string().find(path.string()), std::string::npos);
}

TEST_F(Files, a_missing_file_is_the_users_error_and_is_named) {
    const auto result = read_file(folder_ / "none", kAnySize);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(result.error().to_string().find("none: No such file"), std::string::npos);
    EXPECT_EQ(MappedFile::open(folder_ / "none").error().code(), ErrorCode::kInvalidInput);
}

TEST_F(Files, a_folder_is_not_a_file) {
    EXPECT_EQ(read_file(folder_, kAnySize).error().code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(MappedFile::open(folder_).error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(read_file(folder_, kAnySize).error().message().find("is a folder"),
              std::string::npos);
}

TEST_F(Files, an_unreadable_file_is_the_users_error) {
    const Path path = write("secret", "x");
    ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
    ASSERT_EQ(::chmod(path.c_str(), 0), 0);
    const AsNobody nobody;
    const auto result = read_file(path, kAnySize);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(result.error().message().find("Permission denied"), std::string::npos);
}

TEST_F(Files, replacing_leaves_the_new_content_and_no_draft) {
    const Path path = write("a", "old and longer");
    ASSERT_TRUE(replace_file(path, content_of("new")));
    EXPECT_EQ(read_file(path, kAnySize).value(), "new");
    int entries = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_))
        ++entries;
    EXPECT_EQ(entries, 1);
}

TEST_F(Files, a_failed_replacement_leaves_the_old_content) {
    const Path path = write("a", "old");
    ASSERT_TRUE(std::filesystem::create_directory(folder_ / "a.new"));  // blocks the draft
    EXPECT_FALSE(replace_file(path, content_of("new")));
    EXPECT_EQ(read_file(path, kAnySize).value(), "old");
}

TEST_F(Files, replacing_in_a_missing_folder_fails_and_names_it) {
    const auto result = replace_file(folder_ / "no" / "a", content_of("x"));
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message().find("no/a.new"), std::string::npos);
}

TEST_F(Files, a_mapped_file_shows_its_bytes) {
    auto mapped = MappedFile::open(write("a", "mapped bytes"));
    ASSERT_TRUE(mapped);
    EXPECT_EQ(text_of((*mapped)->bytes()), "mapped bytes");
}

TEST_F(Files, mapping_an_empty_file_is_an_error) {
    const auto mapped = MappedFile::open(write("empty", ""));
    ASSERT_FALSE(mapped);
    EXPECT_EQ(mapped.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(mapped.error().message().find("is empty"), std::string::npos);
}

TEST(SystemError, picks_the_class_that_the_caller_reacts_to) {
    EXPECT_EQ(system_error(ENOSPC, "cannot write", "f").code(), ErrorCode::kOutOfSpace);
    EXPECT_EQ(system_error(EDQUOT, "cannot write", "f").code(), ErrorCode::kOutOfSpace);
    EXPECT_EQ(system_error(EACCES, "cannot open", "f").code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(system_error(EIO, "cannot read", "f").code(), ErrorCode::kIo);
    EXPECT_EQ(system_error(ENOSPC, "cannot write", "f").to_string(),
              "cannot write f: No space left on device");
}

}  // namespace
}  // namespace mc
