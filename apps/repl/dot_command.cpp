// SPDX-License-Identifier: Apache-2.0
#include "apps/repl/dot_command.h"

#include "apps/terminal/text.h"

namespace mc::apps {

Result<std::string> command_arguments(std::string_view name, std::string_view takes,
                                      std::string_view line) {
    std::string arguments = trimmed(line.substr(name.size()));
    if (takes.empty() && !arguments.empty())
        return fail(ErrorCode::kUsage, std::string(name) + " takes no arguments");
    const bool required = !takes.empty() && takes.front() != '[';
    if (required && arguments.empty())
        return fail(ErrorCode::kUsage, "usage: " + std::string(name) + " " + std::string(takes));
    return arguments;
}

}  // namespace mc::apps
