// SPDX-License-Identifier: Apache-2.0
#include "runtime/source_text.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>
#include <utility>

namespace mc::runtime {
namespace {

class SourceText : public testing::Test {
  protected:
    SourceText() : path_(Path(testing::TempDir()) / ("source-" + std::to_string(::getpid()))) {
        limits_.size_bytes_max = 1 << 20;
    }

    ~SourceText() override { ::unlink(path_.c_str()); }

    void write(const std::string& content, std::ios::openmode mode = std::ios::trunc) const {
        std::ofstream(path_, std::ios::binary | mode) << content;
    }

    // Reads the file while `change` happens after the first piece.
    Result<std::string> read_while(const std::function<void()>& change) const {
        bool is_first = true;
        return read_source(path_, limits_, [&](std::uint64_t) {
            if (std::exchange(is_first, false)) change();
        });
    }

    void expect_refused(const Result<std::string>& read, const std::string& why) const {
        ASSERT_FALSE(read) << why;
        EXPECT_EQ(read.error().code(), ErrorCode::kInvalidInput);
        EXPECT_NE(read.error().message().find(why), std::string::npos) << read.error().message();
    }

    Path path_;
    SourceLimits limits_;
};

TEST_F(SourceText, AFileComesBackByteForByte) {
    std::string content;
    for (int i = 0; i < 50000; ++i) content += std::to_string(i) + "\n";
    write(content);
    EXPECT_EQ(read_source(path_, limits_).value(), content);
}

TEST_F(SourceText, AFileThatChangesWhileItIsReadIsRefused) {
    const std::string content(200'000, 'a');
    write(content);
    expect_refused(read_while([&] { ASSERT_EQ(::truncate(path_.c_str(), 100'000), 0); }),
                   "changed while it was read");
    write(content);
    expect_refused(read_while([&] { write("more", std::ios::app); }), "changed while it was read");
    // Overwritten in place with as many bytes: only the time tells, which a system may keep in
    // steps of milliseconds, so the file is made older first.
    write(content);
    const timespec old[] = {{1, 0}, {1, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), old, 0), 0);
    expect_refused(read_while([&] {
                       std::fstream(path_, std::ios::in | std::ios::out | std::ios::binary)
                           << std::string(200'000, 'b');
                   }),
                   "changed while it was read");
    write(content);
    EXPECT_EQ(read_while([] {}).value(), content);
}

TEST_F(SourceText, AFileThatIsReplacedMeanwhileIsReadAsItWas) {
    const std::string content(200'000, 'a');
    write(content);
    const auto read = read_while([&] {
        const Path other = path_.string() + ".new";
        std::ofstream(other) << "another text";
        std::filesystem::rename(other, path_);
    });
    EXPECT_EQ(read.value(), content);
}

TEST_F(SourceText, APipeIsReadToItsEnd) {
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    EXPECT_TRUE(is_stream(path_));
    const std::string content(300'000, 'p');
    std::thread writer([&] { write(content, std::ios::out); });
    EXPECT_EQ(read_source(path_, limits_).value(), content);
    writer.join();
    EXPECT_FALSE(is_stream(path_.parent_path()));
}

TEST_F(SourceText, WhatIsNoTextOrTooMuchIsRefusedByName) {
    write("");
    expect_refused(read_source(path_, limits_), "is empty");
    write(std::string("a\0b", 3));
    expect_refused(read_source(path_, limits_), "byte 1 is NUL");
    write("ab\xff");
    expect_refused(read_source(path_, limits_), "not UTF-8: byte 2");
    limits_.allow_binary = true;
    EXPECT_EQ(read_source(path_, limits_).value(), "ab\xff");
    limits_.size_bytes_max = 2;
    expect_refused(read_source(path_, limits_), "more bytes than the limit of 2");
    expect_refused(read_source(path_.parent_path(), limits_), "is a folder");
    expect_refused(read_source(path_ / "none", limits_), path_.string());
}

}  // namespace
}  // namespace mc::runtime
