// SPDX-License-Identifier: Apache-2.0
// Chat templates: the part of Jinja that they use, with bounds, for templates from untrusted files.
//
// Supported: text, {{ }}, {# #}, if/elif/else, for (filter, else, break, continue, loop.*), set
// (also of a block and of a namespace's member), white space control; expressions with or, and,
// not, comparison, in, arithmetic, ~, conditional, subscript, slice, member, lists, mappings; the
// filters, tests, methods and functions of builtins.h. Whitespace as with trim_blocks and
// lstrip_blocks. Upper and lower case change ASCII letters only. Not supported, and an error:
// macro, include, recursive for and the like (when parsed, also where they would not be reached);
// unknown filters, tests and functions (when reached). A template reads the variables that it is
// given and nothing else: no files, no time, no randomness. Threads: const, free. Errors:
// kInvalidInput "line 12: …".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "lm/jinja/ast.h"

namespace mc::lm::jinja {

// Bounds on one template. Those in use have up to 20 KB and take a few hundred steps a message.
inline constexpr std::size_t kTemplateBytesMax = 256 << 10;
inline constexpr std::uint64_t kStepsMax = 1'000'000;     // expressions, statements, items walked
inline constexpr std::uint64_t kTextBytesMax = 64 << 20;  // made in all, kept or not
inline constexpr std::uint64_t kOutputBytesMax = 16 << 20;

struct Rendered {
    Text text;
    std::optional<std::string> raised;  // the message of raise_exception(), which ended it
};

class Template {
  public:
    static Result<Template> parse(std::string_view source);
    Result<Rendered> render(const Map& variables) const;

  private:
    std::vector<Statement> statements_;
};

}  // namespace mc::lm::jinja
