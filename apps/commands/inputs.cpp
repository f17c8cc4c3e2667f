// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/inputs.h"

#include <unistd.h>

#include <utility>

namespace mc::apps {
namespace {

// Opens the file once to see whether it can be ingested. Too large a file is left to ingest_file(),
// whose limit it is, and not read here.
Result<void> check_file(const Path& path, const runtime::IngestOptions& options) {
    MC_ASSIGN(const auto file, MappedFile::open(path));
    const auto bytes = file->bytes();
    if (bytes.size() > options.size_bytes_max)
        return fail(ErrorCode::kInvalidInput,
                    path.string() + " has " + std::to_string(bytes.size()) +
                        " bytes, more than the limit of " + std::to_string(options.size_bytes_max) +
                        "; raise it with --ingest-bytes-max");
    if (options.allow_binary) return {};
    return runtime::check_is_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                                  path.string());
}

Input file_input(const Path& path, std::string source_name, const runtime::IngestOptions& options) {
    Input input{std::move(source_name), path, {}, {}, {}};
    if (auto checked = check_file(path, options); !checked)
        input.fault = std::move(checked.error());
    return input;
}

// In a folder, a file that is no text, or empty, is passed over with a note.
void add_folder(std::vector<Input>& inputs, const Path& folder,
                const runtime::IngestOptions& options) {
    auto files = runtime::list_files(folder);
    if (!files) {
        inputs.push_back({folder.string(), folder, {}, std::move(files.error()), {}});
        return;
    }
    if (files->empty())
        inputs.push_back({folder.string(), folder, {}, {}, "the folder holds no files"});
    for (const Path& path : *files) {
        Input input = file_input(path, path.string(), options);
        std::error_code ignored;
        const auto size = std::filesystem::file_size(path, ignored);
        const bool readable = !ignored && ::access(path.c_str(), R_OK) == 0;
        if (input.fault && readable && size <= options.size_bytes_max)
            input.skipped = std::exchange(input.fault, std::nullopt)->to_string();
        inputs.push_back(std::move(input));
    }
}

Input standard_input(const std::string& source_name, const runtime::IngestOptions& options) {
    Input input{source_name, {}, {}, {}, {}};
    auto content = runtime::read_stream(STDIN_FILENO, options);
    if (!content) {
        input.fault = std::move(content.error());
        return input;
    }
    if (content->empty())
        input.fault = Error(ErrorCode::kInvalidInput, "standard input is empty");
    else if (!options.allow_binary)
        if (auto text = runtime::check_is_text(*content, "standard input"); !text)
            input.fault = std::move(text.error());
    input.content = std::move(*content);
    return input;
}

}  // namespace

std::vector<Input> gather_inputs(const std::vector<std::string>& names,
                                 const std::string& source_name,
                                 const runtime::IngestOptions& options) {
    std::vector<Input> inputs;
    for (const std::string& name : names) {
        std::error_code ignored;
        if (name == "-")
            inputs.push_back(standard_input(source_name, options));
        else if (std::filesystem::is_directory(name, ignored))
            add_folder(inputs, name, options);
        else
            inputs.push_back(file_input(name, source_name.empty() ? name : source_name, options));
    }
    return inputs;
}

}  // namespace mc::apps
