// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error, and a compiler warning when it is dropped.
//
// A class derived from tl::expected, because an alias is droppable in silence (docs/adr/0002).
// Errors are made with fail(…) and passed on with MC_TRY / MC_ASSIGN:
//
//     Result<Store> open_store(const Path& path) {
//         MC_ASSIGN(auto file, open_file(path));        // returns the error, else declares file
//         MC_TRY(check_header(file));                   // returns the error, else goes on
//         return Store(std::move(file));
//     }
#pragma once

#include <concepts>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "core/error.h"

namespace mc {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  public:
    using Base = tl::expected<T, Error>;
    using Base::Base;

    Result(Base base) : Base(std::move(base)) {}  // NOLINT(google-explicit-constructor)
};

// Makes the error branch of any Result<T>.
[[nodiscard]] inline tl::unexpected<Error> fail(
    ErrorCode code, std::string message,
    std::source_location where = std::source_location::current()) {
    return tl::unexpected<Error>(Error(code, std::move(message), where));
}

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace mc

#define MC_CONCAT_INNER_(a, b) a##b
#define MC_CONCAT_(a, b) MC_CONCAT_INNER_(a, b)

// Every expansion names its temporary afresh (__COUNTER__), so that these macros nest: a lambda
// that uses them may stand inside one of them.
#define MC_TRY_IMPL_(expression, temporary)                              \
    do {                                                                 \
        auto&& temporary = (expression);                                 \
        if (!temporary) return ::mc::fail(std::move(temporary.error())); \
    } while (false)

#define MC_TRY_CONTEXT_IMPL_(expression, note, temporary)                                  \
    do {                                                                                   \
        auto&& temporary = (expression);                                                   \
        if (!temporary) return ::mc::fail(std::move(temporary.error()).add_context(note)); \
    } while (false)

#define MC_ASSIGN_IMPL_(declaration, expression, temporary)          \
    auto&& temporary = (expression);                                 \
    if (!temporary) return ::mc::fail(std::move(temporary.error())); \
    declaration = std::move(*temporary)

// Returns the error of a Result<…> expression from the enclosing function; drops the value.
#define MC_TRY(expression) MC_TRY_IMPL_(expression, MC_CONCAT_(mc_result_, __COUNTER__))

// As MC_TRY, with a note on what was being done.
#define MC_TRY_CONTEXT(expression, note) \
    MC_TRY_CONTEXT_IMPL_(expression, note, MC_CONCAT_(mc_result_, __COUNTER__))

// MC_ASSIGN(auto value, expression): the value, or returns the error.
#define MC_ASSIGN(declaration, expression) \
    MC_ASSIGN_IMPL_(declaration, expression, MC_CONCAT_(mc_result_, __COUNTER__))
