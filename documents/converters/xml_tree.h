// SPDX-License-Identifier: Apache-2.0
// HTML and XML as trees of libxml2, and a walk that no depth of nesting can overflow.
//
// Nothing outside of the bytes is loaded: no DTD, no entity, no network; entities of a document's
// own are not expanded. Ownership: a tree owns its nodes. Threads: one tree, one thread.
// Errors: kInvalidInput for bytes that are no XML (HTML always is a tree), or too large.
#pragma once

#include <libxml/tree.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace mc::documents {

class XmlTree {
  public:
    static Result<XmlTree> parse_html(std::string_view content);
    // name: the part of an archive, for messages.
    static Result<XmlTree> parse_xml(std::string_view content, const std::string& name);

    // Null where there is no element.
    const xmlNode* root() const { return xmlDocGetRootElement(document_.get()); }

  private:
    explicit XmlTree(xmlDoc* document) : document_(document, xmlFreeDoc) {}

    std::unique_ptr<xmlDoc, void (*)(xmlDoc*)> document_;
};

inline bool is_element(const xmlNode& node) {
    return node.type == XML_ELEMENT_NODE;
}

// Of an element, without prefix.
std::string_view name_of(const xmlNode& node);
// Of a text node or a CDATA section; empty for others.
std::string_view text_of(const xmlNode& node);
// By its name without prefix; empty where there is none.
std::string attribute_of(const xmlNode& node, std::string_view name);
// All text below a node, white space as it is.
std::string all_text_of(const xmlNode& node);
// The first element below a node that has a name; null where there is none.
const xmlNode* find_element(const xmlNode& root, std::string_view name);

// Visits a node and all below it in document order. enter(node) says whether to go into an element;
// leave(node) is called for elements that were gone into.
template <class Enter, class Leave>
void walk(const xmlNode& root, Enter enter, Leave leave) {
    for (const xmlNode* node = &root;;) {
        const bool descends = enter(*node) && is_element(*node);
        if (descends && node->children != nullptr) {
            node = node->children;
            continue;
        }
        if (descends) leave(*node);
        while (node != &root && node->next == nullptr) {
            node = node->parent;
            leave(*node);
        }
        if (node == &root) return;
        node = node->next;
    }
}

}  // namespace mc::documents
