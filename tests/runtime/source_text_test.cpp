// SPDX-License-Identifier: Apache-2.0
#include "runtime/source_text.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <thread>
#include <utility>

namespace mc::runtime {
namespace {

using std::string_literals::operator""s;

class SourceTextTest : public testing::Test {
  protected:
    SourceTextTest() : path_(Path(testing::TempDir()) / ("source-" + std::to_string(::getpid()))) {
        limits_.size_bytes_max = 1 << 20;
    }

    ~SourceTextTest() override { ::unlink(path_.c_str()); }

    void write(const std::string& content, std::ios::openmode mode = std::ios::trunc) const {
        std::ofstream(path_, std::ios::binary | mode) << content;
    }

    // Reads the file while `change` happens after the first piece.
    Result<SourceText> read_while(const std::function<void()>& change) const {
        bool is_first = true;
        return read_source(path_, limits_, [&](std::uint64_t) {
            if (std::exchange(is_first, false)) change();
        });
    }

    void expect_refused(const Result<SourceText>& read, const std::string& why) const {
        ASSERT_FALSE(read) << why;
        EXPECT_EQ(read.error().code(), ErrorCode::kInvalidInput);
        EXPECT_NE(read.error().message().find(why), std::string::npos) << read.error().message();
    }

    Path path_;
    SourceLimits limits_;
};

TEST_F(SourceTextTest, AFileComesBackByteForByte) {
    std::string content;
    for (int i = 0; i < 50000; ++i) content += std::to_string(i) + "\n";
    write(content);
    EXPECT_EQ(read_source(path_, limits_).value().text, content);
}

TEST_F(SourceTextTest, AFileThatChangesWhileItIsReadIsRefused) {
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
    EXPECT_EQ(read_while([] {}).value().text, content);
}

TEST_F(SourceTextTest, AFileThatIsReplacedMeanwhileIsReadAsItWas) {
    const std::string content(200'000, 'a');
    write(content);
    const auto read = read_while([&] {
        const Path other = path_.string() + ".new";
        std::ofstream(other) << "another text";
        std::filesystem::rename(other, path_);
    });
    EXPECT_EQ(read.value().text, content);
}

TEST_F(SourceTextTest, APipeIsReadToItsEnd) {
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    EXPECT_TRUE(is_stream(path_));
    const std::string content(300'000, 'p');
    std::thread writer([&] { write(content, std::ios::out); });
    EXPECT_EQ(read_source(path_, limits_).value().text, content);
    writer.join();
    EXPECT_FALSE(is_stream(path_.parent_path()));
}

TEST_F(SourceTextTest, WhatIsNoTextOrTooMuchIsRefusedByName) {
    write("");
    expect_refused(read_source(path_, limits_), "is empty");
    write(std::string("a\0b", 3));
    expect_refused(read_source(path_, limits_), "byte 1 is NUL");
    write("ab\xff");
    expect_refused(read_source(path_, limits_), "not UTF-8: byte 2");
    limits_.allow_binary = true;
    EXPECT_EQ(read_source(path_, limits_).value().text, "ab\xff");
    limits_.size_bytes_max = 2;
    expect_refused(read_source(path_, limits_), "more bytes than the limit of 2");
    expect_refused(read_source(path_.parent_path(), limits_), "is a folder");
    expect_refused(read_source(path_ / "none", limits_), path_.string());
}

TEST_F(SourceTextTest, Utf16IsConvertedAndItsBytesCanBeHadBack) {
    const std::string content = "\xff\xfeH\0i\0\r\0\n\0\x0a\x4e"s;
    write(content);
    const auto read = read_source(path_, limits_);
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(read->text, "\ufeffHi\r\n\u4e0a");
    ASSERT_TRUE(read->converted_from);
    EXPECT_EQ(encode_utf16(read->text, *read->converted_from), content);
    // Asked for as it is, it stays so.
    limits_.allow_binary = true;
    const auto as_it_is = read_source(path_, limits_);
    EXPECT_EQ(as_it_is->text, content);
    EXPECT_FALSE(as_it_is->converted_from);
}

class FolderListingTest : public testing::Test {
  protected:
    FolderListingTest() {
        std::string name = testing::TempDir() + "/listing-XXXXXX";
        folder_ = ::mkdtemp(name.data());
        ::chmod(folder_.c_str(), 0755);
        for (const char* inner : {"locked", "sub"})
            std::filesystem::create_directory(folder_ / inner);
        for (const char* file : {"a.txt", "z.txt", ".hidden", "locked/l.txt", "sub/s.txt"})
            std::ofstream(folder_ / file) << "text";
    }

    ~FolderListingTest() override {
        ::chmod((folder_ / "locked").c_str(), 0755);
        std::filesystem::remove_all(folder_);
    }

    std::vector<Path> in_folder(std::initializer_list<const char*> names) const {
        std::vector<Path> paths;
        for (const char* name : names) paths.push_back(folder_ / name);
        return paths;
    }

    Path folder_;
};

TEST_F(FolderListingTest, LinksThatLeadNowhereEndNoWalk) {
    std::filesystem::create_symlink("nowhere", folder_ / "b.txt");
    std::filesystem::create_symlink("loop", folder_ / "loop");
    std::filesystem::create_symlink(".", folder_ / "self");
    std::filesystem::create_symlink("a.txt", folder_ / "link.txt");
    const FolderListing listing = list_files(folder_);
    EXPECT_EQ(listing.files,
              in_folder({"a.txt", "link.txt", "locked/l.txt", "sub/s.txt", "z.txt"}));
    EXPECT_TRUE(listing.folders.empty());
    ASSERT_EQ(listing.dead_links.size(), 2U);
    for (const PassedOver& link : listing.dead_links)
        EXPECT_NE(link.reason.message().find(link.path.string()), std::string::npos);
}

TEST_F(FolderListingTest, AFolderThatMayNotBeEnteredEndsNoWalkAndIsNamed) {
    ::chmod((folder_ / "locked").c_str(), 0);
    const pid_t child = ::fork();
    if (child == 0) {  // the superuser enters everywhere: become somebody who does not
        constexpr uid_t kNobody = 65534;
        if (::geteuid() == 0 && ::seteuid(kNobody) != 0) ::_exit(2);
        const FolderListing listing = list_files(folder_);
        const bool right = listing.files == in_folder({"a.txt", "sub/s.txt", "z.txt"}) &&
                           listing.folders.size() == 1 &&
                           listing.folders[0].path == folder_ / "locked" &&
                           listing.folders[0].reason.code() == ErrorCode::kInvalidInput;
        ::_exit(right ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST_F(FolderListingTest, AFolderThatIsNotThereIsAFaultOfIts) {
    const FolderListing listing = list_files(folder_ / "none");
    EXPECT_TRUE(listing.files.empty());
    ASSERT_EQ(listing.folders.size(), 1U);
    EXPECT_EQ(listing.folders[0].reason.code(), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace mc::runtime
