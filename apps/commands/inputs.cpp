// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/inputs.h"

#include <unistd.h>

#include <utility>

namespace mc::apps {
namespace {

void add_folder(std::vector<Input>& inputs, const Path& folder, const Path& prefix) {
    const auto input = [&](const Path& path) {
        const Path name = prefix.empty() ? path : prefix / path.lexically_relative(folder);
        return Input{name.string(), path, true};
    };
    const runtime::FolderListing listing = runtime::list_files(folder);
    for (const Path& path : listing.files) inputs.push_back(input(path));
    for (const auto& [path, reason] : listing.dead_links) {
        inputs.push_back(input(path));
        inputs.back().skipped = reason.to_string();
    }
    for (const auto& [path, reason] : listing.folders) {
        inputs.push_back(input(path));
        inputs.back().fault = reason;
    }
    if (!listing.files.empty() || !listing.dead_links.empty() || !listing.folders.empty()) return;
    inputs.push_back(input(folder));
    inputs.back().skipped = "the folder holds no files";
}

// In a folder, a file that is no text, or empty, is passed over with a note.
bool is_passed_over(const Input& input, const runtime::SourceLimits& limits) {
    std::error_code unreadable;
    const auto size = std::filesystem::file_size(input.path, unreadable);
    return input.in_folder && !unreadable && size <= limits.size_bytes_max &&
           input.fault->code() == ErrorCode::kInvalidInput &&
           ::access(input.path.c_str(), R_OK) == 0;
}

}  // namespace

std::vector<Input> list_inputs(const std::vector<std::string>& names,
                               const std::string& source_name) {
    std::vector<Input> inputs;
    for (const std::string& name : names) {
        std::error_code ignored;
        if (name == "-")
            inputs.push_back({source_name, {}, false});
        else if (std::filesystem::is_directory(name, ignored))
            add_folder(inputs, name, source_name);
        else
            inputs.push_back({source_name.empty() ? name : source_name, name, false});
    }
    return inputs;
}

std::string identity_of(const Input& input) {
    if (input.path.empty() || input.source_name != input.path) return {};
    std::error_code error;
    const Path path = std::filesystem::canonical(input.path, error);
    return error ? std::string() : path.string();
}

void load_input(Input& input, const runtime::SourceLimits& limits) {
    if (input.fault || input.skipped) return;
    auto content = input.path.empty() ? runtime::read_standard_input(limits)
                                      : runtime::read_source(input.path, limits);
    if (content) {
        input.content = std::move(*content);
        return;
    }
    input.fault = std::move(content.error());
    if (is_passed_over(input, limits))
        input.skipped = std::exchange(input.fault, std::nullopt)->to_string();
}

}  // namespace mc::apps
