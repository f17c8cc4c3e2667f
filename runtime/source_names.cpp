// SPDX-License-Identifier: Apache-2.0
#include "runtime/source_names.h"

namespace mc::runtime {
namespace {

// Empty where none is kept.
std::string path_of(const DocumentRecord& document) {
    const auto kept = document.metadata.find(std::string(kSourcePathKey));
    return kept == document.metadata.end() ? "" : kept->second;
}

}  // namespace

Result<std::string> SourceNames::name_of(const std::string& spelled, const std::string& path) {
    MC_ASSIGN(std::string name, find_name(spelled, path));
    names_.insert_or_assign(path, name);
    return name;
}

Result<std::string> SourceNames::find_name(const std::string& spelled, const std::string& path) {
    const NodeStore& nodes = session_.nodes();
    const std::string plain = Path(spelled).lexically_normal().string();
    MC_ASSIGN(const auto standing, nodes.find_document_by_source(plain));
    if (standing && path_of(*standing) == path) return plain;
    MC_TRY(load());
    if (const auto known = names_.find(path); known != names_.end()) return known->second;
    for (const std::string& name : {plain, spelled, path}) {
        MC_ASSIGN(const auto document, nodes.find_document_by_source(name));
        if (document && path_of(*document).empty()) return name;
    }
    return standing ? path : plain;
}

Result<void> SourceNames::load() {
    if (loaded_) return {};
    MC_ASSIGN(const auto documents, session_.nodes().list_documents());
    for (const DocumentRecord& document : documents)
        if (const std::string path = path_of(document); !path.empty())
            names_.emplace(path, document.source_name);
    loaded_ = true;
    return {};
}

}  // namespace mc::runtime
