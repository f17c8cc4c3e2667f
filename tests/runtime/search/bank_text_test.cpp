// SPDX-License-Identifier: Apache-2.0
// What people call a document: an id, a name, a path to its file.
#include <filesystem>

#include "runtime/search/source_path.h"
#include "tests/runtime/search/bank_fixture.h"

namespace mc::runtime {
namespace {

class BankTextTest : public test::BankFixture {
  protected:
    DocumentId resolved(std::string_view name) const {
        const auto found = text_->resolve_document(name);
        EXPECT_TRUE(found) << name;
        return found ? found->id : DocumentId(0);
    }

    DocumentId make(const std::string& name, const std::string& path) {
        DocumentRecord draft;
        draft.source_name = name;
        draft.metadata.emplace(kSourcePathKey, path);
        return nodes_->create_document(draft)->id;
    }
};

TEST_F(BankTextTest, ANameThatLooksLikeAnIdHidesNoDocument) {
    const DocumentId first = append("letter.txt", "The first.");
    const DocumentId second = append("d1", "The second.");
    const DocumentId third = append("2", "The third.");
    const DocumentId fourth = append("d99", "The fourth.");
    EXPECT_EQ(resolved("d1"), first);
    EXPECT_EQ(resolved("1"), first);
    EXPECT_EQ(resolved("d2"), second);
    EXPECT_EQ(resolved("2"), second);
    EXPECT_EQ(resolved("d3"), third);
    EXPECT_EQ(resolved("letter.txt"), first);
    EXPECT_EQ(resolved("d99"), fourth);  // no document has that id
    EXPECT_FALSE(text_->resolve_document("d98"));
}

TEST_F(BankTextTest, ADocumentIsFoundByAnySpellingOfThePathToItsFile) {
    const std::filesystem::path here = std::filesystem::current_path();
    const DocumentId document = make("notes.txt", here / "kept" / "notes.txt");
    const DocumentId other = make("d7", here / "d7");
    for (const std::string& spelled :
         {std::string("notes.txt"), std::string("kept/notes.txt"), std::string("./kept//notes.txt"),
          std::string("kept/../kept/notes.txt"), (here / "kept/notes.txt").string()})
        EXPECT_EQ(resolved(spelled), document) << spelled;
    EXPECT_EQ(resolved("./d7"), other);
    EXPECT_FALSE(text_->resolve_document("elsewhere/notes.txt"));
    EXPECT_FALSE(text_->resolve_document(""));
}

}  // namespace
}  // namespace mc::runtime
