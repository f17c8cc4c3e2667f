// SPDX-License-Identifier: Apache-2.0
// A copy of a golden model folder, in which a test changes one thing.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "core/check.h"
#include "core/files.h"

namespace mc::lm::test {

class FolderCopy {
  public:
    explicit FolderCopy(const std::string& model)
        : path_(Path(testing::TempDir()) / (model + "-" + std::to_string(::getpid()))) {
        std::filesystem::remove_all(path_);
        std::filesystem::copy(Path(MC_GOLDEN_DIR) / "tiny_models" / model, path_);
    }

    ~FolderCopy() { std::filesystem::remove_all(path_); }

    FolderCopy(const FolderCopy&) = delete;
    FolderCopy& operator=(const FolderCopy&) = delete;

    const Path& path() const { return path_; }

    std::string text_of(const std::string& file) const {
        return read_file(path_ / file, 1 << 24).value();
    }

    void write(const std::string& file, const std::string& text) const {
        const auto written = replace_file(path_ / file, std::as_bytes(std::span(text)));
        MC_CHECK(written.has_value(), "the copy can be written");
    }

    // Applies an RFC 7396 merge patch: {"field": null} removes a field.
    void patch(const std::string& file, std::string_view change) const {
        auto document = nlohmann::json::parse(text_of(file));
        document.merge_patch(nlohmann::json::parse(change));
        write(file, document.dump());
    }

  private:
    const Path path_;
};

}  // namespace mc::lm::test
