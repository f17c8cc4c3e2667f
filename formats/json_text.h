// SPDX-License-Identifier: Apache-2.0
// JSON texts of files that the user gives: parsed without exceptions, read by named field.
//
// Ownership: a JsonFields borrows the object. Threads: const, free. Errors: kInvalidInput that
// names the file and the field ("config.json: rope_scaling.factor is not a number").
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mc::lm {

// Refuses repeated keys, which readers resolve differently, and nesting beyond a limit, so that
// damaged text cannot ask for memory without end.
Result<nlohmann::json> parse_json(std::string_view text, const std::string& file_name);

// Fields of one object. A field that is null counts as absent.
class JsonFields {
  public:
    // Requires: object.is_object(). where: "config.json: " or "config.json: rope_scaling.".
    JsonFields(const nlohmann::json& object, std::string where)
        : object_(&object), where_(std::move(where)) {}

    // Errors: kInvalidInput when the document is not an object.
    static Result<JsonFields> of(const nlohmann::json& document, const std::string& file_name);

    bool has(std::string_view key) const { return find(key) != nullptr; }

    // nullptr when absent.
    const nlohmann::json* find(std::string_view key) const;

    Result<std::uint64_t> get_uint(std::string_view key) const;
    Result<double> get_float(std::string_view key) const;
    Result<std::string> get_string(std::string_view key) const;
    Result<std::vector<std::string>> get_strings(std::string_view key) const;
    // The default where the field is absent.
    Result<bool> get_bool_or(std::string_view key, bool otherwise) const;
    Result<double> get_float_or(std::string_view key, double otherwise) const;
    Result<std::uint64_t> get_uint_or(std::string_view key, std::uint64_t otherwise) const;
    Result<std::string> get_string_or(std::string_view key, const std::string& otherwise) const;
    // The fields of an object within this one, and of each object of a list.
    Result<JsonFields> get_object(std::string_view key) const;
    Result<std::vector<JsonFields>> get_objects(std::string_view key) const;

    // An error about a field: "<file>: <path of the field> <what>".
    Error error(std::string_view key, std::string_view what) const;

  private:
    Result<const nlohmann::json*> require(std::string_view key) const;

    const nlohmann::json* object_;
    std::string where_;
};

}  // namespace mc::lm
