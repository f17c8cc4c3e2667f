// SPDX-License-Identifier: Apache-2.0
#include "serve/http/access_keys.h"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "serve/http/secrets.h"
#include "serve/protocol/schema.h"
#include "serve/protocol/verbs.h"
#include "storage/seal/store_file.h"

namespace mc::serve {
namespace {

constexpr std::uint64_t kFileBytesMax = 1 << 20;  // some thousand keys
constexpr std::size_t kNameBytesMax = 128;

constexpr const char* kFileSchema = R"({"type":"object","required":["keys"],"properties":{"keys":
{"type":"array","items":{"type":"object",
"required":["id","name","sha256","verbs","banks","created_us","revoked_us"],"properties":{
"id":{"type":"string"},"name":{"type":"string"},"sha256":{"type":"string"},
"verbs":{"type":"array","items":{"type":"string"}},
"banks":{"type":"array","items":{"type":"string"}},
"created_us":{"type":"integer"},"revoked_us":{"type":"integer"}}}}}})";

AccessKey key_of(const Json& json) {
    return {json["id"],    json["name"],       json["sha256"],    json["verbs"],
            json["banks"], json["created_us"], json["revoked_us"]};
}

Json json_of(const AccessKey& key) {
    return {{"id", key.id},
            {"name", key.name},
            {"sha256", key.hash},
            {"verbs", key.verbs},
            {"banks", key.banks},
            {"created_us", key.created_us},
            {"revoked_us", key.revoked_us}};
}

bool holds_or_is_empty(const std::vector<std::string>& list, std::string_view item) {
    return list.empty() || std::ranges::find(list, item) != list.end();
}

}  // namespace

bool AccessKey::may(std::string_view verb) const {
    return holds_or_is_empty(verbs, verb);
}

bool AccessKey::may_see(std::string_view bank) const {
    return holds_or_is_empty(banks, bank);
}

Path AccessKeys::file_of(const Path& store) {
    return store / "keys.json";
}

Result<AccessKeys> AccessKeys::load(const Path& file, const storage::StoreSeal* seal) {
    AccessKeys keys;
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return keys;
    MC_ASSIGN(const std::string content, storage::read_store_file(seal, file, kFileBytesMax));
    const auto json = parse_json(content, kFileBytesMax);
    if (!json || !check_schema(Json::parse(kFileSchema), *json, "keys"))
        return fail(ErrorCode::kCorruption, file.string() + " is no list of keys");
    for (const Json& one : (*json)["keys"]) keys.keys_.push_back(key_of(one));
    return keys;
}

std::optional<AccessKey> AccessKeys::find(std::string_view secret) const {
    const std::string hash = sha256_hex(secret);
    std::optional<AccessKey> found;
    for (const AccessKey& key : keys_)
        if (equal_in_constant_time(key.hash, hash) && key.in_force()) found = key;
    return found;
}

Result<std::string> AccessKeys::create(AccessKey draft, std::int64_t now_us) {
    if (draft.name.empty() || draft.name.size() > kNameBytesMax)
        return fail(ErrorCode::kInvalidInput,
                    "a key has a name of at most " + std::to_string(kNameBytesMax) + " bytes");
    for (const std::string& verb : draft.verbs)
        if (!find_verb(verb)) return fail(ErrorCode::kInvalidInput, "there is no verb " + verb);
    MC_ASSIGN(std::string secret, random_secret());
    draft.id = "k" + std::to_string(keys_.size() + 1);
    draft.hash = sha256_hex(secret);
    draft.created_us = now_us;
    draft.revoked_us = 0;
    keys_.push_back(std::move(draft));
    return secret;
}

Result<void> AccessKeys::revoke(std::string_view id, std::int64_t now_us) {
    const auto found = std::ranges::find(keys_, id, &AccessKey::id);
    if (found == keys_.end())
        return fail(ErrorCode::kInvalidInput, "there is no key " + std::string(id));
    if (found->in_force()) found->revoked_us = now_us;
    return {};
}

Result<void> AccessKeys::save(const Path& file, const storage::StoreSeal* seal) const {
    Json list = Json::array();
    for (const AccessKey& key : keys_) list.push_back(json_of(key));
    const std::string content = Json{{"keys", std::move(list)}}.dump(1) + "\n";
    MC_TRY(storage::replace_store_file(seal, file, content));
    if (::chmod(file.c_str(), S_IRUSR | S_IWUSR) != 0)
        return fail(system_error(errno, "cannot protect", file));
    return {};
}

}  // namespace mc::serve
