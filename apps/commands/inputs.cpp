// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/inputs.h"

#include <unistd.h>

#include <utility>

namespace mc::apps {
namespace {

void add_folder(std::vector<Input>& inputs, const Path& folder) {
    auto files = runtime::list_files(folder);
    Input nothing{folder.string(), folder, true, {}};
    if (!files) {
        nothing.fault = std::move(files.error());
        inputs.push_back(std::move(nothing));
        return;
    }
    if (files->empty()) {
        nothing.skipped = "the folder holds no files";
        inputs.push_back(std::move(nothing));
    }
    for (const Path& path : *files) inputs.push_back({path.string(), path, true, {}});
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
            inputs.push_back({source_name, {}, false, {}});
        else if (std::filesystem::is_directory(name, ignored))
            add_folder(inputs, name);
        else
            inputs.push_back({source_name.empty() ? name : source_name, name, false, {}});
    }
    return inputs;
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
